/**
 * Sign-ons that portals and service providers share: one record in the token store for each, and one session of the
 * authorization server that leads to it.
 *
 * @module
 */

import { hash, randomBytes } from 'node:crypto'
import { UnauthorizedError } from '../core/errors.js'
import { tokenId } from '../internal/token-id.js'
import { addRecord } from '../tokens/add-record.js'
import { checkedTokenStore } from '../tokens/checked-token-store.js'
import { createRecordJudge, type LiveRecord } from '../tokens/record-judge.js'
import type { Revocations } from '../tokens/revocations.js'
import { scopeOf } from '../tokens/token-parts.js'
import type { TokenStore } from '../tokens/token-store.js'
import type { Accounts } from '../users/accounts.js'
import type { UserAccount } from '../users/user-store.js'
import type { OauthEntry, OauthStore } from './oauth-store.js'

/** Options of {@link createSignOns}. */
export interface SignOnsOptions {
  readonly store: TokenStore
  readonly oauthStore: OauthStore
  readonly accounts: Accounts
  readonly revocations: Revocations
  /** Milliseconds after which nobody is signed in without a password any more, unless a sign-in came in between. */
  readonly idleTimeoutMs: number
  /** Milliseconds after which a sign-on ends, with all that was begun by it. */
  readonly absoluteTimeoutMs: number
  readonly clock: () => number
}

/** A sign-on that is live. */
export interface LiveSignOn {
  /** Id of its record. */
  readonly id: string
  /** Name of the authorization server's session. It opens nothing. */
  readonly uid: string
  readonly record: LiveRecord
}

/** How a sign-on begins. */
export interface SignOnBeginning {
  readonly address: string | undefined
  /** When the login began, in milliseconds since the epoch. */
  readonly begunAt: number
  /** What the browser's cookie held until now. */
  readonly credentialBefore: string | undefined
}

/** The sign-ons of an app. Each method rejects with {@link StoreError} when a store fails. */
export interface SignOns {
  /** By what the cookie holds. `undefined` once the sign-on has ended, or has been idle for too long. */
  find(credential: string): Promise<LiveSignOn | undefined>
  /** By name, for what was begun by it: idle or not. */
  findByUid(uid: string): Promise<LiveSignOn | undefined>
  /** Whether anybody may be signed in by it without a password: it has not been idle for too long. */
  isFresh(record: LiveRecord): boolean
  /** Notes a sign-in, which keeps it from being idle. */
  touch(id: string): Promise<void>
  /**
   * Begins a sign-on and resolves with what the cookie holds from now on. The same user keeps the record, so that what other
   * portals have begun goes on; the sign-on of another user ends.
   */
  begin(account: UserAccount, beginning: SignOnBeginning): Promise<{ readonly credential: string; readonly id: string }>
  /** Ends a sign-on with all that was begun by it. Whether there was one. */
  end(uid: string): Promise<boolean>
  /** Ends the sign-on that a cookie leads to, idle or not. Whether there was one. */
  endByCredential(credential: string): Promise<boolean>
}

const credentialBytes = 32

