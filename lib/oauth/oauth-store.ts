/**
 * What the authorization server keeps besides the records of the token store, and where.
 *
 * @module
 */

/** What an entry is: the names of `oidc-provider`'s models, and ours. */
export type EntryModel =
  | 'AccessToken'
  /** Leads from the id of an access token's record to its `AccessToken` entry. */
  | 'AccessTokenLink'
  | 'AuthorizationCode'
  | 'Grant'
  | 'Interaction'
  | 'RefreshToken'
  | 'Session'

/** One entry. A store never sees a usable credential: `id` is a digest, and `payload` has none. */
export interface OauthEntry {
  readonly model: EntryModel
  /** Digest of the credential, or an id that opens nothing. Unique within the model. */
  readonly id: string
  /** Whose it is: no user may evict what everybody else has. What a grant leads to has the subject of the grant. */
  readonly subject: string | undefined
  /** JSON: the store may keep it as text. */
  readonly payload: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. From then on it is as if it were not there. */
  readonly expiresAt: number
  /** Id of the grant that it ends with; `undefined`: none. */
  readonly grantId: string | undefined
  /** Milliseconds since the epoch of its only use; `undefined`: not used yet. */
  readonly consumedAt?: number | undefined
}

type MaybePromise<T> = T | Promise<T>

/** Keeps entries. A store that fails throws or rejects with {@link StoreError}. */
export interface OauthStore {
  /** The entry that is there and has not expired. */
  find(model: EntryModel, id: string): MaybePromise<OauthEntry | undefined>
  /** The session with this `uid` in its payload. */
  findSession(uid: string): MaybePromise<OauthEntry | undefined>
  /**
   * Adds an entry or replaces it. One that names a grant is left out when the grant is not there: what was revoked stays so,
   * whatever was under way.
   */
  put(entry: OauthEntry): MaybePromise<void>
  /** Marks an entry as used, in one step: `false` when it was used before, or is not there. */
  consume(model: EntryModel, id: string, at: number): MaybePromise<boolean>
  /** Removes an entry; with a grant everything that names it. Answers what went. */
  remove(model: EntryModel, id: string): MaybePromise<readonly OauthEntry[]>
  /** Removes what names a grant, and leaves the grant. Answers what went. */
  removeOfGrant(grantId: string): MaybePromise<readonly OauthEntry[]>
  /** Forgets everything. */
  close(): MaybePromise<void>
}
