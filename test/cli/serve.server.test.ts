import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity } from '../../lib/app/create-security.js'
import { serveCommand } from '../../lib/cli/serve.js'
import { freePort } from '../helpers/free-port.js'
import { basic, users } from '../helpers/front.js'
import { folderWith, keyPair, pemOfKey } from '../helpers/key-files.js'
import { requestBytes, sendRaw } from '../helpers/raw-http.js'
import { startRedis } from '../helpers/redis.js'
import { openShell, type Shell } from './run-command.js'

const main = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url))

const toml = (more = ''): string => `
[[internal_apis.users]]
user.name = "${users.admin.name}"
user.password = "${users.admin.password}"
user.is_admin = true
[management_api.jwt_token_security_handler.token_config]
algorithm = "ES256"
${more}
[portal.desk]
`

interface Program {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
}

/** Runs the command in a process of its own, which is ended with the test. */
function start(...args: readonly string[]): Program {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(async () => {
    const ended = once(child, 'exit')
    if (child.exitCode === null && child.kill('SIGKILL')) await ended
  })
  const [out, err] = [[] as string[], [] as string[]]
  child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => err.push(text))
  return { child, stdout: () => out.join(''), stderr: () => err.join('') }
}

/** The line of a shell that the text shows, without `npx sallyport`. */
const shown = (text: string, command: string): string => new RegExp(`npx sallyport (${command}.*)`).exec(text)![1]!

describe('sallyport serve', () => {
  it('serves any file, prints commands that work, reloads on SIGHUP, and ends on SIGTERM', async () => {
    const folder = folderWith({ 'deployment.toml': toml() })
    const file = join(folder, 'deployment.toml')
    const ports = [await freePort(), await freePort()] as const
    const server = start('serve', file, '--https-port', String(ports[0]), '--port', String(ports[1]))
    await expect.poll(server.stdout).toContain('Ctrl-C ends it.')
    expect(server.stdout()).toContain(`A portal is at https://127.0.0.1:${ports[0]}/desk`)
    expect(server.stdout()).not.toContain(users.admin.password)

    const shell = openShell()
    const password = { input: `${users.admin.password}\n` }
    expect(
      await shell.run(
        shown(server.stdout(), 'login').replace(/--ca-file \S+/, `--ca-file ${folder}/sallyport-tryout.pem`),
        password,
      ),
    ).toMatchObject({ code: 0 })
    expect(JSON.parse((await shell.run('sessions list')).stdout)).toMatchObject({ total: 1 })
    const ask = async (path: string) =>
      (await sendRaw(ports[1], requestBytes('GET', path, ['Accept: application/json']))).status
    expect([await ask('/management/whoami'), await ask('/desk/whoami')]).toEqual([401, 401])

    writeFileSync(file, toml('expiry = 7 # seconds\n[broken'))
    server.child.kill('SIGHUP')
    await expect.poll(server.stderr).toMatch(/Not reloaded\. .*deployment\.toml:9:/)
    expect((await shell.run('reload')).stderr).toContain('deployment.toml:9:')
    writeFileSync(file, toml('[management_api.cors]\nallowed_origins = "https://a.example"'))
    server.child.kill('SIGHUP')
    await expect.poll(server.stderr).toContain('"by":"SIGHUP"')

    expect(
      server
        .stderr()
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('Not')).length,
    ).toBe(1)
    server.child.kill('SIGTERM')
    expect(await once(server.child, 'exit')).toEqual([0, null])
  })

  it.each([
    ['there is no file', [], /deployment\.toml.*there is no such file/, 1],
    ['a port is none', ['--port', '70000'], /--port must be the number of a port/, 2],
  ])('says when %s', async (_name, args, message, code) => {
    const server = start('serve', '/nowhere/deployment.toml', ...args)
    await expect.poll(server.stderr).toMatch(message)
    expect(server.child.exitCode ?? (await once(server.child, 'exit'))[0]).toBe(code)
  })

  it('says when a port is taken, and ends', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const { port } = other.address() as AddressInfo
    const file = join(
      folderWith({ 'deployment.toml': `[management_api]\nprotocols = ["http"]\n${toml()}` }),
      'deployment.toml',
    )
    const server = start('serve', file, '--port', String(port))
    await expect.poll(server.stderr).toMatch(/Cannot listen: .*EADDRINUSE.*Name other ports/)
    expect(server.child.exitCode ?? (await once(server.child, 'exit'))[0]).toBe(1)
  })

  it('names the package that is missing', async () => {
    const errors: string[] = []
    const stderr = { write: (text: string) => errors.push(text) } as unknown as NodeJS.WritableStream
    const command = { stdin: process.stdin, stdout: { write() {} }, stderr, exitCode: undefined }
    const error = Object.assign(new Error("Cannot find package 'express'"), { code: 'ERR_MODULE_NOT_FOUND' })
    await serveCommand(command, () => Promise.reject(error)).parseAsync(['x.toml'], { from: 'user' })
    expect(errors.join('')).toBe('"sallyport serve" needs Express beside the package; run: npm install express\n')
    expect(command.exitCode).toBe(1)
  })
})

describe('--config, where servers share a store', () => {
  it('lists and ends their sessions, and lists and lifts their locks', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const shared = `${toml('key_file = "token-key.pem"')}
[shared_store]
type = "redis"
url = "${redis.url}"
`
    const folder = folderWith({ 'deployment.toml': shared, 'token-key.pem': pemOfKey(keyPair().key) })
    const file = join(folder, 'deployment.toml')
    const security = await createSecurity(file, { logger: { info() {}, warn() {}, error() {} } })
    onTestFinished(() => security.close())
    const { default: express } = await import('express')
    const app = express().use('/management', security.managementApi())
    const server = security.createServer(app, { protocol: 'http' }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const login = (password: string) =>
      sendRaw(port, requestBytes('GET', '/management/login', [basic(users.admin.name, password)]))
    expect((await login(users.admin.password)).status).toBe(200)

    const shell: Shell = openShell()
    const run = async (line: string) => {
      const outcome = await shell.run(`${line} --config ${file}`)
      expect(outcome.code, outcome.stderr).toBe(0)
      return outcome
    }
    const [session] = JSON.parse((await run('sessions list')).stdout).list
    expect(session).toMatchObject({ user: 'admin', kind: 'management' })
    const ended = await run(`sessions end ${session.id}`)
    expect(ended.stderr).toContain('"reason":"session ended"')
    expect(JSON.parse((await run('sessions list')).stdout).total).toBe(0)
    await login(users.admin.password)
    expect((await run('sessions end --user admin')).stdout).toBe('Ended 1 session of admin.\n')

    for (let index = 0; index < 5; index++) await login('Wrong-password-1')
    expect((await login(users.admin.password)).status).toBe(429)
    expect(JSON.parse((await run('locks list')).stdout)).toMatchObject([{ user: 'admin', scope: 'pair' }])
    await run('locks lift admin')
    expect((await login(users.admin.password)).status).toBe(200)
    expect(existsSync(file) && readFileSync(file, 'utf8')).toBe(shared)
  })
})
