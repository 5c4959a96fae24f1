import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { initCommand } from '../../lib/cli/init.js'
import { loadConfig } from '../../lib/config/load.js'
import { verifyPassword } from '../../lib/users/passwords/password-hash.js'
import { freePort } from '../helpers/free-port.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Ran {
  readonly folder: string
  readonly output: string
  readonly errors: string
  readonly exitCode: unknown
  read(name: string): string
}

/** A folder of an app. */
function appFolder(packageJson: object | string = { type: 'module', dependencies: { express: '^5' } }): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-init-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(
    join(folder, 'package.json'),
    typeof packageJson === 'string' ? packageJson : JSON.stringify(packageJson),
  )
  return folder
}

async function init(folder: string, ...options: readonly string[]): Promise<Ran> {
  let output = ''
  let errors = ''
  const process = {
    stdin: { isTTY: false } as NodeJS.ReadStream,
    stdout: { write: (text: string) => (output += text) },
    stderr: { write: (text: string) => (errors += text) } as unknown as NodeJS.WritableStream,
    exitCode: undefined as unknown as number,
  }
  await initCommand(process, () => folder).parseAsync(['node', 'init', ...options])
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  return { folder, output, errors, exitCode: process.exitCode, read }
}

const passwordIn = ({ output }: Ran): string => /is (\S+)$/m.exec(output)![1]!

it('writes a file that loads, with the hash of the password that it prints, and a key that only its owner reads', async () => {
  const ran = await init(appFolder(), '--yes', '--admin', 'ada "the first"')
  expect(ran.errors).toBe('')
  expect(ran.output).toContain('Wrote deployment.toml, token-key.pem, .gitignore, server.js.')
  expect(ran.output).toContain('npm install sallyport\n')
  const config = await loadConfig(join(ran.folder, 'deployment.toml'))
  expect(config.warnings).toEqual([])
  const [user] = config.fileUsers.users
  expect(user).toMatchObject({ name: 'ada "the first"', isAdmin: true })
  expect(await verifyPassword(passwordIn(ran), user!.password)).toBe(true)
  expect(ran.read('deployment.toml')).not.toContain(passwordIn(ran))
  expect(statSync(join(ran.folder, 'token-key.pem')).mode & 0o777).toBe(0o600)
  expect(ran.read('.gitignore').split('\n')).toContain('token-key.pem')
})

