import { createHmac, createPublicKey } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createApiToken, hashApiToken } from '../../../lib/tokens/machines/api-token-text.js'
import { tombstoneId } from '../../../lib/tokens/machines/tombstones.js'
import { type FakeIssuer, type IssuerKey, newIssuerKey, startFakeIssuer } from '../../helpers/fake-issuer.js'
import { bearer, document, type Front, fileUser, startFront, users } from '../../helpers/front.js'
import { secret } from '../../helpers/recorded-log.js'
import { oneSetUp } from '../../helpers/set-ups.js'

const start = Date.parse('2026-03-01T12:00:00Z')
const day = 24 * 3_600_000

let clock: number

beforeEach(() => {
  clock = start
})

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token with another last character. */
const changed = (token: string): string => token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A')

async function frontWith(managementApi: Record<string, unknown>, root: Record<string, unknown> = {}): Promise<Front> {
  const source = document({
    managementApi: {
      authorization_handler: { resources: [{ path: '/whoami/ops', roles: ['ops'] }, { path: '/users' }] },
      ...managementApi,
    },
    internalApis: {
      users: [
        fileUser(users.admin.name, users.admin.password, { is_admin: true }),
        fileUser(users.reader.name, users.reader.password),
      ],
    },
    root,
  })
  return startFront(oneSetUp, { source, options: { clock: () => clock } })
}

const statusWith = async (front: Front, token: string, path = '/whoami'): Promise<number> =>
  (await front.call('GET', path, [bearer(token)])).status

/** Whom the routes see. */
const callerWith = async (front: Front, token: string): Promise<unknown> =>
  (await front.call('GET', '/whoami', [bearer(token)])).json()['auth']

/** What a stranger's text is answered with. */
async function expectUnknown(front: Front, token: string, headers: readonly string[] = []): Promise<void> {
  const answer = await front.call('GET', '/whoami', [bearer(token), 'Accept: application/json', ...headers])
  const stranger = await front.call('GET', '/whoami', [bearer('made-up'), 'Accept: application/json'])
  expect(answer.status).toBe(401)
  expect(answer.body).toBe(stranger.body)
  expect(answer.header('www-authenticate')).toBe(stranger.header('www-authenticate'))
}

