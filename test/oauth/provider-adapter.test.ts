import { expect, it } from 'vitest'
import { MemoryTokenStore } from '../../lib/middleware.js'
import { MemoryOauthStore, type OauthEntry, type RemovedEntry } from '../../lib/oauth/oauth-store.js'
import { createAdapterFactory } from '../../lib/oauth/provider-adapter.js'
import { createStartedSignIns } from '../../lib/oauth/sign-in.js'
import { createSignOns, recordIdFrom, type SignOns } from '../../lib/oauth/sign-ons.js'
import { checkedTokenStore } from '../../lib/tokens/checked-token-store.js'
import { Revocations } from '../../lib/tokens/revocations.js'
import { createAccounts } from '../../lib/users/accounts.js'

const account = { subject: 'alice', roles: ['viewer'], isAdmin: false, version: '1' }
const grantId = 'grant 1'
/** A sign-in that a user has answered: before, nothing is kept of it. */
const answered = { result: { login: { accountId: 'alice' } } } as const

/** Adapters over stores in memory, with a clock of their own. */
function adapters(maxEntries = 10) {
  let now = Date.now()
  const clock = () => now
  const evicted: RemovedEntry[] = []
  const oauthStore = new MemoryOauthStore({ maxEntries, clock, onEvict: (entries) => void evicted.push(...entries) })
  const tokenStore = checkedTokenStore(new MemoryTokenStore({ clock }))
  const users = { authenticate: async () => ({ account }), find: async () => account, close() {} }
  const accounts = createAccounts({ users, clock })
  const revocations = new Revocations(clock)
  const oauth = { signOnIdleMs: 60_000, signOnAbsoluteMs: 600_000 }
  const signOns: SignOns = createSignOns({ store: tokenStore, oauthStore, accounts, revocations, clock, oauth })
  const adapterOf = createAdapterFactory({
    oauthStore,
    store: tokenStore,
    revocations,
    signOns,
    // Those of the adapter alone have no record.
    accessTokens: { isLive: async () => true },
    startedSignIns: createStartedSignIns(clock, new Uint8Array(32)),
    clock,
    createAlreadyUsedError: () => new Error('used before'),
  })
  const of = (name: string) => adapterOf(name) as Required<ReturnType<typeof adapterOf>>
  return {
    of,
    oauthStore,
    tokenStore,
    signOns,
    evicted,
    pass: (ms: number) => {
      now += ms
    },
    begin: (credentialBefore?: string) =>
      signOns.start(account, { address: undefined, factors: ['password'], startedAt: now, credentialBefore }),
  }
}

// Covers: G17
it('finds what was put, until its time is up by the clock that it was given', async () => {
  const { of, pass } = adapters()
  const payload = { jti: 'i', kind: 'Interaction', returnTo: '/', ...answered }
  await of('Interaction').upsert('i', payload, 60)
  expect(await of('Interaction').find('i')).toEqual(payload)
  pass(59_999)
  expect(await of('Interaction').find('i')).toEqual(payload)
  pass(1)
  expect(await of('Interaction').find('i')).toBe(undefined)
})

it('keeps models apart, and knows none but its own', async () => {
  const { of } = adapters()
  await of('Interaction').upsert('x', { jti: 'x', ...answered }, 60)
  for (const model of ['Grant', 'Session', 'AccessToken', 'Client', 'DeviceCode']) {
    expect(await of(model).find('x')).toBe(undefined)
  }
  await of('DeviceCode').upsert('x', {}, 60)
  expect(await of('DeviceCode').find('x')).toBe(undefined)
  expect(await of('DeviceCode').findByUid('x')).toBe(undefined)
  expect(await of('DeviceCode').findByUserCode('x')).toBe(undefined)
  await of('DeviceCode').destroy('x')
  await of('DeviceCode').revokeByGrantId('x')
})

