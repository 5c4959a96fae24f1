import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { commandLogger } from '../../lib/cli/output.js'
import type { UserAccount } from '../../lib/users/user-store.js'
import { basic, bearer, document, fileUser, startFront, users } from '../helpers/front.js'
import { folderWith, keyPair, pemOfKey } from '../helpers/key-files.js'
import { people, startManagedFront } from '../helpers/managed-front.js'
import { secret } from '../helpers/recorded-log.js'
import { codeAt } from '../helpers/second-factor-front.js'
import { openShell, type Shell } from './run-command.js'

const urlOf = ({ port }: { readonly port: number }): string => `http://127.0.0.1:${port}/management`

/** Signs in to a front; the later commands need not name it. */
async function signIn(shell: Shell, front: { readonly port: number }, { name, password } = users.admin as Person) {
  const outcome = await shell.run(`login --server ${urlOf(front)} --user ${name}`, { input: `${password}\n` })
  expect(outcome).toEqual({ code: 0, stdout: `You are signed in to ${urlOf(front)} as ${name}.\n`, stderr: '' })
  const [token] = Object.values(stored(shell).servers).map((server) => secret(server.token))
  return token!
}

interface Person {
  readonly name: string
  readonly password: string
}

const fileOf = ({ home }: Shell): string => join(home, 'sallyport', 'servers.json')
const stored = (shell: Shell) =>
  JSON.parse(readFileSync(fileOf(shell), 'utf8')) as { servers: Record<string, { user: string; token: string }> }

/** A server that answers what it likes. */
async function serve(answer: RequestListener): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, asked }
}

describe('the sign-in', () => {
  it('keeps the token in a file that only the user may read, and ends it with the logout', async () => {
    const [shell, front] = [openShell(), await startFront()]
    const token = await signIn(shell, front)
    expect(statSync(fileOf(shell)).mode & 0o777).toBe(0o600)
    expect(statSync(join(shell.home, 'sallyport')).mode & 0o777).toBe(0o700)
    expect(readFileSync(fileOf(shell), 'utf8')).not.toContain(users.admin.password)
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(200)
    expect((await shell.run('logout')).stdout).toBe(`You are signed out of ${urlOf(front)}.\n`)
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(401)
    expect(stored(shell)).toEqual({ servers: {} })
    expect((await shell.run('sessions list')).stderr).toContain('You are signed in to none: sallyport login --server')
  })

  it('ends the token before, when the user signs in once more', async () => {
    const [shell, front] = [openShell(), await startFront()]
    const first = await signIn(shell, front)
    await signIn(shell, front)
    expect((await front.call('GET', '/apis', [bearer(first)])).status).toBe(401)
  })

  it('takes the password from the environment, and the token too', async () => {
    const [shell, front] = [openShell(), await startFront()]
    shell.env['SALLYPORT_PASSWORD'] = users.admin.password
    shell.env['SALLYPORT_SERVER'] = urlOf(front)
    expect(await shell.run('login --user admin')).toMatchObject({ code: 0 })
    const other = openShell()
    Object.assign(other.env, { SALLYPORT_SERVER: urlOf(front), SALLYPORT_TOKEN: await front.login() })
    expect(await other.run('sessions list')).toMatchObject({ code: 0 })
    expect(existsSync(fileOf(other))).toBe(false)
  })

  it('never takes a password from the command line', async () => {
    const shell = openShell()
    await expect(shell.run('login --server http://127.0.0.1:1/m --user admin --password x')).rejects.toThrow('unknown')
  })

  it('says when the password is wrong, and keeps nothing', async () => {
    const [shell, front] = [openShell(), await startFront()]
    const outcome = await shell.run(`login --server ${urlOf(front)} --user admin`, { input: 'Wrong-password-1\n' })
    expect(outcome).toEqual({ code: 3, stdout: '', stderr: 'The user name or the password is wrong.\n' })
    expect(existsSync(fileOf(shell))).toBe(false)
  })

  it('is refused while others can read the file, before a token is used', async () => {
    const [shell, front] = [openShell(), await startFront()]
    await signIn(shell, front)
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(fileOf(shell), mode)
      const outcome = await shell.run('sessions list')
      expect(outcome).toMatchObject({ code: 1, stdout: '' })
      expect(outcome.stderr).toContain('others than you may read or change it')
    }
  })

  it('says when the file is broken', async () => {
    const shell = openShell()
    mkdirSync(join(shell.home, 'sallyport'))
    for (const text of ['{', '{}', '{"servers":{"http://127.0.0.1:1/m":{}}}']) {
      writeFileSync(fileOf(shell), text, { mode: 0o600 })
      expect((await shell.run('sessions list')).stderr).toContain('is broken: delete it, and sign in again')
    }
  })

  it('has ended when the server says so: the message has the command that begins anew', async () => {
    const [shell, front] = [openShell(), await startFront()]
    await signIn(shell, front)
    await front.security.tokens.revokeUser('admin')
    const url = urlOf(front)
    const stderr = `Your sign-in to ${url} has ended: sallyport login --server ${url} --user admin\n`
    expect(await shell.run('sessions list')).toEqual({ code: 3, stdout: '', stderr })
    expect(await shell.run('logout')).toMatchObject({ code: 0 })
  })

  it.each([
    ['sessions list', 2, 'Which server?'],
    [
      'sessions list --server http://127.0.0.1:1/m',
      3,
      'You are not signed in to http://127.0.0.1:1/m: sallyport login',
    ],
    ['logout --server http://127.0.0.1:1/m', 3, 'You are not signed in'],
    ['login --user admin', 2, 'Which server?'],
    ['login --user a:b --server http://127.0.0.1:1/m', 2, 'colon'],
    ['sessions list --server http://ops.example/m', 2, 'must be an https URL'],
    ['sessions list --server ftp://127.0.0.1/m', 2, 'must be an https URL'],
    ['sessions list --server https://admin:x@127.0.0.1/m', 2, 'no password in it'],
    ['sessions list --server https://127.0.0.1/m?x', 2, 'must end with the path'],
    ['sessions list --server nowhere', 2, 'must be the URL of a management API'],
    ['sessions list --server http://127.0.0.1:1/m --config x.toml', 2, 'not both'],
    ['users list --server http://127.0.0.1:1/m --config x.toml', 2, 'not both'],
    ['sessions end', 2, 'Write the id of a session, or --user NAME.'],
  ])('%s ends with %i: %s', async (line, code, message) => {
    const shell = openShell()
    if (line === 'sessions end')
      Object.assign(shell.env, { SALLYPORT_TOKEN: 'x', SALLYPORT_SERVER: 'http://127.0.0.1:1/m' })
    const outcome = await shell.run(line, { input: 'x\n' })
    expect(outcome).toMatchObject({ code, stdout: '' })
    expect(outcome.stderr).toContain(message)
  })
})

