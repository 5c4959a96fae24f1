import { describe, expect, it } from 'vitest'
import type { MetricsReport } from '../../lib/metrics/report.js'
import { basic, bearer, document, startFront, users } from '../helpers/front.js'
import { requestBytes } from '../helpers/raw-http.js'
import { oneSetUp } from '../helpers/set-ups.js'

const prometheusAccept =
  'Accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'

describe('/metrics', () => {
  it('answers administrators, and nobody else', async () => {
    const front = await startFront()
    expect((await front.call('GET', '/metrics')).status).toBe(401)
    expect((await front.call('GET', '/metrics', [bearer(await front.login(users.reader))])).status).toBe(403)
    const answer = await front.call('GET', '/metrics', [bearer(await front.login()), prometheusAccept])
    expect([answer.status, answer.header('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.body).toBe(await front.security.metrics())
  })

  it('counts logins, refusals and tokens', async () => {
    const front = await startFront()
    const token = await front.login()
    await front.call('GET', '/login', [basic('admin', 'wrong')])
    await front.call('GET', '/login', [basic('nobody', 'wrong')])
    await front.call('GET', '/whoami')
    await front.call('GET', '/whoami', [bearer('no.such.token')])
    const { body } = await front.call('GET', '/metrics', [bearer(token)])
    expect(body.split('\n')).toEqual(
      expect.arrayContaining([
        '# TYPE sallyport_logins_total counter',
        'sallyport_logins_total{outcome="success",kind="management"} 1',
        'sallyport_logins_total{outcome="wrong-password",kind="management"} 1',
        'sallyport_logins_total{outcome="unknown-user",kind="management"} 1',
        'sallyport_refusals_total{stage="authentication",code="ERR_AUTH_REQUIRED"} 1',
        'sallyport_refusals_total{stage="authentication",code="ERR_TOKEN_INVALID"} 1',
        'sallyport_tokens{kind="management"} 1',
        'sallyport_token_capacity{kind="management"} 200',
        'sallyport_password_hashes{state="waiting"} 0',
        'sallyport_connections 0',
      ]),
    )
  })

  it('answers as JSON where that is asked for', async () => {
    const front = await startFront()
    const answer = await front.call('GET', '/metrics', [bearer(await front.login()), 'Accept: application/json'])
    const { metrics, history } = answer.json<MetricsReport>()
    expect(answer.header('vary')).toContain('Accept')
    expect(metrics.find(({ name }) => name === 'sallyport_logins_total')).toMatchObject({
      type: 'counter',
      unit: '{login}',
      points: [{ labels: { outcome: 'success', kind: 'management' }, value: 1 }],
    })
    expect(history).toMatchObject({ stepSeconds: 10, points: [{ logins: { success: 1, refused: 0 } }] })
  })

  it('answers addresses of [metrics] allow without a login, before the list of the management API', async () => {
    const source = document({
      managementApi: { control_access: { enable: true, allow: ['192.0.2.1'] } },
      root: { metrics: { allow: ['127.0.0.1'] } },
    })
    const front = await startFront(oneSetUp, { source })
    expect((await front.call('GET', '/metrics')).status).toBe(200)
    expect((await front.call('HEAD', '/metrics')).status).toBe(200)
    expect((await front.call('GET', '/health')).status).toBe(403)
    expect((await front.call('POST', '/metrics')).status).toBe(403)
  })

  it('takes no forged address for one of the list', async () => {
    const source = document({ root: { metrics: { allow: ['192.0.2.1'] } } })
    const front = await startFront(oneSetUp, { source })
    expect((await front.call('GET', '/metrics', ['X-Forwarded-For: 192.0.2.1'])).status).toBe(401)
    const trusting = await startFront(
      { ...oneSetUp, usesCreateServer: false },
      { source, prepare: (app) => app.set('trust proxy', true) },
    )
    expect((await trusting.call('GET', '/metrics', ['X-Forwarded-For: 192.0.2.1'])).status).toBe(401)
    expect(() => trusting.security.createServer(trusting.app)).toThrow('trust proxy')
  })

  it('is left to the app with resources: false', async () => {
    const source = document({ root: { metrics: { allow: ['127.0.0.1'] } } })
    const front = await startFront(oneSetUp, { source, mount: { resources: false } })
    await front.call('GET', '/metrics', [bearer(await front.login())])
    expect(front.handled).toEqual(['GET /metrics'])
  })
})

describe('the labels', () => {
  it('have values of closed sets only, whatever clients and apps come with', async () => {
    const front = await startFront()
    const { events } = front.security
    const hostile = ['"} 1\nevil 1', '__proto__', 'constructor', 'x'.repeat(100_000)]
    for (const text of hostile) {
      for (let index = 0; index < 20; index++) {
        const value = `${text}${index === 0 ? '' : index}` as never
        const at = { at: 0, address: undefined }
        events.emit('refusal', { ...at, code: value } as never)
        events.emit('loginRefused', { ...at, userName: value, reason: value, kind: value })
        events.emit('login', { ...at, subject: value, tokenId: undefined, kind: value })
        events.emit('lock', { ...at, userName: value, subject: value, scope: value, seconds: 1 })
        events.emit('eviction', { at: 0, subject: value, tokenId: value, kind: value })
        events.emit('clientRefused', { ...at, clientId: value, reason: value })
      }
    }
    const text = await front.security.metrics()
    expect(text).not.toMatch(/evil|proto|constructor|xxx/)
    expect(text.split('\n').filter((line) => line.includes('="other"'))).toEqual([
      'sallyport_logins_total{outcome="other",kind="other"} 80',
      'sallyport_logins_total{outcome="success",kind="other"} 80',
      'sallyport_refusals_total{stage="other",code="other"} 80',
      'sallyport_client_refusals_total{reason="other"} 80',
      'sallyport_evictions_total{kind="other"} 80',
      'sallyport_lockouts_total{scope="other"} 80',
    ])
  })
})

describe('a refused login', () => {
  it('counts for what it was for', async () => {
    const front = await startFront(oneSetUp, {
      source: document({ managementApi: { basic_security_handler: { enable: true } } }),
      prepare: (app) => app.use('/carbon', (request, response, next) => portal(request, response, next)),
    })
    const portal = front.security.portal('management_console')
    await front.call('GET', '/whoami', [basic('admin', 'wrong')])
    const body = 'username=admin&password=wrong'
    const headers = ['Content-Type: application/x-www-form-urlencoded', 'Origin: http://front.test']
    await front.send(requestBytes('POST', '/carbon/login', headers, body))
    const lines = (await front.security.metrics()).split('\n').filter((line) => line.startsWith('sallyport_logins'))
    expect(lines).toEqual([
      'sallyport_logins_total{outcome="wrong-password",kind="basic"} 1',
      'sallyport_logins_total{outcome="wrong-password",kind="portal"} 1',
    ])
  })
})
