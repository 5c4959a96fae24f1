import type { Express } from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity, type Security } from '../../../lib/app/create-security.js'
import { expressVersions } from '../../helpers/express-versions.js'
import { document } from '../../helpers/front.js'
import { type RawAnswer, requestBytes, sendRaw } from '../../helpers/raw-http.js'
import { listen } from '../../helpers/raw-socket.js'
import { type RecordedLog, recordedLog } from '../../helpers/recorded-log.js'

type Root = Readonly<Record<string, unknown>>

const adminConsole = (...allow: string[]): Root => ({ admin_console: { control_access: { enable: true, allow } } })
const webApp = (...allow: string[]): Root => ({ web_app: { control_access: { enable: true, allow } } })

interface PortalsFront extends RecordedLog {
  readonly security: Security
  /** Sends a request that a proxy has taken from this address. */
  call(from: string, path: string, method?: string, headers?: readonly string[]): Promise<RawAnswer>
}

/** Starts an app with two portals, `/carbon` and `/publisher`. It ends with the test. */
async function startPortals(
  root: Root,
  express = expressVersions[0]![1],
  prepare: (app: Express, security: Security) => void = () => undefined,
): Promise<PortalsFront> {
  const log = recordedLog()
  const security = await createSecurity(document({ root }), { logger: log.logger })
  const app = express()
  app.set('trust proxy', 'loopback')
  prepare(app, security)
  app.use('/carbon', security.portal('management_console'))
  app.use('/publisher', security.portal('publisher'))
  const server = await listen(app)
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]()
    await security.close()
  })
  return {
    ...log,
    security,
    call: (from, path, method = 'GET', headers = []) =>
      sendRaw(server.port, requestBytes(method, path, [`X-Forwarded-For: ${from}`, ...headers])),
  }
}

/** Whether a request got past the address rules: without a session, it then is asked to sign in. */
async function isLetIn(front: PortalsFront, from: string, path: string): Promise<boolean> {
  const { status } = await front.call(from, path)
  expect([401, 403]).toContain(status)
  return status === 401
}

describe.each(expressVersions)('the address rules of portals on %s', (_version, express) => {
  it('[admin_console.control_access] is for the management console alone', async () => {
    const front = await startPortals(adminConsole('10\\..*', '192.0.2.0/24'), express)
    expect(await isLetIn(front, '10.0.0.1', '/carbon/x')).toBe(true)
    expect(await isLetIn(front, '192.0.2.7', '/carbon/x')).toBe(true)
    expect(await isLetIn(front, '11.0.0.1', '/carbon/x')).toBe(false)
    expect(await isLetIn(front, '11.0.0.1', '/publisher/x')).toBe(true)
  })

  it('[web_app.control_access] is for all portals, and has to be passed besides the others', async () => {
    const front = await startPortals({ ...webApp('10\\..*'), ...adminConsole('10\\.0\\..*', '11\\..*') }, express)
    for (const [from, carbon, publisher] of [
      ['10.0.0.1', true, true],
      ['10.1.0.1', false, true],
      ['11.0.0.1', false, false],
    ] as const) {
      expect(await isLetIn(front, from, '/carbon/x')).toBe(carbon)
      expect(await isLetIn(front, from, '/publisher/x')).toBe(publisher)
    }
  })

  it('[portal.<name>] allow is for that portal', async () => {
    const front = await startPortals({ portal: { publisher: { allow: ['10.0.0.0/8'] } } }, express)
    expect(await isLetIn(front, '10.0.0.1', '/publisher/x')).toBe(true)
    expect(await isLetIn(front, '11.0.0.1', '/publisher/x')).toBe(false)
    expect(await isLetIn(front, '11.0.0.1', '/carbon/x')).toBe(true)
  })

  it('[[servlet_access_control_filter]] is for its path, counted from the root', async () => {
    const filter = { filter_name: 'f', url_pattern: '/carbon/admin/login.jsp', allow_ip_regex: '127.0.0.1' }
    const front = await startPortals({ servlet_access_control_filter: [filter] }, express)
    expect(await isLetIn(front, '127.0.0.1', '/carbon/admin/login.jsp')).toBe(true)
    expect(await isLetIn(front, '10.0.0.1', '/carbon/admin/login.jsp')).toBe(false)
    expect(await isLetIn(front, '10.0.0.1', '/carbon//admin/%6cogin.JSP;x')).toBe(false)
    expect(await isLetIn(front, '10.0.0.1', '/publisher/admin/login.jsp')).toBe(true)
  })

  // Covers: F05
  it.each([
    ['GET', '/carbon/login'],
    ['POST', '/carbon/login'],
    ['POST', '/carbon/logout'],
    ['GET', '/carbon/session'],
    ['OPTIONS', '/carbon/x'],
    ['TRACE', '/carbon/x'],
  ])('come before everything else: %s %s', async (method, path) => {
    const front = await startPortals(adminConsole('10.0.0.1'), express)
    const preflight = ['Origin: https://portal.example', 'Access-Control-Request-Method: GET', 'Sec-Fetch-Mode: cors']
    const answer = await front.call('11.0.0.1', path, method, preflight)
    expect([answer.status, answer.body]).toEqual([403, ''])
    expect(answer.headerLines.filter((line) => /^(?:access-control|www-authenticate|set-cookie)/i.test(line))).toEqual(
      [],
    )
  })

  it('answer with a page where a page was asked for, and it tells nothing of the rule', async () => {
    const front = await startPortals(adminConsole('10.0.0.1'), express)
    const navigation = ['Accept: text/html', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document']
    const answer = await front.call('11.0.0.1', '/carbon/x', 'GET', navigation)
    expect(answer.status).toBe(403)
    expect(answer.header('content-type')).toMatch(/^text\/html/)
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.body).toContain('ERR_IP_NOT_ALLOWED')
    expect(answer.body).not.toContain('10.0.0.1')
  })

  it('change with the configuration', async () => {
    const front = await startPortals(adminConsole('10.0.0.1'), express)
    expect(await isLetIn(front, '11.0.0.1', '/carbon/x')).toBe(false)
    await front.security.reload(document({ root: adminConsole('11.0.0.1') }))
    expect(await isLetIn(front, '11.0.0.1', '/carbon/x')).toBe(true)
    expect(await isLetIn(front, '10.0.0.1', '/carbon/x')).toBe(false)
  })

  it('may be judged by webApps() before, and a refusal is told once', async () => {
    const front = await startPortals(webApp('10.0.0.1'), express, (app, security) => void app.use(security.webApps()))
    expect(await isLetIn(front, '10.0.0.1', '/publisher/x')).toBe(true)
    const begun = front.entries.length
    expect(await isLetIn(front, '11.0.0.1', '/publisher/x')).toBe(false)
    expect(front.entries.slice(begun).filter(({ fields }) => fields['event'] === 'refusal')).toHaveLength(1)
  })
})