describe('the sign-in of who has a second factor', () => {
  const seed = secret('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP')
  const { name, password } = users.admin
  const now = Date.UTC(2026, 0, 1)
  const start = (more: object = { totp: seed }, managementApi = {}) => {
    const admin = fileUser(name, password, { is_admin: true, ...more })
    const source = document({ internalApis: { users: [admin] }, managementApi })
    return startFront(undefined, { source, options: { clock: () => now } })
  }
  const isSignedIn = async (shell: Shell) => (await shell.run('sessions list')).code === 0

  it('takes the code from the second line of standard input, or from the environment, once', async () => {
    const [piped, shell, front] = [openShell(), openShell(), await start()]
    const line = `login --server ${urlOf(front)} --user ${name}`
    expect(await piped.run(line, { input: `${password}\r\n${codeAt(now)}\r\n` })).toMatchObject({ code: 0 })
    expect(await isSignedIn(piped)).toBe(true)
    // The clock stands still: that code has counted.
    Object.assign(shell.env, { SALLYPORT_PASSWORD: password, SALLYPORT_OTP: codeAt(now) })
    const again = await shell.run(line)
    expect(again).toEqual({ code: 3, stdout: '', stderr: 'The code is wrong, or was used before.\n' })
    shell.env['SALLYPORT_OTP'] = codeAt(now + 30_000)
    expect(await shell.run(line)).toMatchObject({ code: 0 })
    expect(await isSignedIn(shell)).toBe(true)
  })

  it('asks on a terminal, and shows neither', async () => {
    const [shell, front] = [openShell(), await start()]
    const outcome = await shell.type(`login --server ${urlOf(front)} --user ${name}`, [password, codeAt(now)])
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining('You are signed in') })
    expect(outcome.stderr).toMatch(/^Password: \nThis account needs a second factor: .*\nCode: \n$/)
  })

  it.each([
    ['', 'This account needs a second factor'],
    ['\n', 'the second line of standard input, or SALLYPORT_OTP'],
    ['\n000000\n', 'The code is wrong'],
    ['\n12\u20ac456\n', 'The code is wrong'],
  ])('says what is missing after the password: %j', async (rest, message) => {
    const [shell, front] = [openShell(), await start()]
    const outcome = await shell.run(`login --server ${urlOf(front)} --user ${name}`, { input: password + rest })
    expect(outcome).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining(message) })
    expect(existsSync(fileOf(shell))).toBe(false)
  })

  it('says who has to set one up first', async () => {
    const [shell, front] = [openShell(), await start({}, { second_factor: 'administrators' })]
    const line = `login --server ${urlOf(front)} --user ${name}`
    for (const input of [password, `${password}\n000000\n`]) {
      const outcome = await shell.run(line, { input })
      expect(outcome).toMatchObject({ code: 3, stderr: expect.stringContaining('which it does not have yet') })
    }
  })

  it('never asks for a code where the password is wrong', async () => {
    const [shell, front] = [openShell(), await start()]
    const input = `Wrong-password-1\n${codeAt(now)}\n`
    const outcome = await shell.run(`login --server ${urlOf(front)} --user ${name}`, { input })
    expect(outcome).toMatchObject({ code: 3, stderr: 'The user name or the password is wrong.\n' })
  })
})

