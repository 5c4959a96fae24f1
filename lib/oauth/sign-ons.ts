/**
 * Sign-ons that portals and service providers share: one record in the token store for each, and one session of the
 * authorization server that leads to it.
 *
 * @module
 */

import { hash, randomBytes } from 'node:crypto'
import type { OauthConfig } from '../config/config.js'
import { UnauthorizedError } from '../core/errors.js'
import { portalCookie } from '../portals/cookie.js'
import type { SignOnContext, SingleSignOn } from '../portals/single-sign-on.js'
import { addRecord, lifeMsFor } from '../tokens/issuer.js'
import { tokenId } from '../tokens/token-id.js'
import type { LiveRecord } from '../tokens/token-store.js'
import { createRecordVerifier } from '../tokens/verification.js'
import type { UserAccount, UserProfile } from '../users/user-store.js'
import { plainSessionName } from './endpoints.js'
import type { OauthEntry } from './oauth-store.js'
import type { OauthParts } from './parts.js'

export interface LiveSignOn {
  readonly id: string
  /** Name of the authorization server's session. It opens nothing. */
  readonly uid: string
  readonly record: LiveRecord
}

/** The sign-ons of an app. Each method rejects with `StoreError` when a store fails. */
export interface SignOns {
  /** By what the cookie holds. `undefined` once the sign-on has ended, or has been idle for too long. */
  find(credential: string): Promise<LiveSignOn | undefined>
  /** By name, for what it started: idle or not. */
  findByUid(uid: string): Promise<LiveSignOn | undefined>
  /** What clients may learn of its user, where an identity provider has said it. */
  findProfile(uid: string): Promise<UserProfile | undefined>
  /** By the id of its record: idle or not. */
  isLive(id: string): Promise<boolean>
  /** Whether it signs in without a password: it has not been idle for too long. */
  isFresh(record: LiveRecord): boolean
  /** Notes a sign-in, which keeps it from being idle. */
  touch(id: string): Promise<void>
  /**
   * Starts a sign-on and resolves with what the cookie holds from now on. The same user keeps the record, so that what other
   * portals have started stays; the sign-on of another user ends. `credentialBefore`: what the browser's cookie held until now.
   */
  start(
    account: UserAccount,
    context: SignOnContext & { readonly credentialBefore: string | undefined },
  ): Promise<{ readonly credential: string; readonly id: string }>
  /** Ends a sign-on with all that it started. */
  end(uid: string): Promise<void>
  /** Ends the sign-on that a cookie leads to, idle or not. Resolves with its memo. */
  endByCredential(credential: string): Promise<string | undefined>
}

/** What is kept with a sign-on at an identity provider. */
interface Memo extends Pick<SignOnContext, 'memo' | 'profile'> {}