it('holds no credential', async () => {
  const { of, oauthStore } = adapters()
  const put: OauthEntry[] = []
  const seen = oauthStore.put.bind(oauthStore)
  oauthStore.put = (entry) => {
    put.push(entry)
    seen(entry)
  }
  await of('Grant').upsert(grantId, { jti: grantId }, 60)
  await of('AuthorizationCode').upsert('the code', { jti: 'the code', grantId }, 60)
  await of('RefreshToken').upsert('the token', { jti: 'the token', grantId }, 60)
  await of('Interaction').upsert(
    'the login',
    { jti: 'the login', session: { uid: 'u', cookie: 'the cookie' }, ...answered } as never,
    60,
  )
  expect(JSON.stringify(put)).not.toMatch(/the (?:code|token|login|cookie)/)
  expect(await of('AuthorizationCode').find('the code')).toEqual({ jti: 'the code', grantId })
})

it('marks a code as used once, and ends its grant the second time', async () => {
  const { of } = adapters()
  await of('Grant').upsert(grantId, { jti: grantId }, 60)
  await of('AuthorizationCode').upsert('c', { jti: 'c', grantId }, 60)
  await of('RefreshToken').upsert('r', { jti: 'r', grantId }, 60)
  await of('AuthorizationCode').consume('c')
  expect((await of('AuthorizationCode').find('c'))?.consumed).toBeTypeOf('number')
  expect(await of('RefreshToken').find('r')).toBeDefined()

  await expect(of('AuthorizationCode').consume('c')).rejects.toThrow('used before')
  expect(await of('RefreshToken').find('r')).toBe(undefined)
  expect(await of('Grant').find(grantId)).toBe(undefined)
  await expect(of('AuthorizationCode').consume('unknown')).rejects.toThrow('used before')
})

it('lets one of many that come at a time use a code', async () => {
  const { of } = adapters()
  await of('Grant').upsert(grantId, { jti: grantId }, 60)
  await of('AuthorizationCode').upsert('c', { jti: 'c', grantId }, 60)
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => of('AuthorizationCode').consume('c')))
  expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(1)
})

it('takes nothing for a grant that was revoked', async () => {
  const { of } = adapters()
  await of('Grant').upsert(grantId, { jti: grantId }, 60)
  await of('RefreshToken').upsert('r', { jti: 'r', grantId }, 60)
  await of('RefreshToken').revokeByGrantId(grantId)
  expect(await of('RefreshToken').find('r')).toBe(undefined)
  expect(await of('Grant').find(grantId)).toEqual({ jti: grantId })

  await of('Grant').destroy(grantId)
  await of('RefreshToken').upsert('late', { jti: 'late', grantId }, 60)
  expect(await of('RefreshToken').find('late')).toBe(undefined)
})

it('ends the record of an access token with its grant', async () => {
  const { of, oauthStore, tokenStore, begin } = adapters()
  const { id } = await begin()
  await of('Grant').upsert(grantId, { jti: grantId }, 60)
  const expiresAt = Date.now() + 60_000
  oauthStore.put({ model: 'AccessToken', id, subject: 'alice', payload: {}, expiresAt, grantId })
  await of('AccessToken').revokeByGrantId(grantId)
  expect(tokenStore.find(id)).toBe(undefined)
})

it('finds a session by its cookie and by its name, while the sign-on is live', async () => {
  const { of, begin, signOns, pass } = adapters()
  const { credential, id } = await begin()
  const session = await of('Session').find(credential)
  expect(session).toMatchObject({ jti: credential, accountId: 'alice' })
  const uid = session!.uid!
  expect(recordIdFrom(uid)).toBe(id)
  expect(await of('Session').findByUid(uid)).toMatchObject({ accountId: 'alice' })
  expect(await of('Session').findByUid('unknown')).toBe(undefined)

  pass(60_000)
  expect(await of('Session').find(credential)).toBe(undefined)
  expect(await of('Session').findByUid(uid)).toMatchObject({ accountId: 'alice' })

  await signOns.end(uid)
  expect(await of('Session').findByUid(uid)).toBe(undefined)
  await of('Session').upsert(credential, { ...session!, jti: credential }, 60)
  expect(await of('Session').findByUid(uid)).toBe(undefined)
})

