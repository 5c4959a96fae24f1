import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { beforeAll, describe, expect, it } from 'vitest'
import { getAuth, hashPassword } from '../../lib/index.js'
import { bearerAuthentication, errorResponses } from '../../lib/middleware.js'
import { type Answer, fetchOf, issuer, type OauthFront, oauthFront } from './front.js'

const api = 'https://api.example.com'
const secrets = { old: 'the secret of last year, as it is', next: 'the secret of this year, as it is' }

let hashes: Record<keyof typeof secrets, string>

beforeAll(async () => {
  hashes = { old: await hashPassword(secrets.old), next: await hashPassword(secrets.next) }
})

/** A front with a program, and an API that takes its tokens. */
function frontWithProgram(
  more: Record<string, unknown> = {},
  given: Parameters<typeof oauthFront>[0] = {},
): Promise<OauthFront> {
  const program = {
    name: 'billing-job',
    grants: ['client_credentials'],
    client_secret: hashes.old,
    audience: api,
    scopes: ['orders', 'invoices'],
    ...more,
  }
  const web = { name: 'web', redirect_uris: [`${api}/callback`], client_secret: hashes.next, audience: api }
  return oauthFront({
    oauth: { service_provider: [program, web] },
    before(app, security) {
      const { tokens } = security
      app.use('/api', bearerAuthentication({ tokens, audience: api, scope: 'orders' }), (request, response) => {
        response.json(getAuth(request))
      })
      app.use('/management', security.managementApi())
      app.use(errorResponses())
    },
    ...given,
  })
}

interface TokenAnswer {
  readonly status: number
  readonly body: Record<string, unknown>
}

async function askFor(
  front: OauthFront,
  form: Record<string, string> = {},
  secret = secrets.old,
): Promise<TokenAnswer> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: 'billing-job',
    client_secret: secret,
    ...form,
  })
  const answer = await front.send('/oauth2/token', { method: 'POST', body })
  return { status: answer.status, body: answer.json() }
}

const callApi = (front: OauthFront, token: unknown, path = '/api'): Promise<Answer> =>
  front.send(path, { headers: { authorization: `Bearer ${String(token)}` } })

describe('client_credentials', () => {
  it('gives a program a token in its own name, with oauth4webapi', async () => {
    const front = await frontWithProgram()
    const options = { [oauth.customFetch]: fetchOf(front) }
    const issuerUrl = new URL(issuer)
    const server = await oauth.processDiscoveryResponse(issuerUrl, await oauth.discoveryRequest(issuerUrl, options))
    expect(server.grant_types_supported).toContain('client_credentials')
    const client = { client_id: 'billing-job' }
    const authentication = oauth.ClientSecretBasic(secrets.old)
    const asked = new URLSearchParams({ scope: 'orders' })
    const answer = await oauth.clientCredentialsGrantRequest(server, client, authentication, asked, options)
    const tokens = await oauth.processClientCredentialsResponse(server, client, answer)
    expect(tokens).toMatchObject({ token_type: 'bearer', scope: 'orders', expires_in: 900 })
    expect(tokens).not.toHaveProperty('refresh_token')
    expect(tokens).not.toHaveProperty('id_token')

    expect((await callApi(front, tokens.access_token)).json()).toMatchObject({
      subject: 'CLIENT/billing-job',
      roles: [],
      isAdmin: false,
      scope: 'orders',
      kind: 'oauth',
    })
    const asking = await oauth.introspectionRequest(server, client, authentication, tokens.access_token, options)
    expect(await oauth.processIntrospectionResponse(server, client, asking)).toMatchObject({
      active: true,
      sub: 'CLIENT/billing-job',
      client_id: 'billing-job',
      aud: api,
      scope: 'orders',
    })
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(server, client, authentication, tokens.access_token, options),
    )
    expect((await callApi(front, tokens.access_token)).status).toBe(401)
  })

  it('gives it with openid-client', async () => {
    const front = await frontWithProgram()
    const configuration = await openid.discovery(new URL(issuer), 'billing-job', secrets.old, undefined, {
      [openid.customFetch]: fetchOf(front),
    })
    const tokens = await openid.clientCredentialsGrant(configuration, { scope: 'orders invoices' })
    expect(tokens.scope).toBe('orders invoices')
    expect((await callApi(front, tokens.access_token)).status).toBe(200)
    expect(front.log.lines.join()).toContain('CLIENT/billing-job')
  })

  it('gives no scope that tells of a user, and none that the program may not have', async () => {
    const front = await frontWithProgram()
    expect((await askFor(front, { scope: 'openid profile orders' })).body['scope']).toBe('orders')
    expect(await askFor(front, { scope: 'payroll' })).toMatchObject({ status: 400, body: { error: 'invalid_scope' } })
    const { body } = await askFor(front)
    expect(body).not.toHaveProperty('scope')
    expect((await callApi(front, body['access_token'])).status).toBe(403)
  })

  it('is off unless the file has it', async () => {
    const front = await frontWithProgram({ grants: ['authorization_code'], redirect_uris: [`${api}/x`] })
    expect(await askFor(front)).toMatchObject({ status: 400, body: { error: 'unsupported_grant_type' } })
    const other = await frontWithProgram()
    const asked = { client_id: 'web' }
    expect(await askFor(other, asked, secrets.next)).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    })
  })

  it('never opens the management API, and no user of that name is one', async () => {
    const front = await frontWithProgram()
    const { body } = await askFor(front, { scope: 'orders' })
    expect((await callApi(front, body['access_token'], '/management/users')).status).toBe(401)
  })

  it('gives tokens that end with their time and with a revocation', async () => {
    let now = Date.now()
    const front = await frontWithProgram({}, { clock: () => now })
    const [one, two] = [await askFor(front, { scope: 'orders' }), await askFor(front, { scope: 'orders' })]
    const { tokens } = front.security
    expect(await tokens.list({ subject: 'CLIENT/billing-job', kind: 'oauth' })).toHaveLength(2)
    await tokens.revokeUser('CLIENT/billing-job')
    expect((await callApi(front, one.body['access_token'])).status).toBe(401)
    expect((await callApi(front, two.body['access_token'])).status).toBe(401)
    const third = await askFor(front, { scope: 'orders' })
    now += 899_000
    expect((await callApi(front, third.body['access_token'])).status).toBe(200)
    now += 1000
    expect((await callApi(front, third.body['access_token'])).status).toBe(401)
  })

  it('takes two secrets while one takes the place of the other', async () => {
    const both = await frontWithProgram({ client_secret: [hashes.old, hashes.next] })
    for (const secret of [secrets.old, secrets.next, secrets.old]) {
      expect((await askFor(both, {}, secret)).status).toBe(200)
    }
    expect((await askFor(both, {}, 'another one')).status).toBe(401)
    const after = await frontWithProgram({ client_secret: [hashes.next] })
    expect((await askFor(after, {}, secrets.old)).status).toBe(401)
    expect((await askFor(after, {}, secrets.next)).status).toBe(200)
  })
})