/** Puts the two stores together. */
export function createSignOns(options: SignOnsOptions): SignOns {
  const { oauthStore, accounts, revocations, idleTimeoutMs, absoluteTimeoutMs, clock } = options
  const store = checkedTokenStore(options.store)
  const judge = createRecordJudge({
    store,
    clock,
    accounts,
    revocations,
    refusalOf: (reason) => new UnauthorizedError('ERR_SESSION_ENDED', 'The session has ended.', { cause: reason }),
    // Only who holds the cookie, or a token that names the sign-on, gets here.
    restore: (_credential, record) => accounts.restoredStateOf(record),
  })

  async function findByUid(uid: string): Promise<LiveSignOn | undefined> {
    const { sequence } = revocations
    const id = recordIdOf(uid)
    const found = await store.find(id, 'sso')
    if (found === undefined) return undefined
    try {
      return { id, uid, record: await judge('', found, sequence, false) }
    } catch (error) {
      if (error instanceof UnauthorizedError) return undefined
      throw error
    }
  }

  async function sessionOf(credential: string | undefined): Promise<OauthEntry | undefined> {
    return credential === undefined ? undefined : oauthStore.find('Session', sessionIdOf(credential))
  }

  async function putSession(credential: string, uid: string, subject: string, before?: OauthEntry): Promise<void> {
    // Only `oidc-provider` reads these, and it knows no clock but the system's. What decides is `expiresAt`.
    const seconds = Math.floor(Date.now() / 1000)
    const times = { iat: seconds, loginTs: seconds, exp: seconds + Math.ceil(absoluteTimeoutMs / 1000) }
    const payload = { ...before?.payload, kind: 'Session', uid, accountId: subject, transient: true, ...times }
    const id = sessionIdOf(credential)
    const expiresAt = clock() + absoluteTimeoutMs
    await oauthStore.put({ model: 'Session', id, subject, payload, expiresAt, grantId: undefined })
  }

  function isFresh({ lastAccessAt }: LiveRecord): boolean {
    return clock() - lastAccessAt < idleTimeoutMs
  }

  const end = (uid: string): Promise<boolean> => revocations.end(recordIdOf(uid), store)

  /** The sign-on that this login goes on with: the same user's, begun with the same password. */
  async function goOn(before: OauthEntry | undefined, { subject, version }: UserAccount) {
    const uid = before?.payload['uid']
    const signOn = typeof uid === 'string' ? await findByUid(uid) : undefined
    if (signOn === undefined) return undefined
    const { record } = signOn
    if (record.subject === subject && record.account.version === version) return signOn
    await end(signOn.uid)
    return undefined
  }

  /** A record of the same name is replaced: its end is counted from this login. */
  async function addSignOn(uid: string, account: UserAccount, { address, begunAt }: SignOnBeginning): Promise<void> {
    const { sequence } = revocations
    const issuedAt = clock()
    const ageMs = Math.min(absoluteTimeoutMs, (account.maxTokenAgeSeconds ?? Number.POSITIVE_INFINITY) * 1000)
    const terms = {
      id: recordIdOf(uid),
      kind: 'sso',
      audience: undefined,
      parent: undefined,
      scope: scopeOf(account.isAdmin),
      issuedAt,
      expiresAt: issuedAt + ageMs,
      idleTimeoutMs: undefined,
      address,
    } as const
    await addRecord({ store, accounts, revocations }, account, terms, { begunAt, sequence })
  }

  return {
    isFresh,
    findByUid,
    end,

    async find(credential) {
      const uid = (await sessionOf(credential))?.payload['uid']
      const signOn = typeof uid === 'string' ? await findByUid(uid) : undefined
      return signOn !== undefined && isFresh(signOn.record) ? signOn : undefined
    },

    async endByCredential(credential) {
      const uid = (await sessionOf(credential))?.payload['uid']
      await oauthStore.remove('Session', sessionIdOf(credential))
      return typeof uid === 'string' ? end(uid) : false
    },

    async touch(id) {
      await store.touch(id, clock())
    },

    async begin(account, beginning) {
      const { credentialBefore } = beginning
      const before = await sessionOf(credentialBefore)
      const current = await goOn(before, account)
      const uid = current?.uid ?? randomBytes(credentialBytes).toString('base64url')
      await addSignOn(uid, account, beginning)
      // A new name at each login: what was known of the old one before is worth nothing after.
      if (credentialBefore !== undefined) await oauthStore.remove('Session', sessionIdOf(credentialBefore))
      const credential = randomBytes(credentialBytes).toString('base64url')
      await putSession(credential, uid, account.subject, current === undefined ? undefined : before)
      return { credential, id: recordIdOf(uid) }
    },
  }
}

/** Id of the record of a sign-on. */
export function recordIdOf(uid: string): string {
  return tokenId('sso', uid)
}

/** Id of the entry that a cookie leads to. */
export function sessionIdOf(credential: string): string {
  return hash('sha256', `Session:${credential}`, 'base64url')
}
