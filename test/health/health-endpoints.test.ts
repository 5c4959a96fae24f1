import { describe, expect, it } from 'vitest'
import { basic, bearer, document, startFront, users } from '../helpers/front.js'
import { oneSetUp } from '../helpers/set-ups.js'

const off = document({ jwt: { enable: false } })

describe('/health/live and /health/ready', () => {
  it.each(['/health/live', '/health/ready', '/Health/Ready/'])(
    'answers %s to anybody, without any detail',
    async (path) => {
      const front = await startFront()
      const answer = await front.call('GET', path)
      expect([answer.status, answer.body]).toEqual([200, '{"status":"pass"}'])
      expect(answer.header('cache-control')).toBe('no-store')
      const head = await front.call('HEAD', path)
      expect([head.status, head.body]).toEqual([200, ''])
      expect(front.handled).toEqual([])
      expect(front.events).toEqual([])
    },
  )

  it('answers an address that the list of the management API refuses, and one with a token that is not valid', async () => {
    const front = await startFront(oneSetUp, {
      source: document({ managementApi: { control_access: { enable: true, allow: ['192.0.2.1'] } } }),
    })
    expect((await front.call('GET', '/whoami')).status).toBe(403)
    expect((await front.call('GET', '/health/ready', [bearer('no.such.token')])).status).toBe(200)
  })

  it('answers also where authentication is off', async () => {
    const front = await startFront(oneSetUp, { source: off })
    expect((await front.call('GET', '/health/ready')).body).toBe('{"status":"pass"}')
  })

  it('is 404 for addresses that [health] allow does not have, as if there was nothing', async () => {
    const source = document({ root: { health: { allow: ['192.0.2.0/24'] } } })
    const front = await startFront(oneSetUp, { source })
    const answer = await front.call('GET', '/health/ready')
    expect([answer.status, answer.json<{ code: string }>().code]).toEqual([404, 'ERR_NOT_FOUND'])
    expect((await front.call('POST', '/health/live')).status).toBe(404)
    expect(front.events).toMatchObject([{ name: 'refusal', rule: 'health.allow' }, { name: 'refusal' }])
    const open = await startFront(oneSetUp, { source: document({ root: { health: { allow: ['127.0.0.0/8'] } } }) })
    expect((await open.call('GET', '/health/ready')).status).toBe(200)
  })

  it('refuses every address while clients choose theirs, and the start of a server', async () => {
    const source = document({ root: { health: { allow: ['192.0.2.0/24'] } } })
    const front = await startFront(
      { ...oneSetUp, usesCreateServer: false },
      { source, prepare: (app) => app.set('trust proxy', true) },
    )
    const answer = await front.call('GET', '/health/ready', ['X-Forwarded-For: 192.0.2.1'])
    expect([answer.status, answer.json<{ code: string }>().code]).toEqual([503, 'ERR_TRUST_PROXY_UNSAFE'])
    expect(() => front.security.createServer(front.app)).toThrow('trust proxy')
  })

  it('takes no other verb', async () => {
    const front = await startFront()
    const answer = await front.call('POST', '/health/ready')
    expect([answer.status, answer.header('allow')]).toEqual([405, 'GET, HEAD'])
  })

  it.each(['/health', '/health/other', '/health%2Fready', '//health/ready', '/health/ready/x', '/x/../health/live'])(
    'opens nothing else: %s needs a login',
    async (path) => {
      const front = await startFront()
      expect((await front.call('GET', path)).status).toBe(401)
    },
  )

  it('is left to the app with resources: false', async () => {
    const front = await startFront(oneSetUp, { mount: { resources: false } })
    expect((await front.call('GET', '/health/ready')).status).toBe(401)
    const token = await front.login()
    expect((await front.call('GET', '/health/ready', [bearer(token)])).status).toBe(200)
    expect(front.handled).toEqual(['GET /health/ready'])
  })

  it('says after close that it is not ready, and still lives', async () => {
    const front = await startFront()
    await front.security.close()
    const answer = await front.call('GET', '/health/ready')
    expect([answer.status, answer.body]).toEqual([503, '{"status":"fail"}'])
    expect((await front.call('GET', '/health/live')).status).toBe(200)
  })
})

describe('/health', () => {
  it('tells administrators of each part, and nobody else', async () => {
    const front = await startFront()
    const reader = await front.login(users.reader)
    expect((await front.call('GET', '/health', [bearer(reader)])).status).toBe(403)
    const answer = await front.call('GET', '/health', [bearer(await front.login())])
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({
      status: 'pass',
      checks: [
        { name: 'process', status: 'pass' },
        { name: 'user store PRIMARY', status: 'pass' },
        { name: 'token store', status: 'pass' },
      ],
    })
  })

  it('is answered with Basic too, and not at all where authentication is off', async () => {
    const front = await startFront(oneSetUp, {
      source: document({ managementApi: { basic_security_handler: { enable: true } } }),
    })
    const { name, password } = users.admin
    expect((await front.call('GET', '/health', [basic(name, password)])).status).toBe(200)
    const open = await startFront(oneSetUp, { source: off })
    await open.call('GET', '/health')
    expect(open.handled).toEqual(['GET /health'])
  })
})