export function createSignOns(
  parts: Pick<OauthParts, 'store' | 'oauthStore' | 'accounts' | 'revocations' | 'clock'> & {
    readonly oauth: Pick<OauthConfig, 'signOnIdleMs' | 'signOnAbsoluteMs'>
    /** Told of each session whose sign-on is ended here. */
    readonly onEnd?: ((session: OauthEntry) => void) | undefined
  },
): SignOns {
  const { store, oauthStore, accounts, revocations, clock, onEnd } = parts
  const { signOnIdleMs, signOnAbsoluteMs } = parts.oauth
  // Only who holds the cookie, or a token that names the sign-on, gets here: there is nothing to prove.
  const verifyRecord = createRecordVerifier({
    store,
    clock,
    accounts,
    revocations,
    refuse: (reason) => new UnauthorizedError('ERR_SESSION_ENDED', 'The session has ended.', { cause: reason }),
  })

  async function findRecord(id: string): Promise<LiveRecord | undefined> {
    try {
      return await verifyRecord({ id, kind: 'sso', isActivity: false })
    } catch (error) {
      if (error instanceof UnauthorizedError) return undefined
      throw error
    }
  }

  async function findByUid(uid: string): Promise<LiveSignOn | undefined> {
    const id = recordIdFrom(uid)
    const record = await findRecord(id)
    return record && { id, uid, record }
  }

  async function findSession(credential: string): Promise<OauthEntry | undefined> {
    return oauthStore.find('Session', sessionIdFrom(credential))
  }

  function isFresh({ lastAccessAt }: LiveRecord): boolean {
    return clock() - lastAccessAt < signOnIdleMs
  }

  async function end(uid: string): Promise<void> {
    await revocations.end(recordIdFrom(uid), store)
  }

  /** Also where the store fails: in this process it has ended. */
  async function endSession(session: OauthEntry): Promise<void> {
    try {
      await end(uidFrom(session))
    } finally {
      onEnd?.(session)
    }
  }

  /** The sign-on that this login continues: the same user's, started with the same password, or at the same session elsewhere. */
  async function continued(
    before: OauthEntry | undefined,
    account: UserAccount,
    name: string | undefined,
  ): Promise<LiveSignOn | undefined> {
    const signOn = before && (await findByUid(uidFrom(before)))
    if (before === undefined || signOn === undefined) return undefined
    const { subject, account: state } = signOn.record
    const isSame = subject === account.subject && state.version === account.version
    if (isSame && (name === undefined || name === signOn.uid)) return signOn
    await endSession(before)
    return undefined
  }

  /** Beside the session, whose payload is that of `oidc-provider`. */
  async function putMemo(uid: string, subject: string, payload: Memo): Promise<void> {
    await oauthStore.put({
      model: 'Interaction',
      id: memoIdFrom(uid),
      subject,
      payload: { ...payload },
      expiresAt: clock() + signOnAbsoluteMs,
      grantId: undefined,
    })
  }

  /** A record of the same name is replaced: its end is counted from this login. One that has ended meanwhile stays so. */
  async function addSignOn(
    uid: string,
    account: UserAccount,
    { address, startedAt, factors }: SignOnContext,
    mustExist: boolean,
  ): Promise<void> {
    const { sequence } = revocations
    const issuedAt = clock()
    const expiresAt = issuedAt + lifeMsFor(account, signOnAbsoluteMs)
    const added = { id: recordIdFrom(uid), kind: 'sso', issuedAt, expiresAt, address, factors } as const
    await addRecord({ store, accounts, revocations }, account, added, { startedAt, sequence, mustExist })
  }

  return {
    isFresh,
    isLive: async (id) => (await findRecord(id)) !== undefined,
    findByUid,

    async findProfile(uid) {
      const memo = await oauthStore.find('Interaction', memoIdFrom(uid))
      return (memo?.payload as Memo | undefined)?.profile
    },

    end,

    async find(credential) {
      const session = await findSession(credential)
      const signOn = session && (await findByUid(uidFrom(session)))
      return signOn !== undefined && isFresh(signOn.record) ? signOn : undefined
    },

    async endByCredential(credential) {
      const session = await findSession(credential)
      if (session === undefined) return undefined
      const uid = uidFrom(session)
      const memo = await oauthStore.find('Interaction', memoIdFrom(uid))
      await oauthStore.remove('Session', session.id)
      await endSession(session)
      if (memo === undefined) return undefined
      await oauthStore.remove('Interaction', memo.id)
      return (memo.payload as Memo).memo
    },

    async touch(id) {
      await store.touch(id, clock())
    },

    async start(account, context) {
      const before = context.credentialBefore === undefined ? undefined : await findSession(context.credentialBefore)
      const current = await continued(before, account, context.name)
      const uid = current?.uid ?? context.name ?? randomText()
      await addSignOn(uid, account, context, current !== undefined)
      // A new name at each login: what was known of the old one before is worth nothing after.
      if (before !== undefined) await oauthStore.remove('Session', before.id)
      const credential = randomText()
      const { subject } = account
      // Only `oidc-provider` reads these times, by the clock of the system. What decides is `expiresAt`.
      const seconds = Math.floor(Date.now() / 1000)
      const times = { iat: seconds, loginTs: seconds, exp: seconds + Math.ceil(signOnAbsoluteMs / 1000) }
      const kept = current === undefined ? undefined : before?.payload
      await oauthStore.put({
        model: 'Session',
        id: sessionIdFrom(credential),
        subject,
        payload: { ...kept, kind: 'Session', uid, accountId: subject, transient: true, ...times },
        expiresAt: clock() + signOnAbsoluteMs,
        grantId: undefined,
      })
      const { memo, profile } = context
      if (memo !== undefined || profile !== undefined) await putMemo(uid, subject, { memo, profile })
      return { credential, id: recordIdFrom(uid) }
    },
  }
}

/** Makes the sign-on that portals share with the authorization server: by the cookie of a request. */
export function createSharedSignOn(signOns: SignOns, { oauth, cookies }: OauthParts): SingleSignOn {
  const cookie = portalCookie(plainSessionName(oauth), !cookies.long.secure)

  return {
    async find(request) {
      const credential = cookie.read(request)
      const signOn = credential === undefined ? undefined : await signOns.find(credential)
      if (signOn === undefined) return undefined
      await signOns.touch(signOn.id)
      const { subject, account } = signOn.record
      const { roles, isAdmin, version } = account
      return { id: signOn.id, account: { subject, roles, isAdmin, version }, factors: signOn.record.factors }
    },

    async start(request, response, account, context) {
      const credentialBefore = cookie.read(request)
      const { credential, id } = await signOns.start(account, { ...context, credentialBefore })
      cookie.set(request, response, credential)
      return id
    },

    async end(request, response) {
      const credentials = cookie.readAll(request)
      // First: a store that fails must not leave the browser signed on.
      cookie.clear(request, response)
      const memos = await Promise.all(credentials.map((credential) => signOns.endByCredential(credential)))
      return memos.find((memo) => memo !== undefined)
    },
  }
}

function randomText(): string {
  return randomBytes(32).toString('base64url')
}

function uidFrom({ payload }: OauthEntry): string {
  return String(payload['uid'])
}

function memoIdFrom(uid: string): string {
  return hash('sha256', `memo:${uid}`, 'base64url')
}

export function recordIdFrom(uid: string): string {
  return tokenId('sso', uid)
}

export function sessionIdFrom(credential: string): string {
  return hash('sha256', `Session:${credential}`, 'base64url')
}
