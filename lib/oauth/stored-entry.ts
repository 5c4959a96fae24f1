/**
 * How the stores that processes share write the entries of the authorization server.
 *
 * @module
 */

import { digest } from '../core/digest.js'
import type { EntryModel, OauthEntry } from './oauth-store.js'

/** What belongs to nothing else. All other models belong to a grant. */
const rootModels: readonly EntryModel[] = ['Grant', 'Session', 'Interaction']

export function isRoot(model: EntryModel): boolean {
  return rootModels.includes(model)
}

/** What stands for an id in a key: no text of a user or a client is part of one. All ids but those of grants are digests. */
export function refFor(model: EntryModel, id: string): string {
  return model === 'Grant' ? digest(id) : id
}

export function jsonFrom({ subject, payload, expiresAt, grantId }: OauthEntry): string {
  return JSON.stringify({ subject, payload, expiresAt, grantId })
}

/** `undefined`: it has expired. */
export function liveEntryFrom(
  json: string,
  { model, id, consumedAt }: Pick<OauthEntry, 'model' | 'id' | 'consumedAt'>,
  now: number,
): OauthEntry | undefined {
  const entry = { subject: undefined, grantId: undefined, ...JSON.parse(json), model, id } as OauthEntry
  if (now >= entry.expiresAt) return undefined
  return consumedAt === undefined ? entry : { ...entry, consumedAt }
}