it('knows a session under its newest cookie only', async () => {
  const { of, begin } = adapters()
  const first = await begin()
  const second = await begin(first.credential)
  expect(second.id).toBe(first.id)
  expect(await of('Session').find(first.credential)).toBe(undefined)
  const session = await of('Session').find(second.credential)
  await of('Session').destroy(second.credential)
  await of('Session').upsert('third', { ...session!, jti: 'third' }, 60)
  expect(await of('Session').find('third')).toMatchObject({ accountId: 'alice' })
  expect(await of('Session').findByUid(session!.uid!)).toMatchObject({ accountId: 'alice' })
})

it('keeps nothing that strangers make', async () => {
  const { of, oauthStore } = adapters(3)
  await of('Interaction').upsert('i', { jti: 'i' }, 60)
  await of('Session').upsert('s', { jti: 's', uid: 'u' }, 60)
  expect(await of('Interaction').find('i')).toBe(undefined)
  expect(await of('Session').find('s')).toBe(undefined)
  expect(oauthStore.findSession('u')).toBe(undefined)
})

it('evicts the grant that was used least, with all that belongs to it', async () => {
  const { of, evicted } = adapters(2)
  for (const id of ['a', 'b']) {
    await of('Grant').upsert(id, { jti: id }, 60)
    await of('RefreshToken').upsert(`of ${id}`, { jti: `of ${id}`, grantId: id }, 60)
  }
  await of('Grant').find('a')
  await of('Grant').upsert('c', { jti: 'c' }, 60)
  expect(await of('RefreshToken').find('of b')).toBe(undefined)
  expect(await of('RefreshToken').find('of a')).toBeDefined()
  expect(evicted.map(({ model }) => model)).toEqual(['Grant', 'RefreshToken'])
})

it('forgets everything when it is closed', async () => {
  const { of, oauthStore } = adapters()
  await of('Grant').upsert(grantId, { jti: grantId }, 60)
  oauthStore.close()
  expect(await of('Grant').find(grantId)).toBe(undefined)
})

// Covers: G06
it('knows a refresh token that was used, however many tokens its family has had since', async () => {
  const { of, oauthStore } = adapters()
  await of('Grant').upsert(grantId, { jti: grantId }, 3600)
  await of('RefreshToken').upsert('stolen', { jti: 'stolen', grantId }, 3600)
  await of('RefreshToken').consume('stolen')
  for (let index = 0; index < 1000; index++) {
    await of('AccessToken').upsert(`access ${index}`, { jti: `access ${index}`, grantId }, 3600)
  }
  expect(await of('AccessToken').find('access 0')).toBe(undefined)
  expect(await of('AccessToken').find('access 999')).toBeDefined()
  await expect(of('RefreshToken').consume('stolen')).rejects.toThrow('used before')
  expect(oauthStore.find('Grant', grantId)).toBe(undefined)
  expect(await of('AccessToken').find('access 999')).toBe(undefined)
})

// Covers: G06
it('ends a family that has nothing left but used refresh tokens, rather than forget one', async () => {
  const { of, oauthStore, evicted, pass } = adapters()
  await of('Grant').upsert(grantId, { jti: grantId }, 3600)
  await of('RefreshToken').upsert('short', { jti: 'short', grantId }, 1)
  pass(1000)
  for (let index = 0; index < 300; index++) {
    await of('RefreshToken').upsert(`refresh ${index}`, { jti: `refresh ${index}`, grantId }, 3600)
  }
  expect(oauthStore.find('Grant', grantId)).toBeDefined()
  expect(evicted.map(({ model }) => model)).toEqual(['RefreshToken'])
  await of('RefreshToken').upsert('one more', { jti: 'one more', grantId }, 3600)
  expect(oauthStore.find('Grant', grantId)).toBe(undefined)
  expect(await of('RefreshToken').find('one more')).toBe(undefined)
})
