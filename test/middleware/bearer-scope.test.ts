import type { ErrorRequestHandler } from 'express'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { getAuth } from '../../lib/core/auth.js'
import type { HttpError } from '../../lib/core/errors.js'
import { type BearerAuthenticationOptions, bearerAuthentication } from '../../lib/middleware/bearer-authentication.js'
import { createRecord } from '../../lib/testing.js'
import { createTokenSigner } from '../../lib/tokens/jwt/sign-token.js'
import { tokenId } from '../../lib/tokens/token-id.js'
import { expressVersions } from '../helpers/express-versions.js'
import { standAloneParts } from '../helpers/stand-alone.js'

const metadata = 'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"'
const audience = 'https://api.example.com'

describe.each(expressVersions)('bearerAuthentication for OAuth tokens on %s', (_name, express) => {
  /** An app for one audience, and a token of alice that is good for some audience and scope. */
  async function appWith(
    options: Partial<BearerAuthenticationOptions> = {},
    granted: { readonly audience?: string; readonly scope?: string } = {},
  ) {
    const parts = await standAloneParts()
    const errors: HttpError[] = []
    const app = express()
    app.use(bearerAuthentication({ tokens: parts.tokens, audience, realm: 'My API', ...options }))
    app.use((incoming, response) => void response.json(getAuth(incoming)))
    const note: ErrorRequestHandler = (error, _request, response, _next) => {
      errors.push(error)
      response.sendStatus(error.status)
    }
    app.use(note)
    const account = parts.users.find('alice')!
    const seconds = Math.floor(Date.now() / 1000)
    const expiresAt = (seconds + 600) * 1000
    const sign = createTokenSigner({ keys: parts.keys, issuer: 'https://issuer.example', audience })
    const times = { issuedAtSeconds: seconds, expiresAtSeconds: seconds + 600 }
    const token = await sign({ subject: account.subject, scope: 'orders.read', ...times })
    parts.store.add(
      createRecord('', {
        id: tokenId('oauth', token),
        kind: 'oauth',
        audience,
        scope: 'orders.read orders.write',
        accountVersion: account.version,
        expiresAt,
        ...granted,
      }),
    )
    const call = (bearer = token) => request(app).get('/').set('Authorization', `Bearer ${bearer}`)
    return { call, errors, account, oauthToken: token, ...parts }
  }

  it('takes a token for its audience, with the scope that it was granted', async () => {
    const { call } = await appWith()
    const answer = await call().expect(200)
    expect(answer.body).toMatchObject({ subject: 'alice', kind: 'oauth', scope: 'orders.read orders.write' })
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it('takes neither a token for another audience nor a management token', async () => {
    const { call, errors } = await appWith({}, { audience: 'https://other.example.com' })
    await call().expect(401)
    const managed = await appWith()
    const { token } = await managed.tokens.issue(managed.account)
    await managed.call(token).expect(401)
    expect([...errors, ...managed.errors].map(({ code }) => code)).toEqual(['ERR_TOKEN_INVALID', 'ERR_TOKEN_INVALID'])
  })

  it.each<[string | readonly string[], number]>([
    ['orders.read', 200],
    ['orders.write orders.read', 200],
    [['orders.write', 'orders.read'], 200],
    [[], 200],
    ['orders', 403],
    ['orders.read users', 403],
    ['users orders.read', 403],
    [['users'], 403],
    ['Orders.Read', 403],
  ])('with the scope %j demanded answers %i', async (scope, status) => {
    const { call, errors } = await appWith({ scope })
    const answer = await call().expect(status)
    if (status === 200) return
    const wanted = typeof scope === 'string' ? scope : scope.join(' ')
    expect(errors).toMatchObject([
      {
        code: 'ERR_SCOPE_REQUIRED',
        message: 'Insufficient scope.',
        headers: {
          'WWW-Authenticate': `Bearer realm="My API", error="insufficient_scope", scope="${wanted}", ${metadata}`,
        },
      },
    ])
    expect(answer.headers['cache-control']).toBeUndefined()
  })

  it.each([
    ['an OAuth token for a management token', 'oauth'],
    ['a management token for an OAuth token', 'management'],
  ] as const)('does not take %s on a connection that has just sent it', async (_what, kind) => {
    const { tokens, account, oauthToken } = await appWith()
    const token = kind === 'oauth' ? oauthToken : (await tokens.issue(account)).token
    const gates = [bearerAuthentication({ tokens, audience }), bearerAuthentication({ tokens })]
    const [good, other] = kind === 'oauth' ? gates : gates.toReversed()
    const app = express()
    const codes: unknown[] = []
    const pass: ErrorRequestHandler = (error, _request, _response, next) => {
      codes.push((error as HttpError).code)
      next()
    }
    app.use(good!, pass)
    app.use((_request, _response, next) => {
      codes.push('let pass by the first')
      next()
    })
    // The same header, on the same connection.
    app.use(other!, pass)
    app.use((_request, response) => void response.json(codes))
    const expected = ['let pass by the first', 'ERR_TOKEN_INVALID']
    await request(app).get('/').set('Authorization', `Bearer ${token}`).expect(200, expected)
  })

  it.each<[Partial<BearerAuthenticationOptions>, string]>([
    [{ audience: undefined, scope: 'orders' }, '"scope" option must not be there without "audience"'],
    [{ audience: undefined, scope: ['orders'] }, '"scope" option must not be there without "audience"'],
    [{ audience: '' }, '"audience" option must be a non-empty string'],
    [{ scope: '' }, '"scope" option must name scopes'],
    [{ scope: 'a  b' }, '"scope" option must name scopes'],
    [{ scope: ['a', 'b c'] }, '"scope" option must name scopes'],
    [{ scope: ['a', 'b"'] }, '"scope" option must name scopes'],
    [{ scope: 'a\\' }, '"scope" option must name scopes'],
    [{ scope: ['caf\u00e9'] }, '"scope" option must name scopes'],
    [{ scope: ['a\r\nSet-Cookie: x'] }, '"scope" option must name scopes'],
  ])('refuses %j', async (options, message) => {
    const { tokens } = await standAloneParts()
    expect(() => bearerAuthentication({ tokens, audience, ...options })).toThrow(new TypeError(message))
  })
})
