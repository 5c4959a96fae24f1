/**
 * Sessions at identity providers, as far as sessions here end with them. All of it is in the token store, so that every process over
 * the same store knows of a sign-out:
 *
 * - for each `sid` a record that is the parent of all that was signed in with it;
 * - where users are not named by `sub`, a record that leads from it to the user;
 * - for each logout token a tombstone that it was there, and one that its session has ended: it may overtake the sign-in.
 *
 * @module
 */

import { hash } from 'node:crypto'
import type { IdentityProviderConfig } from '../config/config.js'
import { StoreError, UnauthorizedError } from '../core/errors.js'
import { type Client, changedBy, type SecurityEvents } from '../core/events.js'
import type { CheckedTokenStore } from '../tokens/checked-token-store.js'
import { addRecord, lifeMsFor } from '../tokens/issuer.js'
import { createTombstones } from '../tokens/machines/tombstones.js'
import type { Revocations } from '../tokens/revocations.js'
import { tokenId } from '../tokens/token-id.js'
import type { Tokens } from '../tokens/tokens.js'
import type { Accounts } from '../users/accounts.js'
import { subjectFrom, versionPrefix } from './claims.js'
import type { LogoutToken } from './logout-token.js'
import { signInMs } from './pending-sign-in.js'
import type { ProviderUser } from './provider-types.js'

/** What the sessions work with. */
export interface ProviderSessionsParts {
  readonly store: CheckedTokenStore
  readonly accounts: Accounts
  readonly revocations: Revocations
  readonly tokens: Pick<Tokens, 'revokeUser'>
  readonly events: SecurityEvents
  readonly clock: () => number
}

