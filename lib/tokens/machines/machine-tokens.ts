/**
 * Bearer tokens of the management API that no login here has issued: each gets a record in the token store when it is first accepted, and
 * is from then on found, listed and revoked as our own.
 *
 * @module
 */

import { type Auth, isMachineKind, type MachineKind } from '../../core/auth.js'
import { type Origin, UnauthorizedError } from '../../core/errors.js'
import type { Client } from '../../core/event-members.js'
import { andThen, isThenable } from '../../core/thenable.js'
import { maxMachineTokens } from '../external/pools.js'
import { addRecord, type RecordParts } from '../issuer.js'
import { invalidToken } from '../jwt/verify-token.js'
import { tokenId } from '../token-id.js'
import type { LiveRecord, TokenRecord } from '../token-store.js'
import { authFrom, createRecordVerifier } from '../verification.js'
import type { Credential, CredentialSource } from './credential-source.js'
import { createTombstones, endingId, tombstoneId, tombstoneKeeper } from './tombstones.js'

/** What {@link createMachineTokens} works with. */
export interface MachineTokensParts extends Omit<RecordParts, 'accounts'> {
  /** Told of each credential that was accepted for the first time. */
  readonly onAdmit?: ((record: LiveRecord, client: Client) => void) | undefined
  /** Told why one was refused. */
  readonly onRefuse?: ((refusal: MachineRefusal) => void) | undefined
}

/** Why a credential was refused, for the log: the client does not learn it. */
export interface MachineRefusal {
  readonly kind: MachineKind
  readonly reason: unknown
  readonly address: string | undefined
  /** Whose it is; `undefined` where the configuration does not name it: nothing of it is believed then. */
  readonly subject: string | undefined
  /** The rule, or the entry of the credential. */
  readonly origin: Origin | undefined
}

/** A text, and what is known of it by its form. */
export interface MachineCredential {
  readonly kind: MachineKind
  readonly token: string
  readonly id: string
}

/** Verifies and ends them. */
export interface MachineTokens {
  /** What a text is by its form alone, of which nothing is believed; `undefined`: none of these. */
  read(token: string): MachineCredential | undefined
  /** At once where it was accepted before. @throws `UnauthorizedError`, or rejects with it or with `StoreError`. */
  verify(credential: MachineCredential, readClient: () => Client): Auth | Promise<Auth>
  /** The refusal of one that may not be used in this way, by the rule of `origin`: the log has the reason. */
  refuse(credential: MachineCredential, reason: string, address: string | undefined, origin: Origin): UnauthorizedError
  /** Takes these sources in place of those before. It cannot throw. */
  use(sources: readonly CredentialSource[]): void
  /**
   * Keeps the credential of a record from coming back; nothing for a record of another kind. `false`: the record is a tombstone, which nobody
   * takes away. `undefined`: none is accepted here.
   */
  end(id: string): undefined | Promise<boolean>
  /** The same for all of a user. */
  endAllOf(subject: string): undefined | Promise<boolean>
  /** Sees to it that what is known without its text has a record, so that lists show it. */
  recordKnown(): Promise<void>
}

/** `accountVersion` of a record: by which settings it was accepted, and its tombstone. */
function versionFrom({ version, kind }: CredentialSource, { name }: Credential): string {
  return `${version} ${tombstoneId(kind, name)}`
}