describe('sessions', () => {
  it('are listed as JSON for programs, as a table for people, and ended', async () => {
    const [shell, front] = [openShell(), await startFront()]
    const reader = await front.login(users.reader)
    const token = await signIn(shell, front)
    const page = JSON.parse((await shell.run('sessions list --sort user')).stdout)
    expect(page).toMatchObject({ count: 2, total: 2, list: [{ user: 'admin' }, { user: 'reader' }] })
    const { stdout: table } = await shell.run('sessions list --sort user', { isTTY: true })
    expect(table.split('\n')[0]).toMatch(/^USER +KIND +CLIENT +ADDRESS +LAST USE +ENDS +ID$/)
    expect(table.split('\n')[2]).toMatch(/^reader +management +- +127\.0\.0\.1 +\d{4}-/)
    expect(table).not.toContain(token)
    expect(JSON.parse((await shell.run('sessions list --user r* --json', { isTTY: true })).stdout).count).toBe(1)
    expect((await shell.run('sessions list --limit 1', { isTTY: true })).stdout).toContain('1 of 2: --limit')
    expect((await shell.run('sessions list --kind portal', { isTTY: true })).stdout).toContain('Nobody is signed in')

    expect(await shell.run(`sessions end ${page.list[1].id}`)).toMatchObject({ code: 0, stdout: 'Ended.\n' })
    expect((await front.call('GET', '/apis', [bearer(reader)])).status).toBe(401)
    const again = await shell.run(`sessions end ${page.list[1].id}`)
    expect(again).toMatchObject({ code: 1, stderr: 'There is no session with this id. (404 ERR_NOT_FOUND)\n' })
    await front.login(users.reader)
    expect((await shell.run('sessions end --user reader')).stdout).toBe('Ended 1 session of reader.\n')
  })

  it('show no user name that a terminal would obey', async () => {
    const [shell, front] = [openShell(), await startFront()]
    await signIn(shell, front)
    const name = '<img src=x>\u001b]0;owned\u0007\u009b2J\u202e\u2028\r\n\ud800'
    await front.security.tokens.issue({ subject: name, isAdmin: false, roles: [], version: '1' } as UserAccount)
    for (const isTTY of [true, false]) {
      const { stdout } = await shell.run('sessions list', { isTTY })
      expect(stdout).toContain('<img src=x>')
      expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{C}|\u2028/u)
    }
    expect(
      JSON.parse((await shell.run('sessions list')).stdout).list.map(({ user }: { user: string }) => user),
    ).toContain(name)
    const ended = await shell.run(['sessions', 'end', '--user', name])
    expect(ended.stdout.trimEnd()).not.toMatch(/\p{C}/u)
  })

  it('are refused to who is no administrator', async () => {
    const [shell, front] = [openShell(), await startFront()]
    await signIn(shell, front, users.reader)
    expect(await shell.run('sessions list')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Only administrators may do this. (403 ERR_ADMIN_REQUIRED)\n',
    })
  })

  it('need a store that servers share for --config', async () => {
    const file = join(folderWith({ 'deployment.toml': '' }), 'deployment.toml')
    const outcome = await openShell().run(`sessions list --config ${file}`)
    expect(outcome).toMatchObject({ code: 2 })
    expect(outcome.stderr).toContain('ask it, with --server URL')
  })
})

