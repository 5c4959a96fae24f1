import { once } from 'node:events'
import express, { type Express, type Request, type Response } from 'express'
import request from 'supertest'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createSecurity, type Security } from '../../lib/app/create-security.js'
import { routerVersions } from '../helpers/express-versions.js'
import { basic, bearer, document, startFront, users } from '../helpers/front.js'
import { type RecordedLog, recordedLog } from '../helpers/recorded-log.js'
import { oneSetUp, serverSetUps } from '../helpers/set-ups.js'

async function front(): Promise<{ security: Security; log: RecordedLog }> {
  const log = recordedLog()
  const security = await createSecurity(document(), { logger: log.logger })
  onTestFinished(() => security.close())
  return { security, log }
}

describe('a call that JavaScript takes without a word', () => {
  it.each<[call: (security: Security) => unknown, message: string]>([
    [(security) => security.managementApi({ resource: false } as never), 'did you mean "resources"?'],
    [(security) => security.managementApi({ resources: 'false' } as never), 'must be of type boolean, got string'],
    [(security) => security.managementApi(false as never), 'must be an object'],
    [(security) => security.portal('publisher', { login: () => '' } as never), 'has no option "login"'],
    [(security) => security.createServer(express(), { protcol: 'http' } as never), 'did you mean "protocol"?'],
  ])('is refused at once: %s', async (call, message) => {
    const { security } = await front()
    expect(() => call(security)).toThrow(message)
  })

  it.each(serverSetUps)('is answered with 500 where the call was forgotten, on $name', async (setUp) => {
    const { security, log } = await front()
    for (const method of ['managementApi', 'portal', 'webApps', 'oauth'] as const) {
      const app = setUp.express()
      let reason = ''
      app.use('/m', security[method] as never, (_request, response) => void response.json('open'))
      app.use((error: Error, _request: unknown, response: express.Response, _next: unknown) => {
        reason = error.message
        response.sendStatus(500)
      })
      await request(app).get('/m/apis').expect(500)
      expect(reason).toContain(`security.${method} was mounted without being called; write app.use(`)
      if (!setUp.usesCreateServer || method === 'oauth') continue
      const server = security.createServer(app, { protocol: 'http' }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      server.close()
      expect(log.lines.at(-1)).toContain(`security.${method} was mounted without being called`)
    }
  })
})

describe('a server of createServer', () => {
  it('warns where nothing of the front is mounted', async () => {
    const { security, log } = await front()
    const server = security.createServer(express(), { protocol: 'http' }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    expect(log.lines.at(-1)).toContain('nothing of Sallyport is mounted')
  })
})

describe.each(routerVersions)('a mount that comes after the routes of the app, with %s', (_name, express) => {
  async function linesOf(fill: (app: Express, security: Security) => void): Promise<string> {
    const { security, log } = await front()
    const app = express()
    fill(app, security)
    const server = security.createServer(app, { protocol: 'http' }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    return log.lines.join('')
  }
  const answer = (_request: Request, response: Response): void => void response.json('open')

  it.each<[what: string, fill: (app: Express, security: Security) => void]>([
    ['the API', (app, security) => app.get('/api/reports/:id', answer).use('/api', security.managementApi())],
    ['a portal', (app, security) => app.post('/desk/x', answer).use('/desk', security.portal('publisher'))],
    ['all', (app, security) => app.get('/a', answer).use(security.managementApi({ resources: false }))],
  ])('is an error in the log: %s', async (_what, fill) => {
    expect(await linesOf(fill)).toMatch(
      /security\.\w+\(\) is mounted after all routes below its path.*: \/.*before app\.init/,
    )
  })

  it.each<[what: string, fill: (app: Express, security: Security) => void]>([
    ['with a route after it', (app, security) => app.get('/a', answer).use(security.managementApi()).get('/b', answer)],
    ['with a router after it', (app, security) => app.get('/m/a', answer).use('/m', security.managementApi(), answer)],
    ['of another path', (app, security) => app.get('/api-docs', answer).use('/api', security.managementApi())],
    ['with no route', (app, security) => app.use('/api', security.managementApi())],
  ])('is none %s', async (_what, fill) => {
    expect(await linesOf(fill)).not.toContain('is mounted after all routes')
  })
})

describe('the clock of a front', () => {
  afterEach(() => void vi.useRealTimers())

  it('goes with Date.now when a test sets it afterwards', async () => {
    const running = await startFront(oneSetUp)
    const token = await running.login()
    expect((await running.call('GET', '/apis', [bearer(token)])).status).toBe(200)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_001 })
    expect((await running.call('GET', '/apis', [bearer(token)])).status).toBe(401)
  })
})

describe('an app that logs the headers of its requests', () => {
  /** What pino-http puts on a request, as far as it matters: `bindings` answers what each line of the log will hold. */
  const pinoHttp =
    (redacts: boolean) =>
    (incoming: express.Request, _response: unknown, next: () => void): void => {
      const authorization = redacts ? '[Redacted]' : incoming.headers.authorization
      Object.assign(incoming, { log: { bindings: () => ({ req: { headers: { authorization } } }) } })
      next()
    }

  it.each([true, false])('is warned of at the first login, unless it redacts them: %s', async (redacts) => {
    const { security, log } = await front()
    const app = express()
    app.use(pinoHttp(redacts))
    app.use('/management', security.managementApi())
    const [name, value] = basic(users.admin.name, users.admin.password).split(': ') as [string, string]
    for (let count = 0; count < 2; count++) await request(app).get('/management/login').set(name, value).expect(200)
    const warnings = log.lines.filter((line) => line.includes('redact'))
    expect(warnings).toHaveLength(redacts ? 0 : 1)
    expect(warnings.join()).not.toContain(value)
  })
})
