import express from 'express'
import request from 'supertest'
import { describe, expect, it, onTestFinished } from 'vitest'
import { getAuth, type SecurityEventMap } from '../../lib/index.js'
import {
  type AuthCoreOptions,
  basicAuthentication,
  basicLogin,
  bearerAuthentication,
  createAuthCore,
  createKeyRing,
  errorResponses,
  fileUserStore,
  logout,
  MemoryTokenStore,
  pathAuthorization,
  portalSession,
  SecurityEvents,
} from '../../lib/middleware.js'
import { recordedLog } from '../helpers/recorded-log.js'

const password = 'Correct-horse-1'
const keys = createKeyRing({ algorithm: 'ES256' })

/** A core with the user alice, who is no administrator. */
async function startCore(options: Partial<AuthCoreOptions> = {}) {
  const users = await fileUserStore({ users: [{ name: 'alice', password, isAdmin: false, roles: ['viewer'] }] })
  const { logger, entries } = recordedLog()
  const core = await createAuthCore({ users, keys: await keys, logger, failureFloorMs: 0, ...options })
  onTestFinished(() => core.close())
  const account = await core.authenticator.authenticate('alice', password, { address: '127.0.0.1' })
  return { core, account, entries }
}

/** Every event of a name from now on. */
function record<Name extends keyof SecurityEventMap>(events: SecurityEvents, name: Name): SecurityEventMap[Name][] {
  const seen: SecurityEventMap[Name][] = []
  const listener = (event: SecurityEventMap[Name]): void => void seen.push(event)
  events.on<keyof SecurityEventMap>(name, listener as (...event: unknown[]) => void)
  return seen
}

describe('an app that is composed by hand from a core', () => {
  async function startApp() {
    const { core } = await startCore()
    const app = express()
    app.use('/login', basicLogin(core))
    app.use('/basic', basicAuthentication(core), (req, res) => void res.json({ caller: getAuth(req).kind }))
    app.use(bearerAuthentication(core))
    app.use('/logout', logout(core))
    app.use(pathAuthorization({ ...core, rules: [{ path: '/admin' }] }))
    app.get('/hello', (req, res) => void res.json({ caller: getAuth(req).subject }))
    app.use(errorResponses(core))
    return { core, app }
  }

  it('signs in, serves, refuses what needs an administrator, and signs out', async () => {
    const { app } = await startApp()
    const login = await request(app).get('/login').auth('alice', password).expect(200)
    const token = (login.body as { AccessToken: string }).AccessToken
    const get = (path: string) => request(app).get(path).auth(token, { type: 'bearer' })
    expect((await get('/hello').expect(200)).body).toEqual({ caller: 'alice' })
    await get('/admin').expect(403)
    await get('/logout').expect(200)
    await get('/hello').expect(401)
    expect((await request(app).get('/basic').auth('alice', password).expect(200)).body).toEqual({ caller: 'basic' })
  })

  it('reports each refusal once', async () => {
    const { app, core } = await startApp()
    const refusals = record(core.events, 'refusal')
    const logins = record(core.events, 'loginRefused')
    await request(app).get('/hello').set('Accept', 'application/json').expect(401)
    await request(app).get('/login').auth('alice', 'wrong').expect(401)
    expect(refusals.map(({ code }) => code)).toEqual(['ERR_AUTH_REQUIRED'])
    expect(logins.map(({ reason }) => reason)).toEqual(['wrong-password'])
  })

  it('locks a user for every login, however it is made', async () => {
    const { app, core } = await startApp()
    const locks = record(core.events, 'lock')
    for (let failure = 0; failure < 5; failure++) await request(app).get('/login').auth('alice', 'wrong').expect(401)
    await request(app).get('/basic').auth('alice', password).expect(429)
    expect(locks).toHaveLength(1)
    await core.throttle?.unlock('alice')
    await request(app).get('/basic').auth('alice', password).expect(200)
  })

  it('guards a portal, whose sessions a revocation ends together with the tokens', async () => {
    const { core, account } = await startCore()
    const sessions = core.createSessions({ portal: 'shop', idleTimeoutMs: 60_000, absoluteTimeoutMs: 600_000 })
    const { token } = await core.tokens.issue(account)
    const { credential } = await sessions.start(account)
    const app = express()
    app.use('/shop', portalSession({ ...core, name: 'shop', sessions }), (_req, res) => void res.json('open'))
    app.use('/api', bearerAuthentication(core), (_req, res) => void res.json('open'))
    app.use(errorResponses(core))
    const atShop = () => request(app).get('/shop').set('Cookie', `__Host-sallyport-shop=${credential}`)
    const atApi = () => request(app).get('/api').auth(token, { type: 'bearer' })
    await request(app).get('/shop').expect(401)
    await atShop().expect(200)
    await atApi().expect(200)

    expect(await core.tokens.revokeUser('alice')).toBe(2)
    await atApi().expect(401)
    await atShop().expect(401)
  })
})

