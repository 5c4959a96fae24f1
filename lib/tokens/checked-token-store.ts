/**
 * Stands between a token store, which an app may have written, and everything that believes its answers.
 *
 * @module
 */

import { StoreError } from '../core/errors.js'
import { isThenable } from '../core/thenable.js'
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
  const fail = (error: unknown): never => {
    if (error instanceof StoreError) throw error
    throw new StoreError(`the token store failed in ${method}`, { cause: error })
  }
  try {
    const answer = call()
    return isThenable(answer) ? Promise.resolve(answer).then(check).catch(fail) : check(answer)
  } catch (error) {
    return fail(error)
  }
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

/** What each field has to be; `account` belongs to this process. */
const fields: readonly (readonly [keyof TokenRecord, (value: unknown) => boolean])[] = [
  ['id', isText],
  ['kind', (value) => kinds.has(value)],
  ['audience', isNoneOrText],
  ['parent', isNoneOrText],
  ['subject', (value) => typeof value === 'string' && value !== ''],
  ['roles', (value) => Array.isArray(value) && value.every(isText)],
  ['isAdmin', (value) => typeof value === 'boolean'],
  ['accountVersion', isText],
  ['scope', isText],
  ['issuedAt', isMoment],
  ['expiresAt', isMoment],
  ['idleTimeoutMs', (value) => value === undefined || isMoment(value)],
  ['lastAccessAt', isMoment],
  ['address', isNoneOrText],
]

function assertRecord(method: 'find' | 'list', answer: unknown): asserts answer is TokenRecord {
  if (typeof answer !== 'object' || answer === null) throw mismatch(method, 'what is no record')
  for (const [field, isRight] of fields) {
    if (!isRight((answer as TokenRecord)[field])) throw mismatch(method, `a record whose ${field} is not right`)
  }
}
