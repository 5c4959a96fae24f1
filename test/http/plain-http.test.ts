import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { plainHttpRefusal } from '../../lib/http/plain-http.js'
import { expressVersions } from '../helpers/express-versions.js'

describe.each(expressVersions)('plainHttpRefusal on %s', (_name, express) => {
  /** `peer` stands in for the address of the socket, which a test on one machine cannot choose. */
  function appWith({ allowPlainHttp = false, peer = '127.0.0.1', trustProxy = false as unknown } = {}) {
    const app = express()
    app.set('trust proxy', trustProxy)
    app.use((incoming, response) => {
      Object.defineProperty(incoming.socket, 'remoteAddress', { value: peer, configurable: true })
      response.json(plainHttpRefusal(incoming, allowPlainHttp)?.code ?? 'passes')
    })
    return app
  }
  const answerOf = async (app: ReturnType<typeof appWith>, headers: Record<string, string> = {}) =>
    (await request(app).get('/').set(headers)).body

  it.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])('lets the loopback peer %s pass', async (peer) => {
    expect(await answerOf(appWith({ peer }))).toBe('passes')
  })

  it.each(['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1', '::11', '10.127.0.1', '1127.0.0.1', '::ffff:1.127.0.1', ''])(
    'refuses the peer %j, and lets it pass where plain HTTP is allowed',
    async (peer) => {
      expect(await answerOf(appWith({ peer }))).toBe('ERR_HTTPS_REQUIRED')
      expect(await answerOf(appWith({ peer, allowPlainHttp: true }))).toBe('passes')
    },
  )

  it.each(['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Real-IP', 'X-Client-IP', 'Via'])(
    'refuses a loopback peer that sends %s, even an empty one',
    async (name) => {
      expect(await answerOf(appWith(), { [name]: 'https' })).toBe('ERR_HTTPS_REQUIRED')
      expect(await answerOf(appWith(), { [name]: '' })).toBe('ERR_HTTPS_REQUIRED')
    },
  )

  it.each(['Viaduct', 'X-Via', 'X-Forwarded', 'Not-Forwarded', 'X-Real-IP-2', 'Forwarded-By', 'X-X-Forwarded-For'])(
    'takes %s for no header of a proxy',
    async (name) => {
      expect(await answerOf(appWith(), { [name]: 'https' })).toBe('passes')
    },
  )

  it.each([
    [undefined, 'write http in management_api.protocols.'],
    ['http in portals.protocols', 'write http in portals.protocols.'],
  ])('says what would allow it, with the setting %j', async (setting, advice) => {
    const app = express()
    app.use((incoming, response) => {
      const refusal = plainHttpRefusal(incoming, false, setting)
      response.json({ message: refusal?.message, status: refusal?.status, bare: refusal?.bare })
    })
    expect((await request(app).get('/').set('Via', '1.1 proxy')).body).toEqual({
      message:
        "Passwords are accepted over HTTPS only. Behind a proxy that ends TLS, set Express' trust proxy to its address; " +
        `to allow plain HTTP, ${advice}`,
      status: 403,
      bare: 'never',
    })
  })

  it('believes X-Forwarded-Proto of a trusted proxy only', async () => {
    const headers = { 'X-Forwarded-Proto': 'https' }
    expect(await answerOf(appWith({ trustProxy: 'loopback' }), headers)).toBe('passes')
    expect(await answerOf(appWith({ trustProxy: '192.0.2.1' }), headers)).toBe('ERR_HTTPS_REQUIRED')
  })

  it('refuses when the trust function of the app throws', async () => {
    const trustProxy = (): never => {
      throw new Error('a bug')
    }
    expect(await answerOf(appWith({ trustProxy, peer: '192.0.2.1' }))).toBe('ERR_HTTPS_REQUIRED')
  })
})