describe('createAuthCore', () => {
  it('gives the names that the options of gates have', async () => {
    const { core } = await startCore()
    expect(Object.keys(core).sort()).toEqual(
      [
        ...['accounts', 'authenticator', 'clock', 'close', 'createSessions', 'events', 'keys', 'logger'],
        ...['revocations', 'store', 'throttle', 'tokens', 'users'],
      ].sort(),
    )
  })

  it('issues tokens for an hour, of the issuer and audience that the wiring by a file has', async () => {
    const { core, account } = await startCore({ clock: () => 1_000_000_000_000 })
    const { token, expiresAt } = await core.tokens.issue(account)
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as object
    expect(claims).toMatchObject({ iss: 'urn:sallyport:management', aud: 'management-api', sub: 'alice' })
    expect(expiresAt).toBe(1_000_000_000_000 + 3_600_000)
  })

  it('ends tokens and sessions of a user who is no longer there', async () => {
    const users = await fileUserStore({ users: [{ name: 'alice', password, isAdmin: false, roles: [] }] })
    const { core, account } = await startCore({ users })
    const sessions = core.createSessions({ portal: 'shop', idleTimeoutMs: 60_000, absoluteTimeoutMs: 600_000 })
    const { token } = await core.tokens.issue(account)
    const { credential } = await sessions.start(account)
    await users.replace([])
    await expect((async () => core.tokens.verify(token))()).rejects.toMatchObject({ code: 'ERR_TOKEN_INVALID' })
    await expect((async () => sessions.verify(credential, true))()).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' })
  })

  it('reports what its own store evicts', async () => {
    const { core, account } = await startCore()
    const evictions = record(core.events, 'eviction')
    const first = await core.tokens.issue(account)
    for (let count = 0; count < 200; count++) await core.tokens.issue(account)
    expect(evictions).toMatchObject([{ tokenId: first.id, subject: 'alice', kind: 'management' }])
  })

  it('limits no guesses with throttle: false', async () => {
    const { core } = await startCore({ throttle: false })
    expect(core.throttle).toBeUndefined()
    const wrong = () => core.authenticator.authenticate('alice', 'wrong', { address: '127.0.0.1' })
    for (let guess = 0; guess < 7; guess++) await expect(wrong()).rejects.toMatchObject({ statusCode: 401 })
  })

  it('closes the store that it made, and none of the caller', async () => {
    const own = new MemoryTokenStore()
    const { core, account } = await startCore({ tokenStore: own })
    const { id } = await core.tokens.issue(account)
    await core.close()
    expect(own.find(id)).toMatchObject({ subject: 'alice' })
    own.close()
    const other = await startCore()
    const issued = await other.core.tokens.issue(other.account)
    await other.core.close()
    expect(await other.core.store.find(issued.id)).toBeUndefined()
  })

  it('writes its events to the logger, or to events of the caller', async () => {
    const { core, account, entries } = await startCore()
    await core.tokens.revokeUser(account.subject)
    expect(entries.map(({ message }) => message)).toContain('tokens revoked')
    const events = new SecurityEvents(recordedLog().logger)
    const revocations = record(events, 'revocation')
    const other = await startCore({ events })
    await other.core.tokens.revokeUser('alice')
    expect([other.core.events, revocations.length]).toEqual([events, 1])
  })

  it('rejects what createTokens refuses', async () => {
    await expect(startCore({ expiryMs: 0 })).rejects.toThrow(TypeError)
  })
})
