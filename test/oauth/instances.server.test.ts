import type { AddressInfo } from 'node:net'
import express from 'express'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createAuthCore } from '../../lib/app/auth-core.js'
import { openOauth } from '../../lib/app/oauth-area.js'
import { readConfig } from '../../lib/config/load.js'
import type { Logger } from '../../lib/core/logger.js'
import { standAlone } from '../../lib/http/refusals.js'
import { bearerAuthentication, errorResponses } from '../../lib/middleware.js'
import type { OauthStore, OauthStoreOptions } from '../../lib/oauth/oauth-store.js'
import { RedisOauthStore } from '../../lib/oauth/redis-oauth-store.js'
import { SqlOauthStore } from '../../lib/oauth/sql-oauth-store.js'
import { openAt } from '../../lib/redis/redis-connection.js'
import { RedisLink } from '../../lib/redis/redis-link.js'
import { SqlLink } from '../../lib/sql/sql-link.js'
import { type ChangingKeyRing, keyRingFrom } from '../../lib/tokens/keys/key-ring.js'
import { type KeySet, newKeys } from '../../lib/tokens/keys/signing-key.js'
import { RedisTokenStore } from '../../lib/tokens/redis/redis-token-store.js'
import { SqlTokenStore } from '../../lib/tokens/sql/sql-token-store.js'
import type { TokenStore } from '../../lib/tokens/token-store.js'
import type { LoginThrottleOptions, ManagedLoginThrottle } from '../../lib/users/throttle/login-throttle.js'
import { createRedisThrottle } from '../../lib/users/throttle/redis-throttle.js'
import { createSqlThrottle } from '../../lib/users/throttle/sql-throttle.js'
import { MemoryUserStore } from '../helpers/memory-user-store.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { startRedis } from '../helpers/redis.js'
import { sqlEngines } from '../helpers/sql-engines.js'
import {
  type Answer,
  authorizeUrl,
  Browser,
  exchange,
  issuer,
  newCode,
  newTokens,
  type OauthFront,
  passwords,
  pkce,
  providers,
  refresh,
  sendTo,
  type TokenAnswer,
  userinfo,
} from './front.js'

const audience = 'https://api.example.com'

/** What one process has of a store. */
interface Stores {
  readonly link: { start(): Promise<void>; close(): Promise<void> }
  readonly tokenStore: TokenStore
  createOauthStore(options: Omit<OauthStoreOptions, 'clock'>): OauthStore
  createThrottle(options: LoginThrottleOptions, name: string): ManagedLoginThrottle
}

/** A running server. */
interface Server {
  connect(keyPrefix: string, logger: Logger): Promise<Stores>
  stop(): Promise<void>
}

const servers: readonly { readonly name: string; readonly start: () => Promise<Server> }[] = [
  {
    name: 'Redis',
    async start() {
      const server = await startRedis()
      return {
        async connect(keyPrefix, logger) {
          const link = new RedisLink({ open: openAt({ url: server.url }), keyPrefix, logger })
          return {
            link,
            tokenStore: new RedisTokenStore({ link }),
            createOauthStore: (options) => new RedisOauthStore({ ...options, link }),
            createThrottle: (options, name) => createRedisThrottle({ ...options, name, link, logger }),
          }
        },
        stop: () => server.stop(),
      }
    },
  },
  ...sqlEngines.map(({ name, start }) => ({
    name,
    async start(): Promise<Server> {
      const engine = await start()
      return {
        async connect(keyPrefix, logger) {
          const link = new SqlLink({ database: await engine.open(), keyPrefix, logger })
          return {
            link,
            tokenStore: new SqlTokenStore({ link }),
            createOauthStore: (options) => new SqlOauthStore({ ...options, link }),
            createThrottle: (options, name) => createSqlThrottle({ ...options, name, link, logger }),
          }
        },
        stop: () => engine.server.stop(),
      }
    },
  })),
]