it('writes a server that starts, lets the administrator in and nobody else, and ends', async () => {
  const folder = appFolder({ devDependencies: { typescript: '6' } })
  const ran = await init(folder, '--yes', '--portal', '/desk')
  const port = String(await freePort())
  writeFileSync(join(folder, 'server.ts'), ran.read('server.ts').replaceAll('9201', port))
  await cp(join(root, 'tsconfig.json'), join(folder, 'tsconfig.json'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  for (const name of ['lib', 'node_modules']) symlinkSync(join(root, name), join(folder, name))
  const args = ['--import', 'tsx', 'server.ts']
  const file = ran.read('deployment.toml')
  writeFileSync(join(folder, 'deployment.toml'), file.replace('expiry =', 'expirey ='))
  const refused = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  expect([refused.status, refused.stderr]).toEqual([1, expect.stringMatching(/^\S+\.toml:\d+:1 .*expirey.*\n$/)])
  writeFileSync(join(folder, 'deployment.toml'), file)
  const server = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void server.kill('SIGKILL'))
  await once(server.stdout, 'data')
  const url = `http://127.0.0.1:${port}`
  const call = (path: string, authorization = ''): Promise<Response> =>
    fetch(url + path, { headers: { authorization }, redirect: 'manual' })
  expect((await call('/management/hello')).status).toBe(401)
  const basic = `Basic ${Buffer.from(`admin:${passwordIn(ran)}`).toString('base64')}`
  const { AccessToken } = (await (await call('/management/login', basic)).json()) as { AccessToken: string }
  expect(await (await call('/management/hello', `Bearer ${AccessToken}`)).json()).toEqual({ caller: 'admin' })
  expect((await call('/desk')).status).toBe(401)
  expect((await call('/desk/login')).status).toBe(200)
  const ended = once(server, 'exit')
  server.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

it.each([
  ['ada', 'curl -u ada http'],
  ["o'neil", "curl -u 'o'\\''neil' http"],
  ['a; rm -rf $HOME `id`', "curl -u 'a; rm -rf $HOME `id`' http"],
])('prints a command that a shell takes as it is meant, for %j', async (name, command) => {
  expect((await init(appFolder(), '--yes', '--admin', name)).output).toContain(command)
})

it('guards all routes of an app that is there, on its port', async () => {
  const folder = appFolder({ main: 'app.js', dependencies: { express: '^5', sallyport: '*' } })
  writeFileSync(join(folder, 'app.js'), 'app.listen(process.env.PORT || 3000)')
  const ran = await init(folder, '--yes', '--portal', '/desk')
  expect(ran.output).toMatch(/portal\('pages'\)\)\n.*\n +app\.use\(security\.managementApi\({ resources: false }\)\)\n/)
  expect(ran.output).toContain('security.createServer(app).listen(3000)')
  expect(ran.output).toContain('http://127.0.0.1:3000/login')
  expect((await init(appFolder(), '--yes', '--mount', '/')).read('server.js')).toContain("app.get('/hello', ")
})

it.each([
  ["app.listen(8080, '127.0.0.1')", '8080', '8080'],
  ["app.listen(process.env.PORT ?? 3000, '0.0.0.0')", '3000', '3000'],
  ["http.createServer(app).listen(Number(process.env['PORT'] ?? '3000'), () => {})", '3000', '3000'],
  ["const port = 4000\napp.listen(port, '127.0.0.1')", 'port', '4000'],
  ["const $port: number = Number(process.env.PORT || 4000);\napp.listen($port, '127.0.0.1')", '$port', '4000'],
  ["app.listen(port, '127.0.0.1')", 'port', 'PORT'],
  ["app.listen(config.port, '127.0.0.1')", '9201', '9201'],
  ["app.listen({ port: 3000, host: '127.0.0.1' })", '9201', '9201'],
  ["app.listen('/run/app.sock')", '9201', '9201'],
])('reads the port of an app from the first argument alone: %s', async (source, listensOn, port) => {
  const folder = appFolder({ main: 'app.js', dependencies: { express: '^5', sallyport: '*' } })
  writeFileSync(join(folder, 'app.js'), source)
  const { output } = await init(folder, '--yes')
  expect(output).toContain(`security.createServer(app).listen(${listensOn})  `)
  expect(output).toContain(`http://127.0.0.1:${port}/login`)
})

it.each(["import { createSecurity } from 'sallyport'", 'const { portalSession } = require("sallyport/middleware")'])(
  'says of a server that uses the package already that nothing is to be added: %s',
  async (source) => {
    const folder = appFolder()
    writeFileSync(join(folder, 'server.js'), source)
    const ran = await init(folder, '--yes')
    expect(ran.output).toContain('\nserver.js uses sallyport already: it has to read deployment.toml')
    expect(ran.output).not.toMatch(/Add to|managementApi|curl|pages/)
    rmSync(join(folder, 'deployment.toml'))
    rmSync(join(folder, 'token-key.pem'))
    expect((await init(folder, '--yes', '--portal', '/desk')).output).toContain(
      "Mount the pages in it: app.use('/desk', security.portal('pages'))",
    )
  },
)

it('takes paths with dots, and pages whose path only begins like that of the API', async () => {
  const ran = await init(appFolder(), '--yes', '--mount', '/.api/..v1', '--portal', '/.api/..v1-pages')
  expect(ran.errors).toBe('')
})

it('prints the lines to add where there is a server, and changes nothing of it', async () => {
  const folder = appFolder({ main: 'app.js', dependencies: { express: '^4.21', sallyport: '*' } })
  writeFileSync(join(folder, 'app.js'), '// mine\n')
  writeFileSync(join(folder, '.gitignore'), 'node_modules')
  const ran = await init(folder, '--yes', '--mount', '/api')
  expect(ran.output).toContain('Add to app.js:')
  expect(ran.output).toContain("app.use('/api', security.managementApi())")
  expect(ran.output).toContain('below /api: others stay open')
  expect(ran.output).toContain('security.createServer(app).listen(9201)')
  expect(ran.output).toContain("const { createSecurity } = require('sallyport')")
  expect(ran.output).not.toContain('npm install')
  expect(ran.read('app.js')).toBe('// mine\n')
  expect(ran.read('.gitignore')).toBe('node_modules\ntoken-key.pem\ntoken-key.pem.retired\n')
})

it.each([
  [
    'a file that is there',
    (folder: string) => writeFileSync(join(folder, 'deployment.toml'), ''),
    [],
    'deployment.toml is there already',
  ],
  [
    'no package.json',
    (folder: string) => rmSync(join(folder, 'package.json')),
    [],
    'There is no package.json in this folder',
  ],
  [
    'a package.json that is none',
    (folder: string) => writeFileSync(join(folder, 'package.json'), '{'),
    [],
    'package.json cannot be read',
  ],
  ['a path that is none', () => undefined, ['--mount', '/a b'], '"/a b" is no path'],
  ['a path that leads elsewhere', () => undefined, ['--mount', '/a/..'], '"/a/.." is no path'],
  ['a path of the folder itself', () => undefined, ['--portal', '/./a'], '"/./a" is no path'],
  ['one path for two things', () => undefined, ['--portal', '/Management'], 'not below that of the pages'],
  [
    'the API below pages',
    () => undefined,
    ['--mount', '/pages/api', '--portal', '/pages'],
    'not below that of the pages',
  ],
  ['a name that cannot log in', () => undefined, ['--admin', 'a:b'], 'That name cannot log in'],
  ['an old Express', oldExpress, [], 'Express 4.17.1 is too old'],
] as const)('refuses %s, and writes nothing', async (_what, prepare, options, message) => {
  const folder = appFolder()
  prepare(folder)
  const ran = await init(folder, '--yes', ...options)
  expect([ran.errors, ran.exitCode]).toEqual([expect.stringContaining(message), 1])
  expect(['token-key.pem', '.gitignore', 'server.js'].filter((name) => existsSync(join(folder, name)))).toEqual([])
})

it('asks for --yes where there is no terminal', async () => {
  expect((await init(appFolder())).errors).toContain('write --yes')
})

function oldExpress(folder: string): void {
  mkdirSync(join(folder, 'node_modules/express'), { recursive: true })
  writeFileSync(join(folder, 'node_modules/express/package.json'), '{"version":"4.17.1"}')
}
