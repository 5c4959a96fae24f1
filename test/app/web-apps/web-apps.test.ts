import type { Express, RequestHandler } from 'express'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity, type Security } from '../../../lib/app/create-security.js'
import { expressVersions } from '../../helpers/express-versions.js'
import { document } from '../../helpers/front.js'
import { type RawAnswer, requestBytes, sendRaw } from '../../helpers/raw-http.js'
import { listen } from '../../helpers/raw-socket.js'
import { type RecordedLog, recordedLog } from '../../helpers/recorded-log.js'

/** The `[web_app.control_access]` that lets nobody but these pass. */
function webApp(...allow: string[]): Record<string, unknown> {
  return { web_app: { control_access: { enable: 'true', allow } } }
}

/** A `[[servlet_access_control_filter]]`. */
function servletFilter(keys: object): Record<string, unknown> {
  return {
    servlet_access_control_filter: [
      { filter_name: 'Remote Address Filter', url_pattern: '/carbon/admin/login.jsp', ...keys },
    ],
  }
}

interface WebAppsFront extends RecordedLog {
  readonly security: Security
  readonly port: number
  /** `METHOD /path` of every request that reached the app. */
  readonly handled: readonly string[]
  /** Sends a request that a proxy has taken from this address. */
  call(from: string, path?: string, method?: string, headers?: readonly string[]): Promise<RawAnswer>
}

interface FrontOptions {
  readonly express?: (typeof expressVersions)[number][1]
  readonly prepare?: (app: Express) => void
  /** Where `webApps()` is mounted. */
  readonly mount?: string
}

/** Starts an app that stands behind `webApps()` as a whole. It ends with the test. */
async function startWebApps(source: Record<string, unknown>, options: FrontOptions = {}): Promise<WebAppsFront> {
  const { express = expressVersions[0]![1], prepare, mount = '/' } = options
  const log = recordedLog()
  const security = await createSecurity(document({ root: source }), { logger: log.logger })
  const handled: string[] = []
  const app = express()
  app.set('trust proxy', 'loopback')
  prepare?.(app)
  app.use(mount, security.webApps())
  app.use(((request, response) => {
    handled.push(`${request.method} ${request.url}`)
    response.json({ auth: (request as { auth?: unknown }).auth ?? null })
  }) as RequestHandler)
  const server = await listen(app)
  onTestFinished(async () => {
    await server[Symbol.asyncDispose]()
    await security.close()
  })
  const { port } = server
  return {
    ...log,
    security,
    port,
    handled,
    call: (from, path = '/shop', method = 'GET', headers = []) =>
      sendRaw(port, requestBytes(method, path, [`X-Forwarded-For: ${from}`, ...headers])),
  }
}