describe('an API token', () => {
  const token = secret(createApiToken())
  const apiToken = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
    name: 'deploy',
    hash: hashApiToken(token),
    expires: new Date(start + 30 * day),
    roles: ['ops'],
    ...more,
  })

  it('authenticates its name with its roles, and never as an administrator by them', async () => {
    const front = await frontWith({ api_tokens: [apiToken({ roles: ['ops', 'admin'] })] })
    expect(await callerWith(front, token)).toMatchObject({
      subject: 'API/deploy',
      roles: ['ops', 'admin'],
      isAdmin: false,
      kind: 'api',
      expiresAt: start + 30 * day,
    })
    expect(await statusWith(front, token, '/whoami/ops')).toBe(200)
    expect(await statusWith(front, token, '/users')).toBe(403)
    expect(front.events).toContainEqual(expect.objectContaining({ name: 'login', subject: 'API/deploy', kind: 'api' }))
  })

  it('is an administrator where the file says so', async () => {
    const front = await frontWith({ api_tokens: [apiToken({ admin: true })] })
    expect(await callerWith(front, token)).toMatchObject({ isAdmin: true, scope: 'admin' })
  })

  it.each([
    ['cut by a character', token.slice(0, -1)],
    ['extended by a character', `${token}A`],
    ['changed by a character', changed(token)],
    ['in capitals', token.toUpperCase()],
    ['of another front', createApiToken()],
    ['that is its hash', hashApiToken(token)],
    ['that is its prefix and a digit alone', 'sallyport_0'],
  ])('is refused as any text when it is one %s', async (_what, text) => {
    const front = await frontWith({ api_tokens: [apiToken()] })
    await expectUnknown(front, text)
  })

  it('is refused from the moment of its end', async () => {
    const front = await frontWith({ api_tokens: [apiToken()] })
    clock = start + 30 * day - 1
    expect(await statusWith(front, token)).toBe(200)
    clock = start + 30 * day
    await expectUnknown(front, token)
    await expectUnknown(await frontWith({ api_tokens: [apiToken()] }), token)
  })

  it('is refused from another address, as any text', async () => {
    const front = await frontWith({ api_tokens: [apiToken({ allow: ['10.0.0.0/8'] })] })
    await expectUnknown(front, token)
    expect(front.entries).not.toContainEqual(expect.objectContaining({ message: expect.stringContaining(token) }))
    const other = await frontWith({ api_tokens: [apiToken({ allow: ['10.0.0.0/8', '127.0.0.1'] })] })
    expect(await statusWith(other, token)).toBe(200)
    const open = await frontWith({ api_tokens: [apiToken({ allow: ['10.0.0.0/8'] })], protocols: 'https http' })
    await expectUnknown(open, token, ['X-Forwarded-For: 10.1.2.3'])
  })

  it('opens its paths, in every reading, and no other', async () => {
    const front = await frontWith({ api_tokens: [apiToken({ paths: ['/whoami/ops'], admin: true })] })
    expect(await statusWith(front, token, '/whoami/ops')).toBe(200)
    expect(await statusWith(front, token, '/whoami/ops/deeper')).toBe(200)
    for (const path of [
      '/whoami',
      '/whoami/opsx',
      '/users',
      '/whoami/ops/../../users',
      '/whoami/ops/%2e%2e/x',
      '/whoami/ops;/../x',
    ]) {
      expect([path, await statusWith(front, token, path)]).toEqual([path, 403])
    }
  })

  it('is refused over plain HTTP from other machines, before it is looked up', async () => {
    const front = await frontWith({ api_tokens: [apiToken()] })
    const answer = await front.call('GET', '/whoami', [
      bearer(token),
      'X-Forwarded-For: 10.1.2.3',
      'Accept: application/json',
    ])
    expect(answer.status).toBe(403)
    expect(answer.body).toContain('ERR_HTTPS_REQUIRED')
    const open = await frontWith({ api_tokens: [apiToken()], protocols: 'https http' })
    expect((await open.call('GET', '/whoami', [bearer(token), 'X-Forwarded-For: 10.1.2.3'])).status).toBe(200)
  })

  it('is listed with its last use, also before its first one', async () => {
    const front = await frontWith({ api_tokens: [apiToken()] })
    const { tokens } = front.security
    expect(await tokens.list({ kind: 'api' })).toEqual([
      expect.objectContaining({ subject: 'API/deploy', kind: 'api', lastAccessAt: 0 }),
    ])
    clock += 5000
    await statusWith(front, token)
    expect(await tokens.list()).toEqual([expect.objectContaining({ kind: 'api', lastAccessAt: clock })])
  })

  it('stays revoked, whatever else an administrator ends', async () => {
    const front = await frontWith({ api_tokens: [apiToken()] })
    const { tokens } = front.security
    await tokens.revokeUser('API/deploy')
    const admin = await front.login(users.admin)
    const tombstone = tombstoneId('api', hashApiToken(token))
    const ends = ['?user=INTERNAL/tombstones', `/${tombstone}`]
    const answers = await Promise.all(ends.map((end) => front.call('DELETE', `/sessions${end}`, [bearer(admin)])))
    expect(answers.map(({ status }) => status)).toEqual([200, 404])
    expect(answers[0]!.json()).toMatchObject({ count: 0 })
    await expectUnknown(front, token)
    expect(await tokens.revoke(tombstone)).toBe(false)
  })

  it.each<[string, (front: Front) => Promise<unknown>]>([
    ['its id', async ({ security: { tokens } }) => tokens.revoke((await tokens.list({ kind: 'api' }))[0]!.id)],
    ['its subject', async ({ security: { tokens } }) => tokens.revokeUser('API/deploy')],
    ['a logout', (front) => front.call('POST', '/logout', [bearer(token)])],
  ])('stays revoked by %s, through a reload, until its successor comes', async (_by, revoke) => {
    const front = await frontWith({ api_tokens: [apiToken()] })
    expect(await statusWith(front, token)).toBe(200)
    await revoke(front)
    await expectUnknown(front, token)
    await expectUnknown(front, token)
    expect(await front.security.tokens.list()).toEqual([])

    const successor = secret(createApiToken())
    const next = apiToken({ hash: hashApiToken(successor) })
    await front.security.reload(document({ managementApi: { api_tokens: [apiToken({ name: 'old' }), next] } }))
    await expectUnknown(front, token)
    expect(await statusWith(front, successor)).toBe(200)
  })

  it('has the rights of the file after a reload, and ends with its entry', async () => {
    const front = await frontWith({ api_tokens: [apiToken()] })
    await statusWith(front, token)
    await front.security.reload(document({ managementApi: { api_tokens: [apiToken({ admin: true, roles: [] })] } }))
    expect(await callerWith(front, token)).toMatchObject({
      isAdmin: true,
      roles: [],
    })
    await front.security.reload(document())
    await expectUnknown(front, token)
  })

  it('is warned of two weeks before its end', async () => {
    const front = await frontWith({ api_tokens: [apiToken({ expires: new Date(start + 14 * day) })] })
    const warnings = (): number => front.entries.filter(({ message }) => message.includes('deploy ends at')).length
    expect(warnings()).toBe(0)
    clock += 1
    await statusWith(front, token)
    expect(warnings()).toBe(0)
    clock += day
    await statusWith(front, token)
    await statusWith(front, token)
    expect(warnings()).toBe(1)
    const late = await frontWith({ api_tokens: [apiToken({ expires: new Date(start) })] })
    expect(late.lines.join()).toContain('deploy has ended at')
  })

  it('is bound by the rules where they do not bind the users of the file', async () => {
    const handler = { apply_to_file_users: false, resources: [{ path: '/users' }] }
    const front = await frontWith({ api_tokens: [apiToken()], authorization_handler: handler })
    expect(await statusWith(front, token, '/users')).toBe(403)
  })
})

