import type { Server } from 'node:http'
import type { NextFunction, Request, Response } from 'express'
import * as oauth from 'oauth4webapi'
import request from 'supertest'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity } from '../../lib/index.js'
import { expressVersions } from '../helpers/express-versions.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { fetchOf, issuer, oauthFront, passwords } from './front.js'

const source = {
  management_api: { jwt_token_security_handler: { token_config: { algorithm: 'ES256' } } },
  internal_apis: { users: [{ user: { name: 'alice', password: passwords.alice, is_admin: true } }] },
  oauth: { enable: true, issuer, algorithm: 'ES256' },
}

async function secure(changes: object = {}) {
  const log = recordedLog()
  const security = await createSecurity({ ...source, ...changes }, { logger: log.logger })
  onTestFinished(() => security.close())
  const logged = (level: string): readonly string[] =>
    log.entries.filter((entry) => entry.level === level).flatMap(({ message }) => message ?? [])
  return { security, errors: () => logged('error'), warnings: () => logged('warn') }
}

/** What listening does, without a port. */
function listens(server: Server): void {
  server.emit('listening')
}

const mistake =
  'oauth.issuer: has the path /oauth2, but security.oauth() is mounted elsewhere: it will answer no request'
const inTheClear = /^oauth\.issuer: is https, but this server speaks plain HTTP and trusts no proxy/

describe.each(expressVersions)('createServer with %s', (_name, express) => {
  it.each(['/', '/oauth', '/oauth2/server'])('logs that the authorization server is mounted at %s', async (path) => {
    const { security, errors } = await secure()
    const handler = security.oauth()
    const app = express()
    const server = security.createServer(app, { protocol: 'http' })
    app.use(path, handler)
    expect(errors()).toEqual([])
    listens(server)
    expect(errors()).toEqual([mistake])
  })

  it('leaves the app its say about the router until then', async () => {
    const { security } = await secure()
    security.oauth()
    const app = express()
    const server = security.createServer(app, { protocol: 'http' })
    app.enable('case sensitive routing')
    app.get('/Admin', (_request: Request, response: Response) => void response.end())
    listens(server)
    await request(app).get('/admin').expect(404)
  })

  it('logs no such thing at the path of the issuer, and where that cannot be told yet', async () => {
    const { security, errors } = await secure()
    const handler = security.oauth()
    for (const app of [
      express().use('/oauth2', handler),
      express().use('/OAuth2/', handler),
      express().use('/', express().use('/oauth2', handler)),
      express(),
    ]) {
      listens(security.createServer(app, { protocol: 'http' }))
    }
    expect(errors()).toEqual([])
  })

  it.each([
    ['plain HTTP', { protocol: 'http' }, undefined],
    ['plain HTTP by default', {}, undefined],
    ['plain HTTP and trusts no address', { protocol: 'http' }, []],
    ['plain HTTP and trusts no hop', { protocol: 'http' }, 0],
  ] as const)('warns of an authorization server that speaks %s', async (_what, options, trustProxy) => {
    const { security, warnings } = await secure()
    const app = express().use('/oauth2', security.oauth())
    if (trustProxy !== undefined) app.set('trust proxy', trustProxy)
    security.createServer(app, options)
    expect(warnings().filter((line) => inTheClear.test(line))).toHaveLength(1)
  })

  it.each([
    ['TLS', { tls: {} }, undefined],
    ['plain HTTP behind a proxy that it trusts', { protocol: 'http' }, ['10.0.0.1']],
    ['plain HTTP behind one proxy', { protocol: 'http' }, 1],
  ] as const)('does not warn of one that speaks %s', async (_what, options, trustProxy) => {
    const { security, warnings } = await secure()
    const app = express().use('/oauth2', security.oauth())
    if (trustProxy !== undefined) app.set('trust proxy', trustProxy)
    security.createServer(app, options)
    expect(warnings().filter((line) => inTheClear.test(line))).toEqual([])
  })
})

it('createServer does not warn of plain HTTP without an authorization server', async () => {
  const [, express] = expressVersions[0]!
  const { security, warnings } = await secure({ oauth: { enable: false } })
  security.createServer(express(), { protocol: 'http' })
  expect(warnings().filter((line) => inTheClear.test(line))).toEqual([])
})

// RFC 8414 section 3.1: for an issuer with a path, the well-known part stands between host and path.
describe.each(expressVersions)('the route of the documentation for RFC 8414, with %s', (_name, express) => {
  it('shows the metadata to a client that looks at the root of the host', async () => {
    const front = await oauthFront({
      express,
      before(app) {
        app.get(
          '/.well-known/oauth-authorization-server/oauth2',
          (request: Request, _response: Response, next: NextFunction) => {
            request.url = '/oauth2/.well-known/oauth-authorization-server'
            next()
          },
        )
      },
    })
    const options = { algorithm: 'oauth2', [oauth.customFetch]: fetchOf(front) } as const
    const answer = await oauth.discoveryRequest(new URL(issuer), options)
    expect(await oauth.processDiscoveryResponse(new URL(issuer), answer)).toMatchObject({
      issuer,
      token_endpoint: `${issuer}/token`,
    })
  })
})