describe.each(expressVersions)('webApps() on %s', (_version, express) => {
  it('lets listed addresses pass and no others, by address, network and expression', async () => {
    const front = await startWebApps(webApp('192.0.2.7', '10.0.0.0/8', '172\\.(1[6-9]|2\\d|3[01])\\..*'), { express })
    const statusOf = async (from: string): Promise<number> => (await front.call(from)).status
    for (const from of ['192.0.2.7', '10.1.2.3', '::ffff:10.1.2.3', '172.20.0.1'])
      expect(await statusOf(from)).toBe(200)
    for (const from of ['192.0.2.8', '11.1.2.3', '172.32.0.1', '::1', 'unknown', '10.1.2']) {
      expect(await statusOf(from)).toBe(403)
    }
    expect(front.handled).toHaveLength(4)
  })

  // Covers: F05
  it.each(['GET', 'HEAD', 'POST', 'OPTIONS', 'TRACE', 'PURGE'])('refuses %s with a bare 403', async (method) => {
    const front = await startWebApps(webApp('10.0.0.0/8'), { express })
    const preflight = ['Origin: https://portal.example', 'Access-Control-Request-Method: GET']
    const answer = await front.call('11.1.2.3', '/shop', method, [...preflight, 'Accept: text/html'])
    expect(answer.status).toBe(403)
    expect(answer.body).toBe('')
    expect(answer.header('cache-control')).toBe('no-store')
    expect(
      answer.headerLines.filter((line) => /^(?:access-control|vary|www-authenticate|set-cookie)/i.test(line)),
    ).toEqual([])
    expect(front.handled).toEqual([])
  })

  it('tells programs that ask for it what happened, and the log who it was', async () => {
    const front = await startWebApps(webApp('10.0.0.0/8'), { express })
    const answer = await front.call('11.1.2.3', '/shop?key=hunter2', 'GET', ['Accept: application/problem+json'])
    expect(answer.json()).toMatchObject({ status: 403, code: 'ERR_IP_NOT_ALLOWED' })
    const [refusal] = front.entries.filter(({ fields }) => fields['event'] === 'refusal')
    expect(refusal?.fields).toMatchObject({ address: '11.1.2.3', path: '/shop', code: 'ERR_IP_NOT_ALLOWED' })
    expect(front.lines.join('')).not.toContain('hunter2')
  })

  it('leaves request.auth alone', async () => {
    const prepare = (app: Express): void => {
      app.use((request, _response, next) => {
        Object.assign(request, { auth: 'of another package' })
        next()
      })
    }
    const front = await startWebApps(webApp('10.0.0.0/8'), { express, prepare })
    expect((await front.call('10.0.0.1')).json()).toEqual({ auth: 'of another package' })
  })

  it('lets everybody pass where no rule is in effect', async () => {
    const front = await startWebApps(
      { web_app: { control_access: { enable: false, allow: ['10.0.0.1'] } } },
      { express },
    )
    expect((await front.call('unknown')).status).toBe(200)
  })

  it('refuses everybody with an empty list', async () => {
    const front = await startWebApps(webApp(), { express })
    for (const from of ['127.0.0.1', '10.0.0.1', '::1']) expect((await front.call(from)).status).toBe(403)
    expect(
      front.entries.some(({ message }) => message.includes('web_app.control_access.allow: refuses everybody')),
    ).toBe(true)
  })

  it('takes over the rules of another configuration', async () => {
    const front = await startWebApps(webApp('10.0.0.0/8'), { express })
    expect((await front.call('11.0.0.1')).status).toBe(403)
    await front.security.reload(document({ root: servletFilter({ deny_ip_regex: '10\\..*' }) }))
    expect((await front.call('11.0.0.1')).status).toBe(200)
    expect((await front.call('10.0.0.1', '/carbon/admin/login.jsp')).status).toBe(403)
    await expect(front.security.reload(document({ root: webApp('10.*') }))).rejects.toMatchObject({
      name: 'ConfigError',
    })
    expect((await front.call('11.0.0.1')).status).toBe(200)
    await front.security.reload(document())
    expect((await front.call('10.0.0.1', '/carbon/admin/login.jsp')).status).toBe(200)
  })
})

const guarded = '/carbon/admin/login.jsp'

