/**
 * Answers of `/sessions` and `/locks`.
 *
 * @module
 */

import * as z from 'zod'
import { component, count, moment } from '../../core/components.js'

/** What `offset` and `limit` of a list are: see `readPage`. */
export const pageQuery = z.object({
  offset: z.int().nonnegative().optional().describe('Entries before the first one that is listed. Default: 0.'),
  limit: z.int().min(1).max(1000).optional().describe('Entries at the most. Default: 100.'),
})

/** One page of entries. */
export function pageOf<Entry extends z.ZodType>(id: string, description: string, entry: Entry) {
  return component(
    id,
    description,
    z.object({
      count: count('Entries of this page.'),
      total: count('Entries of all pages.'),
      list: z.array(entry).readonly().describe('The entries.'),
    }),
  )
}

const sessionKind = z
  .enum(['management', 'portal', 'oauth', 'sso', 'api', 'issuer', 'icp'])
  .describe(
    '`management`: a token of the management API; `portal`: a session of a portal; `oauth`: an access token of the authorization ' +
      'server; `sso`: a sign-on that several portals share; `api`: an API token of the configuration; `issuer`: a token of the ' +
      "trusted issuer; `icp`: a token of WSO2's control plane.",
  )

const wildcard = 'compared whole and case-insensitively; `*` stands for any characters.'

export const sessionQuery = z.object({
  user: z
    .string()
    .optional()
    .describe(
      'The user, as the name is spelled; a name with `*`, which stands for any characters, is case-insensitive.',
    ),
  exactUser: z.string().optional().describe('The user, as the name is spelled, also where it has a `*`.'),
  address: z.string().optional().describe(`The address of the login, ${wildcard}`),
  kind: sessionKind.optional(),
  client: z.string().optional().describe(`The portal, or the audience of an OAuth token, ${wildcard}`),
  sort: z
    .string()
    .regex(/^-?(?:user|kind|client|address|issuedAt|lastAccessAt|expiresAt)$/)
    .optional()
    .describe('A field of the entry, with a `-` before it from the greatest on. Default: `-lastAccessAt`.'),
  ...pageQuery.shape,
})

/** A session as `GET /sessions` lists it. */
export const sessionEntry = component(
  'Session',
  'A live session or token.',
  z.object({
    id: z.string().describe('A digest, which opens nothing: what `DELETE /sessions/{id}` takes.'),
    user: z.string().describe('Whose session it is.'),
    kind: sessionKind,
    client: z
      .string()
      .nullable()
      .describe('The portal of a session, the audience of an OAuth token; null for other kinds.'),
    address: z.string().nullable().describe('The address of the client at the login; null where it is not known.'),
    scope: z.string().describe('Scopes at the login, separated by spaces.'),
    issuedAt: moment('When the login took place.'),
    lastAccessAt: moment('When it was used last.'),
    expiresAt: moment('When it ends at the latest.'),
    factors: z
      .array(z.enum(['password', 'otp', 'recovery', 'provider', 'app']))
      .readonly()
      .optional()
      .describe('What the login was proven with; absent where that is not known.'),
    impersonator: z.string().optional().describe('Who acts as the user; absent for everybody else.'),
  }),
)
export type SessionEntry = Readonly<z.output<typeof sessionEntry>>

export const sessionPage = component(
  'SessionPage',
  'Sessions that were found.',
  z.object({
    count: count('Entries of this page.'),
    total: count('Entries of all pages.'),
    isComplete: z
      .boolean()
      .describe('`false` where there are more than are looked at: then the least recently used ones are missing.'),
    list: z.array(sessionEntry).readonly().describe('The entries.'),
  }),
)
export type SessionPage = Readonly<z.output<typeof sessionPage>>

export const endedSession = component(
  'EndedSession',
  'The session that was ended.',
  z.object({ id: z.string().describe('Its id.'), status: z.literal('Ended').describe('Always this.') }),
)
export type EndedSession = Readonly<z.output<typeof endedSession>>

export const endedSessions = component(
  'EndedSessions',
  'The user whose sessions were ended.',
  z.object({
    user: z.string().describe('The name, as it was sent.'),
    count: count('Sessions and tokens that were ended.'),
    status: z.literal('Ended').describe('Always this.'),
  }),
)
export type EndedSessions = Readonly<z.output<typeof endedSessions>>

/** A lock as `GET /locks` lists it. */
export const lockEntry = component(
  'Lock',
  'A lock of logins after failed ones.',
  z.object({
    scope: z
      .enum(['pair', 'user', 'source', 'second-factor'])
      .describe(
        'Which logins are refused: of this user from this address (`pair`), of this user from addresses without a good login lately ' +
          '(`user`), of all users from this address (`source`), or of this user at the second factor (`second-factor`).',
      ),
    user: z
      .string()
      .describe(
        'As it was typed at the failure that began the lock: there may be no such user. Of a second factor, whose it is.',
      ),
    address: z
      .string()
      .nullable()
      .describe('The address of the client at that failure; null where it is not known, and for a second factor.'),
    since: moment('When the lock began.'),
    until: moment('When the next login is taken; a day from now where only an operator ends the lock.'),
  }),
)
export type LockEntry = Readonly<z.output<typeof lockEntry>>

export const lockPage = pageOf('LockPage', 'Locks that hold.', lockEntry)
export type LockPage = Readonly<z.output<typeof lockPage>>

const liftStatus = z
  .enum(['Lifted', 'NotLocked'])
  .describe('`NotLocked`: there was no lock. Failures that did not lock yet are forgotten all the same.')

export const liftedLocks = component(
  'LiftedLocks',
  'The user, or the address, whose locks were lifted.',
  z.object({
    user: z.string().optional().describe('As it was sent.'),
    address: z.string().optional().describe('As it was sent.'),
    status: liftStatus,
  }),
)
export type LiftedLocks = Readonly<z.output<typeof liftedLocks>>