export function createMachineTokens(parts: MachineTokensParts): MachineTokens {
  const { store, clock, revocations, onAdmit, onRefuse } = parts
  const tombstones = createTombstones(store, clock)
  const verifyRecord = createRecordVerifier({ ...parts, accounts: undefined, refuse: invalidToken })
  let sources: readonly CredentialSource[] = []

  async function assertNotEnded(source: CredentialSource, id: string, credential: Credential): Promise<void> {
    const { subject, issuedAt, name } = credential
    const isPending = revocations.isRevoked({ id, subject, issuedAt: issuedAt ?? clock() })
    if (isPending || (await tombstones.refuses(tombstoneId(source.kind, name), subject, issuedAt))) {
      throw invalidToken('it was revoked')
    }
  }

  /** The tombstones are looked for once more when the record is there: from then on who revokes the credential finds it. */
  async function admit(
    source: CredentialSource,
    id: string,
    credential: Credential,
    { at, address }: { readonly at: number; readonly address: string | undefined },
  ): Promise<LiveRecord> {
    const startedAt = clock()
    const { sequence } = revocations
    const { subject, roles, isAdmin, issuedAt = startedAt, expiresAt } = credential
    if (startedAt >= expiresAt) throw invalidToken('it has expired')
    await assertNotEnded(source, id, credential)
    const account = { subject, roles, isAdmin, version: versionFrom(source, credential) }
    const added = { id, kind: source.kind, issuedAt, expiresAt, lastAccessAt: at, address }
    const record = await addRecord({ store, revocations, accounts: undefined }, account, added, { startedAt, sequence })
    try {
      await assertNotEnded(source, id, credential)
    } catch (error) {
      await store.remove(id)
      throw error
    }
    return record
  }

  function sourceOf({ kind }: MachineCredential): CredentialSource | undefined {
    return sources.find((candidate) => candidate.kind === kind)
  }

  function report(credential: MachineCredential, refusal: Pick<MachineRefusal, 'reason' | 'address' | 'origin'>): void {
    const source = sourceOf(credential)
    const known = source?.known?.get(source.keyOf?.(credential.token) ?? credential.token)
    const { reason, address, origin = known?.origin } = refusal
    onRefuse?.({ kind: credential.kind, reason, address, subject: known?.subject, origin })
  }

  /** A refusal says one thing to the client, and why to the log. */
  function refuse(credential: MachineCredential, error: unknown, address: string | undefined): never {
    if (!(error instanceof UnauthorizedError)) throw error
    report(credential, { reason: error.cause ?? error, address, origin: undefined })
    throw error.code === 'ERR_TOKEN_INVALID' ? error : invalidToken(error)
  }

  function verify(machine: MachineCredential, readClient: () => Client): Auth | Promise<Auth> {
    const { kind, token, id } = machine
    const source = sourceOf(machine)
    if (source === undefined) throw invalidToken('tokens of this kind are not accepted')
    let credential: Credential | Promise<Credential> | undefined
    const readCredential = (): Credential | Promise<Credential> => {
      credential ??= source.verify(token)
      return credential
    }
    const lookup = {
      id,
      kind,
      isActivity: true,
      isCurrent: ({ accountVersion }: TokenRecord) => accountVersion.startsWith(`${source.version} `),
      prove: async ({ subject }: TokenRecord): Promise<void> => {
        const proven = await readCredential()
        if (proven.subject !== subject) throw invalidToken('the token and its record are of different users')
      },
      admit: async (): Promise<LiveRecord> => {
        const client = readClient()
        const use = { at: clock(), address: client.address }
        const record = await admit(source, id, await readCredential(), use)
        onAdmit?.(record, client)
        return record
      },
    }
    try {
      // A store outside this process is not asked about what anybody makes up.
      const proof = store.holds(id) ? undefined : readCredential()
      const found = andThen(
        andThen<unknown, LiveRecord>(proof, () => verifyRecord(lookup)),
        authFrom,
      )
      return isThenable(found)
        ? Promise.resolve(found).catch((error: unknown) => refuse(machine, error, readClient().address))
        : found
    } catch (error) {
      return refuse(machine, error, readClient().address)
    }
  }

  async function entomb(id: string): Promise<boolean> {
    const record = await store.find(id)
    if (record !== undefined && isMachineKind(record.kind)) await entombRecord(record)
    return record?.kind !== 'tombstone'
  }

  function entombRecord({ accountVersion, expiresAt }: TokenRecord): Promise<void> {
    return tombstones.add(accountVersion.split(' ')[1]!, clock(), expiresAt)
  }

  /** Tokens of an issuer whose clock is ahead are not of the time before: each of them gets a tombstone of its own. */
  async function entombAll(subject: string, sources: readonly CredentialSource[]): Promise<boolean> {
    const now = clock()
    for (const source of sources) {
      for (const ending of source.endingsOf(subject, now)) {
        await tombstones.add(endingId(source.kind, subject, ending), now, ending.until)
      }
      const records = await store.list({ subject, kind: source.kind, limit: maxMachineTokens })
      for (const record of records) if (record.issuedAt > now) await entombRecord(record)
    }
    return true
  }

  return {
    read(token) {
      const source = sources.find((candidate) => candidate.accepts(token))
      if (source === undefined) return undefined
      return { kind: source.kind, token, id: tokenId(source.kind, source.keyOf?.(token) ?? token) }
    },

    verify,

    refuse(credential, reason, address, origin) {
      report(credential, { reason, address, origin })
      return invalidToken(reason)
    },

    use(next) {
      sources = next
    },

    end: (id) => (sources.length === 0 ? undefined : entomb(id)),

    endAllOf(subject) {
      if (subject === tombstoneKeeper) return Promise.resolve(false)
      const known = sources.filter((source) => source.endingsOf(subject, clock()).length > 0)
      return known.length === 0 ? undefined : entombAll(subject, known)
    },

    async recordKnown() {
      for (const source of sources) {
        for (const [key, credential] of source.known ?? []) {
          const id = tokenId(source.kind, key)
          const found = await store.find(id)
          if (found?.accountVersion.startsWith(`${source.version} `)) continue
          const lastUse = { at: found?.lastAccessAt ?? 0, address: found?.address }
          await admit(source, id, credential, lastUse).catch((error: unknown) => {
            if (!(error instanceof UnauthorizedError)) throw error
          })
        }
      }
    },
  }
}