describe('locks', () => {
  it('are listed and lifted', async () => {
    const [shell, front] = [openShell(), await startFront()]
    await signIn(shell, front)
    await Promise.all(
      Array.from({ length: 5 }, () => front.call('GET', '/login', [basic('reader', 'Wrong-password-1')])),
    )
    expect(JSON.parse((await shell.run('locks list')).stdout)).toMatchObject([{ scope: 'pair', user: 'reader' }])
    expect((await shell.run('locks list', { isTTY: true })).stdout).toMatch(
      /^the user from there +reader +127\.0\.0\.1 /m,
    )
    expect((await shell.run('locks lift')).code).toBe(2)
    expect((await shell.run('locks lift reader')).stdout).toBe('Lifted the locks of reader.\n')
    expect((await shell.run('locks list', { isTTY: true })).stdout).toBe('Nobody is locked.\n')
    expect((await shell.run('locks lift --address 192.0.2.1')).stdout).toBe('Lifted the locks of 192.0.2.1.\n')
    expect((await shell.run('locks lift nobody-there')).stdout).toBe('There was no lock of nobody-there.\n')
  })
})

describe('reload', () => {
  it('names what has changed, or each mistake', async () => {
    const toml = (more: string) =>
      `[[internal_apis.users]]\nuser.name = "admin"\nuser.password = "${users.admin.password}"\nuser.is_admin = true\n` +
      `[management_api.jwt_token_security_handler.token_config]\nalgorithm = "ES256"\n${more}`
    const file = join(folderWith({ 'deployment.toml': toml('') }), 'deployment.toml')
    const [shell, front] = [openShell(), await startFront(undefined, { source: file })]
    await signIn(shell, front)
    expect((await shell.run('reload')).stdout).toBe('Reloaded. The file says what it said before.\n')
    writeFileSync(file, toml('expiry = 60\n[management_api.cors]\nallowed_origins = "https://a.example"'))
    const { stdout } = await shell.run('reload')
    expect(stdout).toContain('Changed: management_api.cors, management_api.jwt_token_security_handler.token_config.')
    expect(stdout).toContain('At the next start only: management_api.jwt_token_security_handler.token_config.expiry.')
    writeFileSync(file, toml('expirey = 60\n[management_api.cors]\nallowed_origins = 7'))
    const refused = await shell.run('reload')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('deployment.toml:7:1 ')
    expect(refused.stderr).toContain('deployment.toml:9:1 ')
    expect(refused.stderr).not.toContain(users.admin.password)
  })
})