const express = expressVersions[0]![1]

describe('createServer', () => {
  const opened = async (root: Root): Promise<Security> => {
    const security = await createSecurity(document({ root }), { logger: recordedLog().logger })
    onTestFinished(() => security.close())
    return security
  }

  it('takes any portal for [web_app.control_access], and only the console for [admin_console.control_access]', async () => {
    const security = await opened({ ...webApp('::1'), ...adminConsole('::1') })
    security.portal('publisher')
    expect(() => security.createServer(express())).toThrow(
      /^admin_console\.control_access\.enable: is switched on, but nothing enforces it: mount security\.portal\('management_console'\)$/,
    )
    security.portal('management_console')
    expect(() => security.createServer(express())).not.toThrow()
  })

  // Covers: F03
  it.each([
    ['[admin_console.control_access]', adminConsole('::1')],
    ['[portal.publisher] allow', { portal: { publisher: { allow: ['::1'] } } }],
  ])('refuses an app whose trust proxy is true with %s', async (_name, root) => {
    const security = await opened(root)
    security.portal('management_console')
    security.portal('publisher')
    const app = express()
    app.set('trust proxy', true)
    expect(() => security.createServer(app)).toThrow('"trust proxy" is true')
    app.set('trust proxy', 'loopback')
    expect(() => security.createServer(app)).not.toThrow()
  })
})

describe('an app that listens without createServer', () => {
  const warningsIn = ({ entries }: PortalsFront): readonly string[] =>
    entries.filter(({ message }) => message.includes('nothing enforces it')).map(({ message }) => message)

  it('is warned at the first request of what nothing enforces, and again after a reload', async () => {
    const root = { oauth: {}, ...adminConsole('10.0.0.1') }
    const log = recordedLog()
    const security = await createSecurity(document({ root }), { logger: log.logger })
    onTestFinished(() => security.close())
    const app = express()
    app.use(security.portal('publisher'))
    await using server = await listen(app)
    const front = { ...log, security, call: () => sendRaw(server.port, requestBytes('GET', '/')) }
    expect(warningsIn(front)).toEqual([])
    for (let count = 0; count < 3; count++) await front.call()
    expect(warningsIn(front)).toEqual([
      "admin_console.control_access.enable: is switched on, but nothing enforces it: mount security.portal('management_console')",
    ])
    await security.reload(document({ managementApi: { control_access: { enable: true, allow: ['::1'] } } }))
    for (let count = 0; count < 3; count++) await front.call()
    expect(warningsIn(front).slice(1)).toEqual([
      'management_api.control_access.enable: is switched on, but nothing enforces it: mount security.managementApi()',
    ])
  })

  it('is not warned when all is mounted', async () => {
    const front = await startPortals({ ...webApp('10.0.0.1'), ...adminConsole('10.0.0.1') })
    await front.call('10.0.0.1', '/carbon/x')
    expect(warningsIn(front)).toEqual([])
  })
})