describe.each(expressVersions)('[[servlet_access_control_filter]] on %s', (_version, express) => {
  const allowing = servletFilter({ allow_ip_regex: '127\\.0\\.0\\.1|10\\..*' })

  it('guards its paths and no others', async () => {
    const front = await startWebApps(allowing, { express })
    expect((await front.call('10.1.2.3', guarded)).status).toBe(200)
    expect((await front.call('11.1.2.3', guarded)).status).toBe(403)
    for (const path of ['/', '/carbon/admin', '/carbon/admin/login.jspx', '/carbon/admin/other.jsp']) {
      expect((await front.call('11.1.2.3', path)).status).toBe(200)
    }
  })

  it.each([
    '/carbon/admin/login.jsp/',
    '/carbon/admin/login.jsp?x=/y',
    '/carbon/admin/login.jsp#x',
    '/CARBON/admin/Login.JSP',
    '/carbon//admin///login.jsp',
    '/carbon/./admin/login.jsp',
    '/carbon/x/../admin/login.jsp',
    '/../carbon/admin/login.jsp',
    '/carbon/admin/login.jsp;jsessionid=1',
    '/carbon;v=1/admin/login.jsp',
    '/carbon/admin/%6cogin.jsp',
    '/carbon/admin%2flogin.jsp',
    '/carbon%2Fadmin%2Flogin%2Ejsp',
    '/carbon/%2e%2e/carbon/admin/login.jsp',
    '/carbon\\admin\\login.jsp',
    '/carbon/admin%5clogin.jsp',
    '/carbon/admin/login.jsp%3fx',
    '/carbon/admin/login.jsp%3bx',
    'http://front.test/carbon/admin/login.jsp',
    'http://other.test:99/carbon/admin/login.jsp?x',
  ])('guards %s', async (path) => {
    const front = await startWebApps(allowing, { express })
    const answer = await front.call('11.1.2.3', path)
    expect(answer.status).toBe(403)
    expect(answer.body).toBe('')
    expect((await front.call('10.1.2.3', path)).status).toBe(200)
  })

  it.each(['/carbon/admin/%zz', `/${'%41'.repeat(1000)}`])(
    'answers 400 to a stranger whose path nobody can read, and nothing to others: %s',
    async (path) => {
      const front = await startWebApps(allowing, { express })
      const answer = await front.call('11.1.2.3', path)
      expect(answer.status).toBe(400)
      expect(answer.json()).toMatchObject({ code: 'ERR_PATH_AMBIGUOUS' })
      expect((await front.call('10.1.2.3', path)).status).toBe(200)
    },
  )

  it('counts paths from the root of the server, wherever it is mounted', async () => {
    const front = await startWebApps(allowing, { express, mount: '/carbon' })
    expect((await front.call('11.1.2.3', guarded)).status).toBe(403)
    expect((await front.call('11.1.2.3', `/carbon${guarded}`)).status).toBe(200)
  })

  it('guards what a middleware before it rewrites the path to, and what it rewrites', async () => {
    const prepare = (app: Express): void => {
      app.use((request, _response, next) => {
        if (request.url === '/sign-in') request.url = guarded
        else if (request.url === guarded) request.url = '/elsewhere'
        next()
      })
    }
    const front = await startWebApps(allowing, { express, prepare })
    expect((await front.call('11.1.2.3', '/sign-in')).status).toBe(403)
    expect((await front.call('11.1.2.3', guarded)).status).toBe(403)
    expect((await front.call('11.1.2.3', '/other')).status).toBe(200)
  })

  it('refuses with its deny_status, bare', async () => {
    const front = await startWebApps(servletFilter({ deny_ip_regex: '11\\..*', deny_status: '404' }), { express })
    const answer = await front.call('11.1.2.3', guarded)
    expect([answer.status, answer.body]).toEqual([404, ''])
    expect((await front.call('12.1.2.3', guarded)).status).toBe(200)
  })

  it.each([
    [{ allow_ip_regex: '10\\..*' }, [200, 200, 403]],
    [{ deny_ip_regex: '10\\.0\\.0\\.7' }, [200, 403, 200]],
    [{ allow_ip_regex: '10\\..*', deny_ip_regex: '10\\.0\\.0\\.7' }, [200, 403, 403]],
    [{ allow_ip_regex: '', deny_ip_regex: '' }, [403, 403, 403]],
    [{ allow_ip_regex: '10\\.0\\.0' }, [403, 403, 403]],
  ])('evaluates %j in the order of Tomcat, and matches whole addresses', async (keys, expected) => {
    const front = await startWebApps(servletFilter(keys), { express })
    const statuses = []
    for (const from of ['10.0.0.1', '10.0.0.7', '11.0.0.1']) statuses.push((await front.call(from, guarded)).status)
    expect(statuses).toEqual(expected)
  })

  it('has to be passed together with all others that cover the path', async () => {
    const filters = [
      { filter_name: 'a', url_pattern: '/carbon/*', allow_ip_regex: '1[01]\\..*' },
      { filter_name: 'b', url_pattern: '*.jsp', deny_ip_regex: '11\\..*', deny_status: 410 },
    ]
    const front = await startWebApps({ ...webApp('1\\d\\..*'), servlet_access_control_filter: filters }, { express })
    const statusOf = async (from: string, path: string): Promise<number> => (await front.call(from, path)).status
    expect(await statusOf('10.0.0.1', guarded)).toBe(200)
    expect(await statusOf('11.0.0.1', guarded)).toBe(410)
    expect(await statusOf('12.0.0.1', guarded)).toBe(403)
    expect(await statusOf('12.0.0.1', '/other.jsp')).toBe(200)
    expect(await statusOf('20.0.0.1', '/other')).toBe(403)
  })

  it('is reached by no spelling of a path that the router takes for the guarded one', async () => {
    const root = servletFilter({ url_pattern: '/carbon/admin/*', allow_ip_regex: '10.0.0.1' })
    const security = await createSecurity(document({ root }), { logger: recordedLog().logger })
    const app = express()
    const routes = express.Router()
    routes.get('/admin/login.jsp', (_request, response) => void response.end('guarded'))
    routes.get('/admin/:page', (_request, response) => void response.end('guarded'))
    app.use(security.webApps())
    app.use('/carbon', routes)
    app.use((_request: unknown, response: { end(text: string): void }) => response.end('elsewhere'))
    await using server = await listen(app)

    const piece = fc.constantFrom(
      'carbon',
      'CARBON',
      'admin',
      '%61dmin',
      'login.jsp',
      'login%2ejsp',
      '.',
      '..',
      '',
      '%2f',
    )
    const joint = fc.constantFrom('/', '/', '/', '//', '%2f', '\\', ';x/', '/./')
    const path = fc
      .array(fc.tuple(joint, piece), { minLength: 1, maxLength: 6 })
      .map((parts) => `/carbon${parts.flat().join('')}`)
    let refused = 0
    await fc.assert(
      fc.asyncProperty(path, async (asked) => {
        const answer = await sendRaw(server.port, requestBytes('GET', asked))
        expect(answer.body).not.toBe('guarded')
        if (answer.status === 403) refused++
      }),
      { numRuns: 200, examples: [['/carbon/admin/login.jsp']] },
    )
    expect(refused).toBeGreaterThan(10)
    await security.close()
  })
})