describe('reload --preview', () => {
  const toml = (more: string) =>
    `[[internal_apis.users]]\nuser.name = "admin"\nuser.password = "${users.admin.password}"\nuser.is_admin = true\n` +
    `[management_api]\n${more}\n[management_api.jwt_token_security_handler.token_config]\nalgorithm = "ES256"\n`

  it('prints what a reload would do, and changes nothing until that very file is taken over', async () => {
    const file = join(folderWith({ 'deployment.toml': toml('') }), 'deployment.toml')
    const [shell, front] = [openShell(), await startFront(undefined, { source: file })]
    await signIn(shell, front)
    const same = `${file} is unchanged. A reload would only read anew the files that it names, such as keys.\n`
    expect(await shell.run('reload --preview')).toEqual({ code: 0, stdout: same, stderr: '' })
    writeFileSync(file, `${toml('')}# a comment`)
    const remarked = await shell.run('reload --preview')
    expect(remarked).toMatchObject({ code: 0, stdout: expect.stringMatching(/says what it said before.*--only /s) })
    writeFileSync(file, toml('public_paths = ["/apis"]'))
    const { code, stdout } = await shell.run('reload --preview')
    expect(code).toBe(1)
    expect(stdout).toContain('Changed: management_api.\n')
    expect(stdout).toContain('newly let in: managementApi, GET, HEAD /apis')
    const [, version] = /reload --only (\S+)/.exec(stdout)!
    expect((await front.call('GET', '/apis')).status).toBe(401)
    writeFileSync(file, toml('public_paths = ["/"]'))
    const refused = await shell.run(`reload --only ${version}`)
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('ERR_CONFIG_CHANGED')])
    expect((await front.call('GET', '/apis')).status).toBe(401)
    writeFileSync(file, toml('public_paths = ["/apis"]'))
    expect(await shell.run(`reload --only ${version}`)).toMatchObject({ code: 0 })
    expect((await front.call('GET', '/apis')).status).toBe(200)
  })

  it('is JSON where it is asked for, as is the reload', async () => {
    const file = join(folderWith({ 'deployment.toml': toml('') }), 'deployment.toml')
    const [shell, front] = [openShell(), await startFront(undefined, { source: file })]
    await signIn(shell, front)
    writeFileSync(file, toml('public_paths = ["/apis"]'))
    const preview = await shell.run('reload --preview --json')
    const answer = JSON.parse(preview.stdout)
    expect(preview.code).toBe(1)
    expect(answer).toMatchObject({ file, isChanged: true, changed: ['management_api'], widened: 1 })
    const outcome = await shell.run(`reload --only ${answer.version} --json`)
    expect(JSON.parse(outcome.stdout)).toEqual({ status: 'Reloaded', changed: ['management_api'], atNextStart: [] })
  })

  it('names each mistake, and what was meant', async () => {
    const file = join(folderWith({ 'deployment.toml': toml('') }), 'deployment.toml')
    const [shell, front] = [openShell(), await startFront(undefined, { source: file })]
    await signIn(shell, front)
    writeFileSync(file, toml('public_pathz = ["/apis"]'))
    expect(await shell.run('reload --preview')).toEqual({
      code: 1,
      stdout: `A reload would be refused:\n${file}:6:1 management_api.public_pathz: is not a known key; did you mean management_api.public_paths?\n`,
      stderr: '',
    })
  })

  it('shows nothing of a mistake that a terminal would obey', async () => {
    const problems = [{ key: '\u001b[2J', rule: {}, position: { file: {}, line: '\u001b' } }, 1, null]
    const { port } = await serve((_request, response) => void response.end(JSON.stringify({ problems })))
    const shell = openShell()
    Object.assign(shell.env, { SALLYPORT_TOKEN: 'some-token' })
    const outcome = await shell.run(`reload --preview --server http://127.0.0.1:${port}/m`)
    expect(outcome).toMatchObject({ code: 1, stdout: expect.stringContaining('\\u{1b}[2J'), stderr: '' })
    expect(outcome.stdout).not.toContain('\u001b')
  })

  it('is not both at once', async () => {
    expect((await openShell().run('reload --preview --only a')).code).toBe(2)
  })
})

describe('users and roles of a server', () => {
  it('are managed as those of a store are, by the rules of the server', async () => {
    const [shell, front] = [openShell(), await startManagedFront()]
    await signIn(shell, front, people.root)
    const on = `--server ${urlOf(front)}`
    const run = async (line: string, input = '') => (await shell.run(`${line} ${on}`, { input })).stdout
    expect(await run('users list')).toBe('bob\ncarol\nroot\nsecond\n')
    expect(JSON.parse(await run('users list --json'))).toHaveLength(4)
    expect(JSON.parse(await run('users show bob'))).toEqual({
      user: 'bob',
      isAdmin: false,
      isDisabled: false,
      roles: ['Internal/everyone', 'operators'],
    })
    expect(await run('users add alice', 'A-new-password-9\n')).toBe('Added alice.\n')
    expect(await run('users passwd alice', 'A-new-password-8\n')).toBe('Changed the password of alice.\n')
    const token = await front.login({ name: 'alice', password: 'A-new-password-8' })
    expect(await run('users disable alice')).toBe('Disabled alice.\n')
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(401)
    expect((await shell.run(`users show alice ${on}`, { isTTY: true })).stdout).toContain('can log in     no: disabled')
    expect(await run('users enable alice')).toBe('Enabled alice.\n')
    expect(await run('roles add testers')).toBe('Added testers.\n')
    expect(await run('users grant alice testers')).toBe('Gave testers to alice.\n')
    expect(JSON.parse(await run('users show alice'))).toMatchObject({ roles: ['Internal/everyone', 'testers'] })
    expect(await run('users revoke alice testers')).toBe('Took testers from alice.\n')
    expect(await run('roles list')).toContain('testers\n')
    expect(await run('roles remove testers')).toBe('Removed testers.\n')
    expect(await run('users remove alice')).toBe('Removed alice.\n')
    expect(await shell.run(`users remove root ${on}`)).toMatchObject({
      code: 1,
      stderr: 'You cannot remove your own account. (403 ERR_USER_PROTECTED)\n',
    })
    expect(await shell.run(`users show .. ${on}`)).toMatchObject({ code: 1, stdout: '' })
  })

  it('are those of the file that is written, whatever server the environment names', async () => {
    const shell = openShell()
    shell.env['SALLYPORT_SERVER'] = 'http://127.0.0.1:1/m'
    expect((await shell.run('users list')).stderr).toContain('You are not signed in')
    expect((await shell.run('users list --config /nowhere.toml')).stderr).toContain('/nowhere.toml')
  })
})

