/**
 * Stands between a token store, which an app may have written, and everything that believes its answers.
 *
 * @module
 */

import { StoreError } from '../core/errors.js'
import { isThenable } from '../core/thenable.js'
import { TokenEntry } from './token-entry.js'
import type { RecordKind, TokenQuery, TokenRecord, TokenStore } from './token-store.js'

/** A token store whose answers are what {@link TokenStore} says. Whatever else it does is a {@link StoreError}. */
export interface CheckedTokenStore extends TokenStore {
  /** `kind`: of what is looked up, where that is known. */
  find(id: string, kind?: RecordKind): TokenRecord | undefined | Promise<TokenRecord | undefined>
}

const checkedStores = new WeakSet<TokenStore>()

/** Checks the answers of a store. It answers at once where the store does, and takes anything that can be awaited. */
export function checkedTokenStore(store: TokenStore): CheckedTokenStore {
  if (checkedStores.has(store)) return store
  const checked: CheckedTokenStore = {
    find: (id, kind) =>
      ask(
        'find',
        () => store.find(id),
        (answer) => foundRecord(answer, id, kind),
      ),
    add: (record) =>
      ask(
        'add',
        () => store.add(record),
        (answer) => booleanFrom('add', answer),
      ),
    touch: (id, at) =>
      ask(
        'touch',
        () => store.touch(id, at),
        () => undefined,
      ),
    remove: (id) =>
      ask(
        'remove',
        () => store.remove(id),
        (answer) => booleanFrom('remove', answer),
      ),
    removeAllOf: (subject) => ask('removeAllOf', () => store.removeAllOf(subject), countFrom),
    list: (query?: TokenQuery) => ask('list', () => store.list(query), recordsFrom),
    close: () => store.close(),
  }
  checkedStores.add(checked)
  return checked
}

function ask<Answer>(
  method: keyof TokenStore,
  call: () => unknown,
  check: (answer: unknown) => Answer,
): Answer | Promise<Answer> {
  try {
    const answer = call()
    if (!isThenable(answer)) return check(answer)
    return Promise.resolve(answer)
      .then(check)
      .catch((error: unknown) => fail(method, error))
  } catch (error) {
    return fail(method, error)
  }
}

function fail(method: keyof TokenStore, error: unknown): never {
  if (error instanceof StoreError) throw error
  throw new StoreError(`the token store failed in ${method}`, { cause: error })
}

/** The reason is for the log: it names the field and not what is in it. */
function mismatch(method: keyof TokenStore, reason: string): StoreError {
  return new StoreError(`the token store answered ${method} with ${reason}`)
}

function booleanFrom(method: 'add' | 'remove', answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  throw mismatch(method, 'neither true nor false')
}

function countFrom(answer: unknown): number {
  if (Number.isSafeInteger(answer) && (answer as number) >= 0) return answer as number
  throw mismatch('removeAllOf', 'no count')
}

function recordsFrom(answer: unknown): readonly TokenRecord[] {
  if (!Array.isArray(answer)) throw mismatch('list', 'no array')
  for (const record of answer) assertRecord('list', record)
  return answer
}

function foundRecord(answer: unknown, id: string, kind: RecordKind | undefined): TokenRecord | undefined {
  if (answer === undefined) return undefined
  assertRecord('find', answer)
  if (answer.id !== id) throw mismatch('find', 'the record of another id')
  if (kind !== undefined && answer.kind !== kind) throw mismatch('find', 'a record of another kind')
  return answer
}

const kinds: ReadonlySet<unknown> = new Set<RecordKind>(['management', 'portal', 'oauth', 'basic', 'sso'])

const isText = (value: unknown): boolean => typeof value === 'string'
const isNoneOrText = (value: unknown): boolean => value === undefined || typeof value === 'string'
const isMoment = (value: unknown): boolean => Number.isFinite(value)

/** The first field that is not what it has to be. Written out, because it runs at every request. `account` is this process' own. */
function wrongField(record: TokenRecord): keyof TokenRecord | undefined {
  if (!isText(record.id)) return 'id'
  if (!kinds.has(record.kind)) return 'kind'
  if (!isNoneOrText(record.audience)) return 'audience'
  if (!isNoneOrText(record.parent)) return 'parent'
  if (!isText(record.subject) || record.subject === '') return 'subject'
  if (!Array.isArray(record.roles) || !record.roles.every(isText)) return 'roles'
  if (typeof record.isAdmin !== 'boolean') return 'isAdmin'
  if (!isText(record.accountVersion)) return 'accountVersion'
  if (!isText(record.scope)) return 'scope'
  if (!isMoment(record.issuedAt)) return 'issuedAt'
  if (!isMoment(record.expiresAt)) return 'expiresAt'
  if (record.idleTimeoutMs !== undefined && !isMoment(record.idleTimeoutMs)) return 'idleTimeoutMs'
  if (!isMoment(record.lastAccessAt)) return 'lastAccessAt'
  if (!isNoneOrText(record.address)) return 'address'
  return undefined
}

function assertRecord(method: 'find' | 'list', answer: unknown): asserts answer is TokenRecord {
  // The memory store of this package makes these, and no other code can: looking at each field would take half a microsecond.
  if (answer instanceof TokenEntry) return
  if (typeof answer !== 'object' || answer === null) throw mismatch(method, 'what is no record')
  const field = wrongField(answer as TokenRecord)
  if (field !== undefined) throw mismatch(method, `a record whose ${field} is not right`)
}
