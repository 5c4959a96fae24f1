/**
 * The storage of `oidc-provider`: its models in our stores.
 *
 * @module
 */

import { hash } from 'node:crypto'
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'
import { type AccessTokens, accessTokenId } from './access-tokens.js'
import { createClientTokenAdapter } from './client-credentials.js'
import type { EntryModel, OauthEntry, RemovedEntry } from './oauth-store.js'
import type { OauthParts } from './parts.js'
import type { Successor } from './refresh-rotation.js'
import type { StartedSignIns } from './sign-in.js'
import { type SignOns, sessionIdFrom } from './sign-ons.js'

export type ProviderAdapterParts = Pick<OauthParts, 'oauthStore' | 'store' | 'revocations' | 'clock'> & {
  readonly signOns: SignOns
  readonly accessTokens: Pick<AccessTokens, 'isLive'>
  readonly startedSignIns: Pick<StartedSignIns, 'find'>
  /** For a code or a refresh token. */
  readonly createAlreadyUsedError: () => Error
  /** How long a refresh token may be used a second time, for the same successor. @defaultValue never */
  readonly reuse?: { readonly windowMs: number; readonly successor: Successor } | undefined
}

/** Makes the adapters of one provider. Of clients nothing is stored: they are those of the configuration alone. */
export function createAdapterFactory(parts: ProviderAdapterParts): AdapterFactory {
  const { oauthStore, store, revocations, signOns, accessTokens, startedSignIns, clock, reuse } = parts

  /** Ends the records of access tokens that went. Tries all, also where one fails. */
  async function endRecords(gone: readonly RemovedEntry[]): Promise<void> {
    const tokens = gone.filter(({ model }) => model === 'AccessToken')
    const ends = await Promise.allSettled(tokens.map(({ id }) => revocations.end(id, store)))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  function createAdapter(model: EntryModel): Adapter {
    /** A session is good if its sign-on is, and to sign in by its cookie the sign-on must be fresh. */
    async function isLive({ id, payload }: OauthEntry, isByCookie: boolean): Promise<boolean> {
      if (model === 'AccessToken') return accessTokens.isLive(id)
      if (model !== 'Session') return true
      const signOn = await signOns.findByUid(String(payload['uid']))
      return signOn !== undefined && (!isByCookie || signOns.isFresh(signOn.record))
    }

    /** The second of two requests that a client has sent at once: its answer has what the first one had, if that has not been used yet. */
    async function isRepeat(id: string): Promise<boolean> {
      if (model !== 'RefreshToken' || reuse === undefined) return false
      const next = await oauthStore.find(model, entryId(model, reuse.successor(id)))
      return next?.consumedAt === undefined && oauthStore.consumeAgain(model, entryId(model, id), reuse.windowMs)
    }

    /** The provider ends the family of a token that was used: within the window `consume` decides. */
    function withoutRecentUse(entry: OauthEntry): OauthEntry {
      if (model !== 'RefreshToken' || reuse === undefined || entry.consumedAt === undefined) return entry
      return clock() < entry.consumedAt + reuse.windowMs ? { ...entry, consumedAt: undefined } : entry
    }

    return {
      async upsert(id, payload, expiresInSeconds = 0) {
        const subject = subjectFrom(model, payload)
        // What can be made without signing in is kept for users alone.
        if (subject === undefined && (model === 'Session' || model === 'Interaction')) return
        // A sign-on that has ended meanwhile stays so.
        if (model === 'Session' && (await signOns.findByUid(payload.uid ?? '')) === undefined) return
        await oauthStore.put({
          model,
          id: entryId(model, id),
          subject,
          payload: withoutCredentials(payload),
          expiresAt: clock() + expiresInSeconds * 1000,
          grantId: payload.grantId,
        })
      },

      async find(id) {
        const entry = await oauthStore.find(model, entryId(model, id))
        if (entry === undefined) return model === 'Interaction' ? startedSignIns.find(id) : undefined
        return (await isLive(entry, true)) ? payloadFrom(withoutRecentUse(entry), id) : undefined
      },

      async findByUid(uid) {
        const entry = await oauthStore.findSession(uid)
        return entry !== undefined && (await isLive(entry, false)) ? payloadFrom(entry) : undefined
      },

      async findByUserCode() {},

      /** The second use ends what the first was given: one of the two has stolen it (RFC 9700 sections 2.1.1 and 4.14). */
      async consume(id) {
        const entry = entryId(model, id)
        if ((await oauthStore.consume(model, entry)) || (await isRepeat(id))) return
        const used = await oauthStore.find(model, entry)
        await endRecords(await oauthStore.remove('Grant', used?.grantId ?? ''))
        throw parts.createAlreadyUsedError()
      },

      destroy: async (id) => endRecords(await oauthStore.remove(model, entryId(model, id))),

      revokeByGrantId: async (grantId) => endRecords(await oauthStore.removeMembers(grantId)),
    }
  }

  const clientTokens = createClientTokenAdapter(parts)
  return (name) => (name === 'ClientCredentials' ? clientTokens : createAdapter(name as EntryModel))
}

/** A grant's name is written into what belongs to it, and opens nothing; what everything else is found by is a credential. */
function entryId(model: EntryModel, id: string): string {
  switch (model) {
    case 'Grant':
      return id
    case 'Session':
      return sessionIdFrom(id)
    case 'AccessToken':
      return accessTokenId(id)
    default:
      return hash('sha256', `${model}:${id}`, 'base64url')
  }
}

/** Whose an entry is. That of a sign-in is known from its answer on. */
function subjectFrom(model: EntryModel, { accountId, result, session }: AdapterPayload): string | undefined {
  if (model !== 'Interaction') return accountId
  if (result === undefined) return undefined
  return result.login?.accountId ?? (result['subject'] as string | undefined) ?? session?.accountId
}

/**
 * Leaves credentials out: the one that an entry is found by is known again from what was asked for, and for the session that a
 * sign-in was started in its name is enough.
 */
export function withoutCredentials({ jti: _jti, ...payload }: AdapterPayload): AdapterPayload {
  const { session } = payload as { readonly session?: { readonly cookie?: string } }
  if (session?.cookie === undefined) return payload
  const { cookie: _cookie, ...named } = session
  return { ...payload, session: named } as AdapterPayload
}

function payloadFrom({ model, id, payload, consumedAt }: OauthEntry, credential?: string): AdapterPayload {
  const jti = model === 'Grant' ? id : credential
  return {
    ...payload,
    ...(jti !== undefined && { jti }),
    ...(consumedAt !== undefined && { consumed: Math.floor(consumedAt / 1000) }),
  }
}
