/** Rights that change at one of several processes over one store, whichever it is. */

import { describe, expect, it, onTestFinished } from 'vitest'
import { createAuthCore } from '../../lib/app/auth-core.js'
import { StoreError } from '../../lib/core/errors.js'
import type { OauthStore } from '../../lib/oauth/oauth-store.js'
import { createSignOns } from '../../lib/oauth/sign-ons.js'
import { createKeyRing } from '../../lib/tokens/keys/key-ring.js'
import type { TokenStore } from '../../lib/tokens/token-store.js'
import { type BreakGlass, type BreakGlassState, createBreakGlass } from '../../lib/users/login/break-glass.js'
import { hashPassword } from '../../lib/users/passwords/password-hash.js'
import type { UserStore } from '../../lib/users/user-store.js'
import { MemoryUserStore } from '../helpers/memory-user-store.js'
import { recordedLog, secret } from '../helpers/recorded-log.js'

const keys = await createKeyRing({ algorithm: 'ES256' })
const context = { address: '192.0.2.1' }
let count = 0

/** What one process has of a store. */
export interface ProcessStores {
  readonly link: { readonly now: () => number; start(): Promise<void> }
  readonly tokenStore: TokenStore
  readonly oauthStore: OauthStore
  readonly breakGlassState: BreakGlassState
}

/** Opens that of one process. */
export type OpenStores = (keyPrefix: string) => Promise<ProcessStores>

/** The parts of one process, with the users that all of them have. */
export async function startProcess(
  { link, tokenStore, oauthStore }: ProcessStores,
  users: UserStore,
  emergency?: BreakGlass,
) {
  const { logger } = recordedLog()
  const core = await createAuthCore({
    users: emergency?.primary ?? users,
    tokenStore,
    keys,
    throttle: false,
    failureFloorMs: 0,
    breakGlass: emergency,
    logger,
    clock: link.now,
  })
  const signOns = createSignOns({ ...core, oauthStore, oauth: { signOnIdleMs: 900_000, signOnAbsoluteMs: 3_600_000 } })
  await link.start()
  onTestFinished(() => tokenStore.close())
  const logIn = () => core.authenticator.authenticate('alice', 'a-password', context)
  return { ...core, link, tokenStore, signOns, logIn }
}

/** One user with some roles. */
export const usersWith = (roles: readonly string[]): UserStore =>
  new MemoryUserStore({ users: { alice: { password: 'a-password', roles } } })

/** Defines the tests. */
export function sharedRights(open: OpenStores): void {
  describe('a role that one process takes away', () => {
    it('is gone at the others, whether they knew the user or not, and from a login that is under way', async () => {
      const prefix = `rights-${process.pid}-${count++}`
      let roles: readonly string[] = ['editor']
      const inner = usersWith(roles)
      const users: UserStore = {
        authenticate: (name, password) => inner.authenticate(name, password),
        find: async (name) => {
          const account = await inner.find(name)
          return account && { ...account, roles }
        },
        close() {},
      }
      const first = await startProcess(await open(prefix), users)
      const second = await startProcess(await open(prefix), users)
      const third = await startProcess(await open(prefix), users)
      const { token } = await first.tokens.issue(await first.logIn())
      expect((await second.tokens.verify(token)).roles).toEqual(['editor'])
      const startedAt = second.link.now()
      const account = await second.logIn()
      await new Promise((resolve) => setTimeout(resolve, 5))
      roles = []
      first.accounts.recheckEverywhere('alice')
      for (const { tokens } of [second, third]) {
        await expect.poll(async () => (await tokens.verify(token)).roles).toEqual([])
      }
      const late = await second.tokens.issue(account, { startedAt })
      expect((await second.tokens.verify(late.token)).roles).toEqual([])
    })
  })

  describe('a sign-on', () => {
    it('that ends at one process is not made anew by a login that continues it at another', async () => {
      const prefix = `rights-${process.pid}-${count++}`
      const first = await startProcess(await open(prefix), usersWith([]))
      const second = await startProcess(await open(prefix), usersWith([]))
      const start = { factors: ['password'] as const, address: undefined, startedAt: first.link.now() }
      const before = await first.signOns.start(await first.logIn(), { ...start, credentialBefore: undefined })
      const add = first.tokenStore.add.bind(first.tokenStore)
      first.tokenStore.add = async (...values) => {
        await second.signOns.endByCredential(before.credential)
        return add(...values)
      }
      const again = first.signOns.start(await first.logIn(), { ...start, credentialBefore: before.credential })
      await expect(again).rejects.toMatchObject({ code: 'ERR_AUTH_INVALID_CREDENTIALS' })
      expect(await second.tokenStore.find(before.id)).toBeUndefined()
    })
  })

  describe('the account for emergencies', () => {
    it('is let in only where the user store is down, and ends where it is not', async () => {
      const prefix = `rights-${process.pid}-${count++}`
      const passwordHash = await hashPassword(secret('an-emergency'))
      const start = async (isDown: () => boolean) => {
        const inner = usersWith([])
        const ask = <T>(work: () => T): T => {
          if (isDown()) throw new StoreError('the directory is down')
          return work()
        }
        const primary: UserStore = {
          authenticate: (name, password) => ask(() => inner.authenticate(name, password)),
          find: (name) => ask(() => inner.find(name)),
          close() {},
        }
        const recover: ((subject: string) => void)[] = []
        const stores = await open(prefix)
        const emergency = await createBreakGlass({
          userName: 'rescue',
          passwordHash,
          allowedNetworks: ['192.0.2.0/24'],
          afterMs: 1,
          primary,
          state: stores.breakGlassState,
          onRecovery: (subject) => {
            for (const each of recover) each(subject)
          },
          clock: stores.link.now,
        })
        const parts = await startProcess(stores, primary, emergency)
        recover.push((subject) => void parts.tokens.revokeUser(subject).catch(() => undefined))
        return parts
      }
      const first = await start(() => true)
      const second = await start(() => false)
      await expect(first.logIn()).rejects.toMatchObject({ status: 503 })
      await new Promise((resolve) => setTimeout(resolve, 5))
      const account = await first.authenticator.authenticate('rescue', 'an-emergency', context)
      const { token } = await first.tokens.issue(account)
      expect((await first.tokens.verify(token)).isAdmin).toBe(true)
      await expect(async () => second.tokens.verify(token)).rejects.toMatchObject({ code: 'ERR_TOKEN_INVALID' })
      await expect
        .poll(async () =>
          Promise.resolve(first.tokens.verify(token)).then(
            () => 'live',
            (error) => error.code,
          ),
        )
        .toBe('ERR_TOKEN_INVALID')
    })
  })

  describe('what nobody has', () => {
    it('is not stored: half of a character', async () => {
      const { tokens, logIn } = await startProcess(
        await open(`rights-${process.pid}-${count++}`),
        usersWith(['a\ud800']),
      )
      await expect(tokens.issue(await logIn())).rejects.toThrow(StoreError)
      await expect(tokens.issue({ ...(await logIn()), roles: [] })).resolves.toMatchObject({ id: expect.any(String) })
    })
  })
}