const rules: readonly (readonly [string, Record<string, unknown>])[] = [
  ['[web_app.control_access]', webApp('10.0.0.0/8')],
  ['[[servlet_access_control_filter]]', servletFilter({ allow_ip_regex: '10.0.0.1' })],
]

describe.each(rules)('createServer with %s', (_name, source) => {
  const express = expressVersions[0]![1]

  it('refuses to start while neither webApps() nor a portal is mounted', async () => {
    const { logger } = recordedLog()
    const security = await createSecurity(document({ root: source }), { logger })
    onTestFinished(() => security.close())
    expect(() => security.createServer(express())).toThrow(
      'is switched on, but nothing enforces it: mount security.webApps() or security.portal(name)',
    )
    security.webApps()
    expect(() => security.createServer(express())).not.toThrow()
  })

  // Covers: F03
  it('refuses an app whose trust proxy is true', async () => {
    const { logger } = recordedLog()
    const security = await createSecurity(document({ root: source }), { logger })
    onTestFinished(() => security.close())
    const app = express()
    app.set('trust proxy', true)
    app.use(security.webApps())
    expect(() => security.createServer(app)).toThrow('"trust proxy" is true')
  })

  // Covers: F03
  it('answers 503 without createServer while trust proxy is true, whatever the path', async () => {
    const prepare = (app: Express): void => void app.set('trust proxy', true)
    const front = await startWebApps(source, { prepare })
    for (const path of ['/', guarded]) {
      const answer = await front.call('10.0.0.1', path)
      expect(answer.status).toBe(503)
      expect(answer.json()).toMatchObject({ code: 'ERR_TRUST_PROXY_UNSAFE' })
    }
    expect(front.handled).toEqual([])
    expect(front.entries.some(({ level, message }) => level === 'error' && message.includes('is true'))).toBe(true)
  })
})
