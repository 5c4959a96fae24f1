import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { SessionPage } from '../../lib/admin-api/sessions.js'
import { createSecurity } from '../../lib/app/create-security.js'
import { ConfigError } from '../../lib/core/errors.js'
import { document, users } from '../helpers/front.js'
import { requestBytes, sendRaw } from '../helpers/raw-http.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { enabled, navigation, origin, ownForm, ownScript, startConsole } from './console-front.js'

const logo = fileURLToPath(new URL('../portals/logo.svg', import.meta.url))
const form = 'Content-Type: application/x-www-form-urlencoded'

function consoleDocument(root: Record<string, unknown>): object {
  return document({ root: { ...enabled, ...root } })
}

describe('security.console()', () => {
  it('throws where the file does not enable it', async () => {
    await using security = await createSecurity(document(), { logger: recordedLog().logger })
    expect(() => security.console()).toThrow(ConfigError)
    expect(() => security.console()).toThrow(/^operator_console\.enable: must be true for security\.console\(\)/)
    expect(() => (security.console as (options: object) => unknown)({ title: 'x' })).toThrow(/has no option "title"/)
  })

  it('has to be mounted where the file enables it, and then enforces what the portal does', async () => {
    const source = consoleDocument({
      admin_console: { control_access: { enable: true, allow: ['127.0.0.1'] } },
      web_app: { control_access: { enable: true, allow: ['127.0.0.1'] } },
    })
    await using security = await createSecurity(source, { logger: recordedLog().logger })
    expect(() => security.createServer(express())).toThrow(
      /operator_console\.enable: is switched on, but nothing enforces it: mount security\.console\(\)/,
    )
    const app = express().use('/ops', security.console())
    security.createServer(app, { protocol: 'http' })
  })

  it('leads whoever is not signed in to the login page, and scripts to a 401', async () => {
    const front = await startConsole()
    const opened = await front.call('GET', '/ops/', navigation)
    expect([opened.status, opened.header('location')]).toEqual([303, '/ops/login'])
    const page = await front.call('GET', '/ops/login', navigation)
    expect([page.status, page.body.includes('<form method="post" action="/ops/login">')]).toEqual([200, true])
    const asked = await front.call('GET', '/ops/api/sessions', ownScript)
    expect([asked.status, asked.json()['code']]).toEqual([401, 'ERR_AUTH_REQUIRED'])
    expect(asked.header('www-authenticate')).not.toContain('Basic')
  })

  it('has the cookie and the session of the portal', async () => {
    const front = await startConsole()
    const cookie = await front.cookieOf('/carbon')
    const sessions = (await front.ask('GET', '/ops/api/sessions', cookie)).json<SessionPage>()
    expect((await front.ask('GET', '/ops/api/', cookie)).json()).toMatchObject({
      user: 'admin',
      session: sessions.list[0]!.id,
      title: 'Management console',
      file: null,
      features: { users: 'read-only', serviceProviders: false, reload: false },
    })
    expect((await front.ask('GET', '/ops/session', cookie)).json()).toMatchObject({ subject: 'admin', isAdmin: true })
    expect((await front.ask('POST', '/ops/logout', cookie)).status).toBe(204)
    expect((await front.call('GET', '/carbon/', [cookie])).status).toBe(401)
  })

  it('is not there for who is signed in and no administrator, whatever roles the portal lets in', async () => {
    const front = await startConsole({
      source: consoleDocument({
        portal: { management_console: { roles: ['viewer'], support: 'administrator@front.test', logo } },
      }),
    })
    const cookie = await front.cookieOf('/carbon', users.reader)
    expect((await front.call('GET', '/carbon/', [cookie])).status).toBe(200)
    const missing = await front.ask('GET', '/ops/nowhere', await front.cookieOf())
    for (const path of ['/ops', '/ops/', '/ops/api/', '/ops/api/sessions', '/ops/session', '/ops/nowhere']) {
      const answer = await front.ask('GET', path, cookie)
      expect([path, answer.status, answer.body]).toEqual([path, 404, missing.body])
      const page = await front.call('GET', path, [cookie, ...navigation])
      expect([page.status, /administrator|Management|role/i.test(page.body)]).toEqual([404, false])
    }
    expect(front.entries.at(-1)!.fields).toMatchObject({ subject: 'reader', rule: 'operator_console.enable' })
  })

  it('signs nobody in but administrators, and tells others nothing about the page', async () => {
    const front = await startConsole()
    const body = new URLSearchParams({ username: users.reader.name, password: users.reader.password }).toString()
    const page = await front.call('POST', '/ops/login', [form, ...ownForm], body)
    expect([page.status, page.header('set-cookie')]).toEqual([403, undefined])
    expect(page.body).toContain('This account may not enter here.')
    const script = await front.call('POST', '/ops/login', [form, ...ownScript, `Origin: ${origin}`], body)
    expect([script.status, script.json()]).toEqual([404, { Error: 'Not found.', code: 'ERR_NOT_FOUND' }])
  })

  it('is not there for other addresses, nor is its login page', async () => {
    const source = consoleDocument({
      admin_console: { control_access: { enable: true, allow: ['192.0.2.0/24'] } },
      portal: { management_console: { title: 'ACME operations', support: 'ops@acme.example' } },
    })
    const front = await startConsole({ source })
    for (const path of ['/ops', '/ops/', '/ops/login', '/ops/session', '/ops/api/sessions', '/ops/nowhere']) {
      const answer = await front.call('GET', path, ownScript)
      expect([path, answer.status, answer.json()]).toEqual([path, 404, { Error: 'Not found.', code: 'ERR_NOT_FOUND' }])
    }
    expect((await front.call('GET', '/ops/', navigation)).body).not.toMatch(/address|acme|<img/i)
    expect(front.entries.at(-1)!.fields).toMatchObject({ rule: 'admin_console.control_access.allow' })
  })

  it('asks for the second factor that the portal asks for', async () => {
    const source = consoleDocument({
      portal: { management_console: { second_factor: 'administrators' } },
      second_factor: { key: 'x'.repeat(44) },
    })
    const front = await startConsole({ source })
    const body = new URLSearchParams({ username: users.admin.name, password: users.admin.password }).toString()
    const answer = await front.call('POST', '/ops/login', [form, ...ownForm], body)
    expect([answer.status, answer.header('set-cookie')?.includes('management_console=')]).toEqual([401, undefined])
    expect(answer.body).toContain('second factor')
  })

  it('answers everything below its mount', async () => {
    const front = await startConsole()
    const cookie = await front.cookieOf()
    for (const path of [
      '/ops/x',
      '/ops/x.js',
      '/ops/api',
      '/ops/api/x',
      '/ops/api/users/x/y',
      '/ops/..%2fx',
      '/ops/%2e%2e/x',
    ]) {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PURGE', 'PROPFIND']) {
        await front.ask(method, path, cookie, method === 'GET' ? undefined : {})
      }
    }
    expect(front.behind).toEqual([])
  })

  it('is gone after a reload that switches it off, and back after another', async () => {
    const front = await startConsole()
    const cookie = await front.cookieOf()
    await front.security.reload(document({ root: { operator_console: { enable: false } } }))
    expect((await front.ask('GET', '/ops/api/', cookie)).status).toBe(404)
    expect((await front.call('GET', '/ops/login', navigation)).status).toBe(404)
    await front.security.reload(document({ root: enabled }))
    expect((await front.ask('GET', '/ops/api/', cookie)).status).toBe(200)
  })

  it('works on a second port, in an app that has nothing else', async () => {
    await using security = await createSecurity(document({ root: enabled }), { logger: recordedLog().logger })
    const api = express().use('/management', security.managementApi())
    const page = express().use(security.console())
    const ports = await Promise.all(
      [api, page].map(async (app) => {
        const server = security.createServer(app, { protocol: 'http' }).listen(0, '127.0.0.1')
        onTestFinished(() => void server.close())
        await once(server, 'listening')
        return (server.address() as AddressInfo).port
      }),
    )
    const [, port] = ports
    const opened = await sendRaw(port!, requestBytes('GET', '/', navigation))
    expect([opened.status, opened.header('location')]).toEqual([303, '/login'])
    const body = new URLSearchParams({ username: users.admin.name, password: users.admin.password }).toString()
    const login = await sendRaw(port!, requestBytes('POST', '/login', [form, ...ownForm], body))
    expect([login.status, login.header('location')]).toEqual([303, '/'])
    const cookie = `Cookie: ${login.header('set-cookie')!.split(';')[0]}`
    expect((await sendRaw(port!, requestBytes('GET', '/api/', [cookie, ...ownScript]))).json()).toMatchObject({
      user: 'admin',
    })
  })
})