/** When and where a sign-in was begun. */
export interface SignInStart {
  readonly address: string | undefined
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

/** Each method rejects with `StoreError` when the store fails. */
export interface ProviderSessions {
  /** Name of the session here that ends with the one there; `undefined` where the provider names none. */
  nameOf(config: IdentityProviderConfig, user: ProviderUser): string | undefined
  /** Notes who is called by `sub`, where users are not named by it: for sign-outs of a user. Before the session starts. */
  noteUser(config: IdentityProviderConfig, user: ProviderUser, longestMs: number): Promise<void>
  /** Starts what sessions here end with, for at most `longestMs`. Resolves with the parent of a session. */
  start(
    config: IdentityProviderConfig,
    user: ProviderUser,
    start: SignInStart,
    longestMs: number,
  ): Promise<string | undefined>
  /**
   * Rejects with `UnauthorizedError` where the provider has ended the session meanwhile; what was started with it is removed. To be
   * called after the start.
   */
  confirm(config: IdentityProviderConfig, user: ProviderUser, start: SignInStart): Promise<void>
  /** Ends what a logout token names, for the request of a client. `false` for a token that was there before. */
  end(config: IdentityProviderConfig, token: LogoutToken, client: Client): Promise<boolean>
}

export function createProviderSessions(parts: ProviderSessionsParts): ProviderSessions {
  const { store, accounts, revocations, tokens, events, clock } = parts

  const tombstones = createTombstones(store, clock)

  /** Notes something that is no session. */
  async function note(config: IdentityProviderConfig, id: string, subject: string, expiresAt: number): Promise<void> {
    const now = clock()
    const version = versionPrefix(config)
    const isAdded = await store.add(
      {
        id,
        kind: 'sso',
        audience: undefined,
        parent: undefined,
        subject,
        roles: [],
        isAdmin: false,
        // As that of a user of the provider: what is looked at as a sign-on stays.
        accountVersion: version,
        scope: '',
        issuedAt: now,
        expiresAt,
        idleTimeoutMs: undefined,
        lastAccessAt: now,
        address: undefined,
      },
      { startedAt: now },
    )
    if (isAdded !== true) throw new StoreError('the token store has no room')
  }

  async function findLive(id: string, kind: 'sso' | 'tombstone' = 'tombstone') {
    const record = await store.find(id, kind)
    return record !== undefined && clock() < record.expiresAt ? record : undefined
  }

  /** `sub` is what the provider calls the user. */
  async function findSubject(config: IdentityProviderConfig, sub: string): Promise<string | undefined> {
    if (config.subjectClaim === 'sub') return subjectFrom(config, { sub })
    return (await findLive(userId(config, sub), 'sso'))?.subject
  }

  const nameOf: ProviderSessions['nameOf'] = (config, { sid }) =>
    sid === undefined ? undefined : sessionName(config, sid)

  return {
    nameOf,

    async noteUser(config, { account, sub }, longestMs) {
      if (config.subjectClaim === 'sub') return
      // Not shorter where this session is: another one of the user may go on.
      await note(config, userId(config, sub), account.subject, clock() + longestMs)
    },

    async start(config, user, { address, startedAt }, longestMs) {
      const { account } = user
      const issuedAt = clock()
      const expiresAt = issuedAt + lifeMsFor(account, longestMs)
      const name = nameOf(config, user)
      if (name === undefined) return undefined
      const id = sessionId(name)
      const { sequence } = revocations
      const added = { id, kind: 'sso', issuedAt, expiresAt, address } as const
      await addRecord({ store, accounts, revocations }, account, added, { startedAt, sequence })
      return id
    },

    async confirm(config, { sid, sub }, { startedAt }) {
      const ended = sid === undefined ? undefined : await findLive(endedId(config, 'sid', sid))
      const signedOut = await findLive(endedId(config, 'sub', sub))
      if (ended === undefined && (signedOut === undefined || signedOut.issuedAt < startedAt)) return
      if (sid !== undefined) await revocations.end(sessionId(sessionName(config, sid)), store)
      throw new UnauthorizedError('ERR_SESSION_ENDED', 'The session at the identity provider has ended. Sign in again.')
    },

    async end(config, { jti, sid, sub, acceptedUntil }, client) {
      const usedId = ownId(config, 'logout token', jti)
      if ((await findLive(usedId)) !== undefined) return false
      const now = clock()
      const reason = `signed out at ${config.name}`
      // First the mark, then the end: a sign-in that is under way looks for the mark after its start.
      if (sid !== undefined) {
        await tombstones.add(endedId(config, 'sid', sid), now, now + signInMs)
        const id = sessionId(sessionName(config, sid))
        const subject = (await store.find(id, 'sso'))?.subject
        const wasLive = await revocations.end(id, store)
        if (wasLive)
          events.report('revocation', {
            at: clock(),
            subject,
            tokenId: id,
            kind: 'sso',
            count: 1,
            ...changedBy({ ...client, reason }),
          })
      } else {
        await tombstones.add(endedId(config, 'sub', sub!), now, now + signInMs)
        const subject = await findSubject(config, sub!)
        if (subject !== undefined) await tokens.revokeUser(subject, { ...client, reason })
      }
      // Last: where something above has failed, the provider sends it again.
      await tombstones.add(usedId, now, acceptedUntil)
      return true
    },
  }
}

type Issuer = Pick<IdentityProviderConfig, 'issuer' | 'clientId'>

/** Of a sign-on here: the same text for the same session there. It opens nothing. */
function sessionName({ issuer, clientId }: Issuer, sid: string): string {
  return hash('sha256', JSON.stringify(['session', issuer, clientId, sid]), 'base64url')
}

/** As the authorization server names the record of a sign-on. */
function sessionId(name: string): string {
  return tokenId('sso', name)
}

function userId({ issuer, clientId }: Issuer, sub: string): string {
  return tokenId('sso', JSON.stringify(['user', issuer, clientId, sub]))
}

function ownId({ issuer, clientId }: Issuer, what: string, text: string): string {
  return tokenId('tombstone', JSON.stringify([what, issuer, clientId, text]))
}

function endedId(config: Issuer, claim: 'sid' | 'sub', value: string): string {
  return ownId(config, `ended ${claim}`, value)
}