describe('a server that is not what it should be', () => {
  const token = { SALLYPORT_TOKEN: secret('a-token-of-the-user') }

  it.each([
    ['a page', '<html>', 200],
    ['nothing', '', 200],
    ['a list', '[]', 200],
    ['a redirect', '{}', 302],
  ])('answers %s: the message says what the URL must be', async (_name, body, status) => {
    const { port, asked } = await serve((_request, response) => {
      response.writeHead(status, { Location: 'http://127.0.0.1:1/stolen' }).end(body)
    })
    const shell = openShell()
    Object.assign(shell.env, token)
    const outcome = await shell.run(`sessions list --server http://127.0.0.1:${port}/m/`)
    expect(outcome.code).toBe(4)
    expect(outcome.stderr).toContain(`${status} without JSON: is this the URL of the management API`)
    expect(asked).toEqual(['GET /m/sessions?sort=&limit=100&offset=0'.replace('sort=&', '')])
  })

  it.each([
    ['{"list":7}', 'without a list'],
    ['{"list":[null]}', 'without a list'],
  ])('answers %s in place of a list', async (body, message) => {
    const { port } = await serve((_request, response) => void response.end(body))
    const shell = openShell()
    Object.assign(shell.env, token)
    const outcome = await shell.run(`sessions list --server http://127.0.0.1:${port}/m`, { isTTY: true })
    expect(outcome.stderr).toContain(message)
  })

  it('writes nothing to the terminal that it would obey', async () => {
    const { port } = await serve((_request, response) => {
      response.writeHead(403).end(JSON.stringify({ Error: 'no\u001b[2J\nsecond\u202e', code: 'X\u0007' }))
    })
    const shell = openShell()
    Object.assign(shell.env, token)
    const { stderr } = await shell.run(`sessions list --server http://127.0.0.1:${port}/m`, { isTTY: true })
    expect(stderr).toBe('no\\u{1b}[2J\nsecond\\u{202e} (403 X\\u{7})\n')
  })

  it.each([
    ['sessions list', { list: [{ user: 'a' }], total: 'z\u001b[2J', count: 'a\u001b[2J' }],
    [
      'reload --preview',
      { changed: ['a\u001b[2J'], diff: '\u001b[2J', version: '\u001b[2J', file: [], widened: 0, isComplete: true },
    ],
    ['reload --preview', { isChanged: false, changed: [], file: '\u001b[2J', widened: 0, isComplete: true }],
    ['reload --json', { changed: ['a\u001b[2J'] }],
    ['reload', { changed: ['a\u001b[2J', { toString: 1 }], atNextStart: '\u001b[2J' }],
  ])('counts and names nothing that a terminal would obey: %s', async (command, body) => {
    const { port } = await serve((_request, response) => void response.end(JSON.stringify(body)))
    const shell = openShell()
    Object.assign(shell.env, token)
    const outcome = await shell.run(`${command} --server http://127.0.0.1:${port}/m`, { isTTY: true })
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    expect(outcome.stdout).not.toContain('\u001b')
  })

  it.each(['http://admin:hunter2@127.0.0.1/m', 'ftp://admin:hunter2@host/m', 'https://127.0.0.1/m?token=hunter2'])(
    'is not named with what %s has in it',
    async (url) => {
      const { stderr } = await openShell().run(`sessions list --server ${url}`)
      expect(stderr).toContain('The server ')
      expect(stderr).not.toContain('hunter2')
    },
  )

  it('asks to wait', async () => {
    const { port } = await serve((_request, response) => {
      response
        .writeHead(503, { 'Retry-After': '5' })
        .end('{"Error":"The store is away.","code":"ERR_STORE_UNAVAILABLE"}')
    })
    const shell = openShell()
    Object.assign(shell.env, token)
    const { stderr } = await shell.run(`locks list --server http://127.0.0.1:${port}/m`)
    expect(stderr).toBe('The store is away. (503 ERR_STORE_UNAVAILABLE) Try again in 5 seconds.\n')
  })

  it('is not there', async () => {
    const shell = openShell()
    Object.assign(shell.env, token)
    const outcome = await shell.run('reload --server http://127.0.0.1:1/m')
    expect(outcome).toMatchObject({ code: 4 })
    expect(outcome.stderr).toContain('http://127.0.0.1:1/m cannot be reached: ')
  })

  it('gets no password and no token before its certificate is trusted', async () => {
    const { key, certificate } = keyPair()
    const other = keyPair()
    const asked: string[] = []
    const server = createTlsServer({ key: pemOfKey(key), cert: certificate.toString() }, (request, response) => {
      asked.push(`${request.method} ${request.url}`)
      response.end('{"AccessToken":"a-token-of-a-server"}')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const folder = folderWith({
      'ca.pem': certificate.toString(),
      'other.pem': other.certificate.toString(),
      'none.pem': pemOfKey(other.key),
    })
    const shell = openShell()
    const login = (more = '', host = 'localhost') =>
      shell.run(`login --server https://${host}:${port}/m --user admin${more}`, { input: 'Made-up-password\n' })
    for (const more of ['', ` --ca-file ${folder}/other.pem`]) {
      const outcome = await login(more)
      expect(outcome).toMatchObject({ code: 4, stdout: '' })
      expect(outcome.stderr).toMatch(/is not trusted \(.*\)\. If its authority is your own, name it: --ca-file FILE/)
    }
    expect((await login(` --ca-file ${folder}/none.pem`)).code).toBe(2)
    expect((await login(` --ca-file ${folder}/missing.pem`)).stderr).toContain('ENOENT')
    expect((await login(` --ca-file ${folder}/ca.pem`, '127.0.0.2')).code).toBe(4)
    expect(asked).toEqual([])
    expect((await login(` --ca-file ${folder}/ca.pem`)).code).toBe(0)
    // It is remembered with the server.
    expect((await shell.run('sessions end x')).code).toBe(0)
    expect(asked).toEqual(['POST /m/login', 'DELETE /m/sessions/x'])
  })
})

describe('what a command warns of', () => {
  const lines = (isTTY: boolean, from?: 'info'): string[] => {
    const written: string[] = []
    const stderr = { isTTY, write: (text: string) => written.push(text) } as unknown as NodeJS.WritableStream
    const logger = commandLogger({ stderr } as never, from)
    logger.info({ event: 'login', subject: 'a\u001b', cause: new Error('x') }, 'logged in')
    logger.warn({ key: 'x' }, 'x: is risky')
    return written
  }

  it('is text on a terminal, and JSON elsewhere', () => {
    expect(lines(true)).toEqual(['warn: x: is risky\n'])
    expect(lines(true, 'info')).toEqual([
      expect.stringMatching(/^info: logged in subject="a\\u001b"/),
      'warn: x: is risky\n',
    ])
    expect(lines(false).map((line) => JSON.parse(line).message)).toEqual(['logged in', 'x: is risky'])
  })
})

it('a server with Basic authentication has no login to sign in by', async () => {
  const source = document({ managementApi: { basic_security_handler: { enable: true } } })
  const [shell, front] = [openShell(), await startFront(undefined, { source })]
  const outcome = await shell.run(`login --server ${urlOf(front)} --user admin`, { input: `${users.admin.password}\n` })
  expect(outcome).toMatchObject({ code: 1, stderr: 'Not found. (404 ERR_NOT_FOUND)\n' })
})