describe.each(servers)('instances that share $name', ({ start }) => {
  let server: Server
  let keySet: KeySet
  let count = 0

  beforeAll(async () => {
    server = await start()
    keySet = await newKeys('ES256', 2048)
  })

  afterAll(() => server?.stop())

  /** One process: an app with a link, a token store and an authorization server of its own. */
  interface Instance extends OauthFront {
    readonly link: Stores['link']
    readonly keys: ChangingKeyRing
    api(token: string): Promise<Answer>
  }

  async function instance(keyPrefix: string, ownKeys = keySet, clock = Date.now, more: object = {}): Promise<Instance> {
    const log = recordedLog()
    const { logger } = log
    const { link, tokenStore, createOauthStore, createThrottle } = await server.connect(keyPrefix, logger)
    const users = new MemoryUserStore({ users: { alice: { password: passwords.alice, roles: [] } } })
    const keys = keyRingFrom(ownKeys, clock)
    const core = await createAuthCore({
      users,
      tokenStore,
      keys,
      throttle: false,
      logger,
      clock,
    })
    const source = {
      internal_apis: { users: [{ user: { name: 'unused', password: passwords.bob } }] },
      oauth: { enable: true, issuer, algorithm: 'ES256', service_provider: providers, ...more },
    }
    const config = await readConfig(source, {})
    const oauth = await openOauth(config, {
      ...core,
      running: { config },
      keySet: ownKeys,
      sharedStore: { createOauthStore, createThrottle },
    })
    await link.start()
    const app = express()
    app.use('/oauth2', standAlone({ gates: oauth!.gates, readsPath: true }, core))
    app.get('/api', bearerAuthentication({ ...core, audience }), (_request, response) => void response.json({}))
    app.use(errorResponses(core))
    const listening = app.listen(0, '127.0.0.1')
    await new Promise((resolve) => listening.once('listening', resolve))
    onTestFinished(async () => {
      listening.closeAllConnections()
      await new Promise((resolve) => listening.close(resolve))
      await oauth!.close()
      await link.close()
    })
    const { port } = listening.address() as AddressInfo
    const send: OauthFront['send'] = (path, init) => sendTo(port, path, init)
    const api = (token: string) => send('/api', { headers: { authorization: `Bearer ${token}` } })
    const browser = () => new Browser(send)
    return { link, keys, api, send, browser, log, port } as Partial<Instance> as Instance
  }

  async function pair(oauth?: object): Promise<readonly [Instance, Instance]> {
    const keyPrefix = `instances-${count++}`
    const create = () => instance(keyPrefix, keySet, Date.now, oauth)
    return [await create(), await create()]
  }

  /** A browser behind a proxy that sends each request to the other instance. */
  function alternatingBrowser(instances: readonly Instance[]): Browser {
    let turn = 0
    return new Browser((path, init) => instances[turn++ % instances.length]!.send(path, init))
  }

  const statuses = (answers: readonly Answer[]): readonly number[] => answers.map(({ status }) => status)

  describe('a sign-in', () => {
    it('is started, shown, answered and resumed on one instance after the other', async () => {
      const [a, b] = await pair()
      const { verifier, challenge } = pkce()
      const steps: Answer[] = []
      const browser = alternatingBrowser([a, b])
      steps.push(await browser.go(authorizeUrl(challenge)))
      const login = steps[0]!.headers.location!
      steps.push(await browser.go(login))
      steps.push(await browser.go(login))
      const body = new URLSearchParams({ username: 'alice', password: passwords.alice })
      steps.push(await browser.go(login, { method: 'POST', body }))
      steps.push(await browser.go(steps[3]!.headers.location!))
      expect(statuses(steps)).toEqual([303, 200, 200, 303, 303])
      const code = new URL(steps[4]!.headers.location!).searchParams.get('code')!
      const answer = await exchange(b, code, verifier)
      expect(answer.status).toBe(200)

      // Signed on, everywhere.
      const again = await newCode(alternatingBrowserWith(browser, [b, a]))
      expect(again.back.searchParams.get('code')).toBeTruthy()
    })

    it('is worth nothing where another key signs', async () => {
      const [a] = await pair()
      const stranger = await instance(`instances-${count - 1}`, await newKeys('ES256', 2048))
      const browser = alternatingBrowser([a, a, a, stranger])
      const started = await browser.go(authorizeUrl(pkce().challenge))
      const seen: Answer[] = []
      for (let visit = 0; visit < 3; visit++) seen.push(await browser.go(started.headers.location!))
      expect(statuses(seen)).toEqual([200, 200, 400])
    })
  })

  /** The same cookies, at other instances. */
  function alternatingBrowserWith({ cookies }: Browser, instances: readonly Instance[]): Browser {
    const browser = alternatingBrowser(instances)
    for (const [name, cookie] of cookies) browser.cookies.set(name, cookie)
    return browser
  }

  describe('a code', () => {
    it('gives tokens to exactly one of 100 that come to two instances at a time, and they are dead', async () => {
      const [a, b] = await pair()
      const { code, verifier } = await newCode(a.browser())
      const attempts = Array.from({ length: 50 }, () => [a, b].map((each) => exchange(each, code, verifier)))
      const answers = await Promise.all(attempts.flat())
      const good = answers.filter(({ status }) => status === 200)
      expect(good.length).toBe(1)
      expect(answers.filter(({ status }) => status === 400).length).toBe(99)
      const tokens = good[0]!.json() as unknown as TokenAnswer
      for (const each of [a, b]) {
        expect((await userinfo(each, tokens.access_token)).status).toBe(401)
        expect((await each.api(tokens.access_token)).status).toBe(401)
        expect((await refresh(each, tokens.refresh_token)).status).toBe(400)
      }
    })

    it('that was used ends what it gave when it comes to another instance', async () => {
      const [a, b] = await pair()
      const { code, verifier } = await newCode(a.browser())
      const { access_token } = (await exchange(a, code, verifier)).json() as unknown as TokenAnswer
      expect((await a.api(access_token)).status).toBe(200)
      expect((await exchange(b, code, verifier)).json()['error']).toBe('invalid_grant')
      await expect.poll(async () => (await a.api(access_token)).status).toBe(401)
    })
  })

  describe('tokens of one instance', () => {
    it('are good at the other: at its endpoints, at its API, and by its keys', async () => {
      const [a, b] = await pair()
      const tokens = await newTokens(a, a.browser())
      expect((await userinfo(b, tokens.access_token)).json()).toMatchObject({ sub: 'alice' })
      expect((await b.api(tokens.access_token)).status).toBe(200)
      const keys = createLocalJWKSet((await b.send('/oauth2/jwks')).json() as unknown as JSONWebKeySet)
      await jwtVerify(tokens.id_token, keys, { issuer })
      await jwtVerify(tokens.access_token, keys, { issuer, audience })
    })

    it('are good at the other at once, though its clock is behind', async () => {
      const [a] = await pair()
      const behind = await instance(`instances-${count - 1}`, keySet, () => Date.now() - 30_000)
      const tokens = await newTokens(a, a.browser())
      expect((await behind.api(tokens.access_token)).status).toBe(200)
      expect((await userinfo(behind, tokens.access_token)).status).toBe(200)
    })

    it('are refreshed at the other, and a refresh token of before ends the family on both', async () => {
      const [a, b] = await pair()
      const first = await newTokens(a, a.browser())
      const second = (await refresh(b, first.refresh_token)).json() as unknown as TokenAnswer
      const third = (await refresh(a, second.refresh_token)).json() as unknown as TokenAnswer
      expect((await b.api(third.access_token)).status).toBe(200)
      expect((await refresh(b, first.refresh_token)).json()['error']).toBe('invalid_grant')
      for (const each of [a, b]) {
        await expect.poll(async () => (await each.api(third.access_token)).status).toBe(401)
        expect((await refresh(each, third.refresh_token)).status).toBe(400)
      }
    })

    it('are refreshed once by 100 attempts at two instances', async () => {
      const [a, b] = await pair()
      const { refresh_token } = await newTokens(a, a.browser())
      const attempts = Array.from({ length: 50 }, () => [a, b].map((each) => refresh(each, refresh_token)))
      const answers = await Promise.all(attempts.flat())
      expect(answers.filter(({ status }) => status === 200).length).toBe(1)
      expect(answers.filter(({ status }) => status === 400).length).toBe(99)
    })

    it('are refreshed at both at once within the window, with one successor, and a third time at neither', async () => {
      const [a, b] = await pair({ refresh_reuse_window: '30s' })
      const { refresh_token } = await newTokens(a, a.browser())
      const both = await Promise.all([a, b].map((each) => refresh(each, refresh_token)))
      expect(statuses(both)).toEqual([200, 200])
      const [one, two] = both.map((answer) => answer.json() as unknown as TokenAnswer)
      expect(two!.refresh_token).toBe(one!.refresh_token)
      for (const { access_token } of [one!, two!]) expect((await b.api(access_token)).status).toBe(200)
      expect((await refresh(b, refresh_token)).json()['error']).toBe('invalid_grant')
      for (const each of [a, b]) {
        await expect.poll(async () => (await each.api(one!.access_token)).status).toBe(401)
        expect((await refresh(each, one!.refresh_token)).status).toBe(400)
      }
    })

    it('have one successor at the most after 50 attempts at two instances within the window', async () => {
      const [a, b] = await pair({ refresh_reuse_window: '30s' })
      const { refresh_token } = await newTokens(a, a.browser())
      const attempts = Array.from({ length: 25 }, () => [a, b].map((each) => refresh(each, refresh_token)))
      const good = (await Promise.all(attempts.flat())).filter(({ status }) => status === 200)
      expect(good.length).toBeLessThanOrEqual(2)
      const successors = new Set(good.map((answer) => answer.json()['refresh_token']))
      expect(successors.size).toBe(1)
      for (const successor of successors) expect((await refresh(b, String(successor))).status).toBe(400)
    })

    it.each(['access_token', 'refresh_token'] as const)(
      'end with a revocation of the %s at the other',
      async (name) => {
        const [a, b] = await pair()
        const tokens = await newTokens(a, a.browser())
        expect((await b.api(tokens.access_token)).status).toBe(200)
        const body = new URLSearchParams({ client_id: 'devportal-app', token: tokens[name] })
        expect((await a.send('/oauth2/revoke', { method: 'POST', body })).status).toBe(200)
        await expect.poll(async () => (await b.api(tokens.access_token)).status).toBe(401)
        expect((await userinfo(b, tokens.access_token)).status).toBe(401)
        expect((await refresh(b, tokens.refresh_token)).status).toBe(400)
      },
    )

    it('end with the sign-on that is ended at the other, whose page the first has shown', async () => {
      const [a, b] = await pair()
      const browser = a.browser()
      const tokens = await newTokens(a, browser)
      expect((await b.api(tokens.access_token)).status).toBe(200)
      const there = alternatingBrowserWith(browser, [a, b])
      const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec((await there.go('/oauth2/logout')).text) ?? []
      const body = new URLSearchParams({ logout: 'yes', xsrf })
      expect((await there.go('/oauth2/logout/confirm', { method: 'POST', body })).status).toBe(303)
      for (const each of [a, b]) {
        await expect.poll(async () => (await each.api(tokens.access_token)).status).toBe(401)
        expect((await refresh(each, tokens.refresh_token)).status).toBe(400)
        const silent = await browser.go(authorizeUrl(pkce().challenge, { prompt: 'none' }))
        expect(new URL(silent.headers.location!).searchParams.get('error')).toBe('login_required')
      }
    })
  })

  describe('the keys', () => {
    it('that clients verify with are those of all instances, while one of them has read a new one', async () => {
      const [a] = await pair()
      const next = await newKeys('ES256', 2048)
      a.keys.exchange(next, 60_000)
      const { keys } = (await a.send('/oauth2/jwks')).json() as unknown as JSONWebKeySet
      expect(keys.map(({ kid }) => kid)).toEqual([keySet.signing.kid, next.signing.kid])
      expect(keys.some((key) => 'd' in key)).toBe(false)
      const { id_token, access_token } = await newTokens(a, a.browser())
      const verified = await Promise.all(
        [id_token, access_token].map((token) => jwtVerify(token, createLocalJWKSet({ keys }))),
      )
      const kids = verified.map(({ protectedHeader }) => protectedHeader.kid)
      expect(kids).toEqual([keySet.signing.kid, next.signing.kid])
    })

    it('must be for the algorithm of the authorization server', async () => {
      const keys = await newKeys('EdDSA', 2048)
      await expect(instance(`instances-${count++}`, keys)).rejects.toThrow('oauth.algorithm: must be "EdDSA"')
    })
  })

  it('answers 503 while the store is away, shows who is not signed in the login page, and takes no password', async () => {
    const [a, b] = await pair()
    const { code, verifier } = await newCode(a.browser())
    const tokens = await newTokens(a, a.browser())
    const browser = b.browser()
    const { headers } = await browser.go(authorizeUrl(pkce().challenge))
    await b.link.close()
    const answers = [
      await exchange(b, code, verifier),
      await refresh(b, tokens.refresh_token),
      await b.api(tokens.access_token),
    ]
    expect(statuses(answers)).toEqual([503, 503, 503])
    expect(answers[0]!.json()).toMatchObject({ error: 'temporarily_unavailable' })
    expect((await b.browser().go(authorizeUrl(pkce().challenge))).status).toBe(303)
    const body = new URLSearchParams({ username: 'alice', password: passwords.alice })
    expect((await browser.go(headers.location!, { method: 'POST', body })).status).toBe(503)
    expect((await exchange(a, code, verifier)).status).toBe(200)
  })
})