describe('a token of the trusted issuer', () => {
  let key: IssuerKey
  let rsa: IssuerKey
  let issuer: FakeIssuer
  let front: Front

  beforeAll(async () => {
    key = await newIssuerKey('key')
    rsa = await newIssuerKey('rsa', 'RS256')
    issuer = await startFakeIssuer([key, rsa])
  })

  afterAll(() => issuer.close())

  beforeEach(async () => {
    Object.assign(issuer, { mood: 'well', keys: [key, rsa] })
    front = await trusting()
  })

  const trusting = (more: Record<string, unknown> = {}, root: Record<string, unknown> = {}): Promise<Front> =>
    frontWith(
      { trusted_issuer: { issuer: issuer.url, audience: 'my-api', role_mapping: { ops: 'ops' }, ...more } },
      root,
    )

  const sign = async (claims: Record<string, unknown> = {}, header = {}, by = key): Promise<string> => {
    const nowSeconds = clock / 1000
    const times = { iat: nowSeconds, exp: nowSeconds + 300 }
    return secret(
      await by.sign({ iss: issuer.url, aud: 'my-api', sub: 'alice', roles: ['ops'], ...times, ...claims }, header),
    )
  }

  const whoami = (token: string, at = front): Promise<unknown> => callerWith(at, token)

  it('is taken beside our own, with its roles and a subject of its own domain', async () => {
    const token = await sign()
    expect(await whoami(token)).toMatchObject({
      subject: 'TRUSTED/alice',
      roles: ['ops'],
      isAdmin: false,
      kind: 'issuer',
    })
    expect(await statusWith(front, token, '/whoami/ops')).toBe(200)
    expect(await statusWith(front, await front.login(users.reader))).toBe(200)
    expect(front.events).toContainEqual(expect.objectContaining({ name: 'login', subject: 'TRUSTED/alice' }))
  })

  it('is never a local user: not the administrator of that name, nor by their domain', async () => {
    expect(await whoami(await sign({ sub: 'admin' }))).toMatchObject({ subject: 'TRUSTED/admin', isAdmin: false })
    expect(await whoami(await sign({ sub: 'TRUSTED/admin' }))).toMatchObject({ subject: 'TRUSTED/TRUSTED/admin' })
    await front.security.tokens.revokeUser('admin')
    expect(await statusWith(front, await sign({ sub: 'admin' }))).toBe(200)
  })

  it('gives roles by a path of claims and the mapping, and administrators by the file alone', async () => {
    const claims = { roles: ['admin', 'ops'], realm_access: { roles: ['Operators', 'Chiefs', 'admin'] } }
    const settings = { roles_claim: 'realm_access.roles', domain_name: 'corp' }
    const mapped = await trusting({
      ...settings,
      role_mapping: { Operators: ['ops', 'view'] },
      admin_roles: ['Chiefs'],
    })
    const caller = { subject: 'CORP/alice', roles: ['ops', 'view'], isAdmin: true }
    expect(await whoami(await sign(claims), mapped)).toMatchObject(caller)
    const plain = await trusting({ roles_claim: 'https://example.com/roles', admin_roles: ['boss'] })
    expect(await whoami(await sign({ 'https://example.com/roles': 'boss' }), plain)).toMatchObject({ isAdmin: true })
    const scoped = await trusting({ roles_claim: 'scope' })
    expect(await whoami(await sign({ scope: 'a ops' }), scoped)).toMatchObject({ roles: ['ops'] })
    await expectUnknown(front, await sign({ roles: ['unlisted', 'toString', '__proto__', 'admin'] }))
    const taking = await trusting({ allow_unmapped: true })
    expect(await whoami(await sign({ roles: ['unlisted'] }), taking)).toMatchObject({ roles: [], isAdmin: false })
  })

  it.each<[string, Record<string, unknown>, Record<string, unknown>?]>([
    ['for another audience', { aud: 'other' }],
    ['without an end', { exp: undefined }],
    ['without a subject', { sub: undefined }],
    ['of another type', {}, { typ: 'JWT' }],
    ['that is an ID token', { nonce: 'n', aud: 'my-api' }, { typ: 'JWT' }],
    ['that is a logout token', { events: {} }, { typ: 'logout+jwt' }],
    ['that is too old', { iat: start / 1000 - 86_461, exp: start / 1000 + 60 }],
    ['without a role', { roles: [] }],
  ])('is refused as any text when it is one %s', async (_what, claims, header) => {
    await expectUnknown(front, await sign(claims, header))
    expect(front.lines.join()).toContain('a bearer token that was not issued here was refused')
  })

  it.each(['nonce', 'at_hash', 'c_hash', 'events'])('is refused with %s where its type says nothing', async (claim) => {
    const open = await trusting({ typ: 'JWT' })
    expect(await statusWith(open, await sign({}, { typ: 'JWT' }))).toBe(200)
    expect(await statusWith(open, await sign({ typ: 'Bearer' }, { typ: undefined }))).toBe(200)
    await expectUnknown(open, await sign({ [claim]: 'x' }, { typ: 'JWT' }))
    await expectUnknown(open, await sign({ typ: 'ID' }, { typ: 'JWT' }))
    await expectUnknown(open, await sign({}, { typ: 'at+jwt' }))
  })

  it('is refused without a signature, and with the public key as its secret', async () => {
    const claims = {
      iss: issuer.url,
      aud: 'my-api',
      sub: 'alice',
      roles: ['ops'],
      iat: start / 1000,
      exp: start / 1000 + 60,
    }
    await expectUnknown(front, `${encode({ alg: 'none', typ: 'at+jwt', kid: 'rsa' })}.${encode(claims)}.`)
    const input = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: 'rsa' })}.${encode(claims)}`
    const pem = createPublicKey({ key: rsa.jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    await expectUnknown(front, `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`)
  })

  it('asks the issuer once for a flood of unknown keys', async () => {
    await statusWith(front, await sign())
    issuer.requests.length = 0
    const [, payload, signature] = (await sign()).split('.')
    const forged = Array.from({ length: 100 }, (_, index) => encode({ alg: 'ES256', typ: 'at+jwt', kid: `k${index}` }))
    const statuses = await Promise.all(forged.map((header) => statusWith(front, `${header}.${payload}.${signature}`)))
    expect(new Set(statuses)).toEqual(new Set([401]))
    expect(issuer.requests).toEqual([])
  })

  it('goes on with the keys that are known while the issuer is down; others get 503', async () => {
    await statusWith(front, await sign())
    issuer.mood = 'broken'
    expect(await statusWith(front, await sign({ sub: 'bob' }))).toBe(200)
    const later = await trusting()
    const answer = await later.call('GET', '/whoami', [bearer(await sign())])
    expect(answer.status).toBe(503)
    expect(answer.header('retry-after')).toBe('5')
    expect(await front.login(users.admin)).toBeDefined()
  })

  it.each<[string, (at: Front, token: string) => Promise<unknown>]>([
    ['a logout', (at, token) => at.call('POST', '/logout', [bearer(token)])],
    ['its id', async ({ security: { tokens } }) => tokens.revoke((await tokens.list({ kind: 'issuer' }))[0]!.id)],
    ['its subject', ({ security: { tokens } }) => tokens.revokeUser('TRUSTED/alice')],
  ])('is refused for good after %s, with another signature too', async (_by, revoke) => {
    const token = await sign({ jti: 'one' })
    expect(await statusWith(front, token)).toBe(200)
    await revoke(front, token)
    await expectUnknown(front, token)
    await expectUnknown(front, await sign({ jti: 'one' }))
    await expectUnknown(front, secondSignature(token))
    const unnamed = await sign({ sub: 'bob' })
    expect(await statusWith(front, unnamed)).toBe(200)
    await front.call('POST', '/logout', [bearer(unnamed)])
    await expectUnknown(front, secondSignature(unnamed))
  })

  it('of a user whose tokens were all revoked is refused, also where the clock of the issuer is ahead', async () => {
    const token = await sign({ iat: clock / 1000 + 50 })
    expect(await statusWith(front, token)).toBe(200)
    expect(await front.security.tokens.revokeUser('TRUSTED/alice')).toBe(1)
    await expectUnknown(front, token)
  })

  it('of a user whose tokens were all revoked is good again when it was issued after', async () => {
    await front.security.tokens.revokeUser('TRUSTED/alice')
    await expectUnknown(front, await sign())
    clock += 1000
    expect(await statusWith(front, await sign())).toBe(200)
    clock += 24 * 3_600_000
    expect(await statusWith(front, await sign())).toBe(200)
  })

  it('is refused when its text was seen and its rights have changed with the file', async () => {
    const token = await sign()
    await statusWith(front, token)
    await front.security.reload(
      document({
        managementApi: { trusted_issuer: { issuer: issuer.url, audience: 'other', allow_unmapped: true } },
      }),
    )
    await expectUnknown(front, token)
  })
})

/** Of one ECDSA signature (r, s) anybody makes a second one, (r, n - s), without the key. */
function secondSignature(token: string): string {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const [header, payload, signature] = token.split('.')
  const bytes = Buffer.from(signature!, 'base64url')
  const s = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  bytes.set(Buffer.from(s.toString(16).padStart(64, '0'), 'hex'), 32)
  return `${header}.${payload}.${bytes.toString('base64url')}`
}

describe("a token of WSO2's control plane", () => {
  const material = 'material.of-more-than-32-bytes-with-a-dot'
  const icp = (more: Record<string, unknown> = {}) => ({
    icp_config: { enabled: true, secret: `key-1.${material}`, ...more },
  })

  interface Parts {
    readonly header?: object
    readonly claims?: object
    readonly key?: string
  }

  function sign({ header, claims, key = material }: Parts = {}): string {
    const now = clock / 1000
    const fixed = {
      iss: 'icp-runtime-jwt-issuer',
      aud: 'icp-server',
      sub: 'icp-artifact-fetcher',
      iat: now,
      exp: now + 300,
    }
    const input = `${encode({ alg: 'HS256', typ: 'JWT', kid: 'key-1', ...header })}.${encode({ ...fixed, ...claims })}`
    return secret(`${input}.${createHmac('sha256', key).update(input).digest('base64url')}`)
  }

  it('is an administrator of its own name, which the start says', async () => {
    const front = await frontWith({}, icp())
    expect(await callerWith(front, sign())).toMatchObject({ subject: 'ICP/key-1', isAdmin: true, kind: 'icp' })
    expect(await statusWith(front, sign(), '/users')).toBe(403) // as everybody gets it while users are those of the file
    expect(front.lines.join()).toContain('icp_config.secret: makes an administrator of whoever has this secret')
    expect(front.events).toContainEqual(expect.objectContaining({ name: 'login', subject: 'ICP/key-1', kind: 'icp' }))
  })

  it.each<[string, Parts]>([
    ['for another audience', { claims: { aud: 'icp-client' } }],
    ['of another issuer', { claims: { iss: 'icp' } }],
    ['without an end', { claims: { exp: undefined } }],
    ['without a time of issue', { claims: { iat: undefined } }],
    ['that has ended', { claims: { exp: start / 1000 - 60 } }],
    ['that a runtime sends with its heartbeat', { claims: { sub: 'icp-runtime' } }],
    ['without a subject', { claims: { sub: undefined } }],
    ['without a key id', { header: { kid: undefined } }],
    ['of another key id', { header: { kid: 'key-2' } }],
    ['that says HS512', { header: { alg: 'HS512' } }],
    ['that says none', { header: { alg: 'none' } }],
    ['that says what our own say', { header: { typ: 'at+jwt' } }],
    ['of another secret', { key: `${material}x` }],
    ['of the whole secret', { key: `key-1.${material}` }],
    ['of the decoded secret', { key: Buffer.from(material, 'base64url').toString('latin1') }],
  ])('is refused as any text when it is one %s', async (_what, parts) => {
    await expectUnknown(await frontWith({}, icp()), sign(parts))
  })

  it('is good when the clock there is a minute ahead', async () => {
    const front = await frontWith({}, icp())
    expect(await statusWith(front, sign({ claims: { iat: start / 1000 + 60 } }))).toBe(200)
  })

  it('is refused from another address, once it is revoked, and while it is not switched on', async () => {
    await expectUnknown(await frontWith({}, icp({ allow: ['10.0.0.0/8'] })), sign())
    await expectUnknown(await frontWith({}, icp({ enabled: false })), sign())
    const front = await frontWith({}, icp())
    expect(await statusWith(front, sign())).toBe(200)
    await front.security.tokens.revokeUser('ICP/key-1')
    await expectUnknown(front, sign())
  })
})
