/**
 * The storage of `oidc-provider`: its models in our stores.
 *
 * @module
 */

import { hash } from 'node:crypto'
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'
import type { Revocations } from '../tokens/revocations.js'
import type { TokenStore } from '../tokens/token-store.js'
import type { EntryModel, OauthEntry, OauthStore } from './oauth-store.js'
import { type SignOns, sessionIdOf } from './sign-ons.js'
import type { StartedSignIns } from './started-sign-ins.js'

/** What {@link createAdapterFactory} works with. */
export interface ProviderAdapterParts {
  readonly oauthStore: OauthStore
  readonly tokenStore: TokenStore
  readonly revocations: Revocations
  readonly signOns: SignOns
  readonly startedSignIns: StartedSignIns
  readonly clock: () => number
  /** Makes the refusal of a code or a refresh token that was used before. */
  readonly alreadyUsed: () => Error
}

const models: readonly string[] = [
  'AccessToken',
  'AuthorizationCode',
  'Grant',
  'Interaction',
  'RefreshToken',
  'Session',
] satisfies readonly EntryModel[]

/** Members of a payload that are credentials: they are left out of the store, and known again from what was asked for. */
const credentialMember = 'jti'

/** Makes the adapters of one provider. Models of features that are switched off have none. */
export function createAdapterFactory(parts: ProviderAdapterParts): AdapterFactory {
  return (name) => (models.includes(name) ? new ProviderAdapter(name as EntryModel, parts) : nothing)
}

/** Clients are those of the configuration alone: none is ever looked up. */
const nothing: Adapter = {
  upsert: () => Promise.reject(new Error('nothing of this kind is kept')),
  find: async () => undefined,
  findByUid: async () => undefined,
  findByUserCode: async () => undefined,
  consume: async () => undefined,
  destroy: async () => undefined,
  revokeByGrantId: async () => undefined,
}

class ProviderAdapter implements Adapter {
  readonly #model: EntryModel
  readonly #parts: ProviderAdapterParts

  constructor(model: EntryModel, parts: ProviderAdapterParts) {
    this.#model = model
    this.#parts = parts
  }

  async upsert(id: string, payload: AdapterPayload, expiresInSeconds: number): Promise<undefined> {
    const { oauthStore, signOns, clock } = this.#parts
    const subject = subjectOf(this.#model, payload)
    if (isOwned(this.#model) && subject === undefined) return
    // A sign-on that has ended meanwhile stays so.
    if (this.#model === 'Session' && (await signOns.findByUid(payload.uid ?? '')) === undefined) return
    await oauthStore.put({
      model: this.#model,
      id: entryIdOf(this.#model, id),
      subject,
      payload: withoutCredentials(payload),
      expiresAt: clock() + expiresInSeconds * 1000,
      grantId: payload.grantId,
    })
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const { oauthStore, startedSignIns } = this.#parts
    const entry = await oauthStore.find(this.#model, entryIdOf(this.#model, id))
    if (entry === undefined) return this.#model === 'Interaction' ? startedSignIns.find(id) : undefined
    return (await this.#hasLiveSignOn(entry, true)) ? payloadOf(entry, id) : undefined
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    const entry = await this.#parts.oauthStore.findSession(uid)
    return entry !== undefined && (await this.#hasLiveSignOn(entry, false)) ? payloadOf(entry, undefined) : undefined
  }

  async findByUserCode(): Promise<undefined> {}

  /** Whoever comes second ends what the first was given: one of them has stolen it (RFC 9700 sections 2.1.1 and 4.14). */
  async consume(id: string): Promise<undefined> {
    const { oauthStore, clock, alreadyUsed } = this.#parts
    const entryId = entryIdOf(this.#model, id)
    if (await oauthStore.consume(this.#model, entryId, clock())) return
    const grantId = (await oauthStore.find(this.#model, entryId))?.grantId
    if (grantId !== undefined) await this.#endTokens(await oauthStore.remove('Grant', grantId))
    throw alreadyUsed()
  }

  async destroy(id: string): Promise<undefined> {
    await this.#endTokens(await this.#parts.oauthStore.remove(this.#model, entryIdOf(this.#model, id)))
  }

  async revokeByGrantId(grantId: string): Promise<undefined> {
    await this.#endTokens(await this.#parts.oauthStore.removeOfGrant(grantId))
  }

  /** A session is good if its sign-on is, and to sign in by its cookie the sign-on must be fresh. */
  async #hasLiveSignOn({ model, payload }: OauthEntry, isByCookie: boolean): Promise<boolean> {
    if (model !== 'Session') return true
    const signOn = await this.#parts.signOns.findByUid(String(payload['uid']))
    return signOn !== undefined && (!isByCookie || this.#parts.signOns.isFresh(signOn.record))
  }

  /** Tries all ends, also where one fails. */
  async #endTokens(entries: readonly OauthEntry[]): Promise<void> {
    const { revocations, tokenStore } = this.#parts
    const links = entries.filter(({ model }) => model === 'AccessTokenLink')
    const ends = await Promise.allSettled(links.map(({ id }) => revocations.end(id, tokenStore)))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }
}

/** A grant's name is written into what belongs to it, and opens nothing; what everything else is found by is a credential. */
function entryIdOf(model: EntryModel, id: string): string {
  if (model === 'Grant') return id
  return model === 'Session' ? sessionIdOf(id) : hash('sha256', `${model}:${id}`, 'base64url')
}

/** The id of the entry of an access token, by the name that the provider has for it. */
export function accessTokenEntryId(jti: string): string {
  return entryIdOf('AccessToken', jti)
}

/** What anybody could make without signing in. It is kept for users alone. */
function isOwned(model: EntryModel): boolean {
  return model === 'Session' || model === 'Interaction'
}

/** Whose an entry is. That of a sign-in is known from its answer on: before, {@link StartedSignIns} has it. */
function subjectOf(model: EntryModel, payload: AdapterPayload): string | undefined {
  if (model !== 'Interaction') return payload.accountId
  const { result, session } = payload
  if (result === undefined) return undefined
  return result.login?.accountId ?? (result['subject'] as string | undefined) ?? session?.accountId
}

/** A sign-in that was started remembers the session that it was started in: the name of it is enough. */
export function withoutCredentials(payload: AdapterPayload): AdapterPayload {
  const { [credentialMember]: _jti, ...rest } = payload
  const { session } = rest as { readonly session?: { readonly cookie?: string } }
  if (session?.cookie === undefined) return rest
  const { cookie: _cookie, ...named } = session
  return { ...rest, session: named } as AdapterPayload
}

function payloadOf({ model, id, payload, consumedAt }: OauthEntry, credential: string | undefined): AdapterPayload {
  const jti = model === 'Grant' ? id : credential
  return {
    ...payload,
    ...(jti !== undefined && { [credentialMember]: jti }),
    ...(consumedAt !== undefined && { consumed: Math.floor(consumedAt / 1000) }),
  }
}
