/**
 * Stands between a token store, which an app may have written, and everything that believes its answers.
 *
 * @module
 */

import { StoreError } from '../core/errors.js'
import { isThenable } from '../core/thenable.js'
import { StoredToken } from './memory/stored-token.js'
import type { LoginStart, PoolFill, RecordKind, TokenQuery, TokenRecord, TokenStore } from './token-store.js'

/**
 * A token store whose answers are what {@link TokenStore} says, at once where the store's own are. Whatever else the store
 * answers or throws is a `StoreError`. Everything that works with a store takes it in this form.
 */
export class CheckedTokenStore implements TokenStore {
  readonly #store: TokenStore
  /** The same store, where other processes have it too. */
  readonly #shared: Required<TokenStore> | undefined

  constructor(store: TokenStore) {
    this.#store = store
    this.#shared = sharedMethods.every((name) => name in store) ? (store as Required<TokenStore>) : undefined
  }

  /** `kind`: of what is looked up, where that is known. */
  find(id: string, kind?: RecordKind): TokenRecord | undefined | Promise<TokenRecord | undefined> {
    const check = (answer: unknown): TokenRecord | undefined => recordFrom(answer, id, kind)
    return ask('find', check, () => this.#store.find(id))
  }

  add(record: TokenRecord, login?: LoginStart): boolean | 'revoked' | Promise<boolean | 'revoked'> {
    return ask('add', outcomeFrom, () => this.#store.add(record, login))
  }

  touch(id: string, at: number): undefined | Promise<undefined> {
    return ask('touch', nothingFrom, () => this.#store.touch(id, at))
  }

  remove(id: string): boolean | Promise<boolean> {
    return ask('remove', booleanFrom, () => this.#store.remove(id))
  }

  removeBySubject(subject: string): number | Promise<number> {
    return ask('removeBySubject', countFrom, () => this.#store.removeBySubject(subject))
  }

  list(query?: TokenQuery): readonly TokenRecord[] | Promise<readonly TokenRecord[]> {
    return ask('list', recordsFrom, () => this.#store.list(query))
  }

  /** None where the store does not tell. */
  fill(): readonly PoolFill[] | Promise<readonly PoolFill[]> {
    return this.#store.fill?.() ?? []
  }

  close(): void | Promise<void> {
    return this.#store.close()
  }

  holds(id: string): boolean {
    return this.#shared === undefined || this.#shared.holds(id)
  }

  assertReady(): void {
    this.#shared?.assertReady()
  }

  assertCurrent(): undefined | Promise<void> {
    return this.#shared?.assertCurrent()
  }

  onAccountChange(tell: (subject: string | undefined) => void): void {
    this.#shared?.onAccountChange(tell)
  }

  publishAccountChange(subject?: string): void | Promise<void> {
    return this.#shared?.publishAccountChange(subject)
  }
}

const sharedMethods = ['holds', 'assertReady', 'assertCurrent', 'onAccountChange', 'publishAccountChange'] as const

const checkedStores = new WeakMap<TokenStore, CheckedTokenStore>()

/** The one checked form of a store. */
export function checkedTokenStore(store: TokenStore): CheckedTokenStore {
  if (store instanceof CheckedTokenStore) return store
  const checked = checkedStores.get(store) ?? new CheckedTokenStore(store)
  checkedStores.set(store, checked)
  return checked
}

type Method = 'find' | 'add' | 'touch' | 'remove' | 'removeBySubject' | 'list'

function ask<Answer>(
  method: Method,
  check: (answer: unknown, method: Method) => Answer,
  call: () => unknown,
): Answer | Promise<Answer> {
  try {
    const answer = call()
    if (!isThenable(answer)) return check(answer, method)
    return Promise.resolve(answer)
      .then((value) => check(value, method))
      .catch((error: unknown) => fail(method, error))
  } catch (error) {
    return fail(method, error)
  }
}

function fail(method: Method, error: unknown): never {
  if (error instanceof StoreError) throw error
  throw new StoreError(`the token store failed in ${method}`, { cause: error })
}

/** The reason is for the log: it names the field and not what is in it. */
function mismatch(method: Method, reason: string): StoreError {
  return new StoreError(`the token store answered ${method} with ${reason}`)
}

function nothingFrom(): undefined {
  return undefined
}

function booleanFrom(answer: unknown, method: Method): boolean {
  if (typeof answer === 'boolean') return answer
  throw mismatch(method, 'neither true nor false')
}

function outcomeFrom(answer: unknown, method: Method): boolean | 'revoked' {
  return answer === 'revoked' ? answer : booleanFrom(answer, method)
}

function countFrom(answer: unknown, method: Method): number {
  if (Number.isSafeInteger(answer) && (answer as number) >= 0) return answer as number
  throw mismatch(method, 'no count')
}

function recordsFrom(answer: unknown, method: Method): readonly TokenRecord[] {
  if (!Array.isArray(answer)) throw mismatch(method, 'no array')
  for (const record of answer) assertRecord(record, method)
  return answer
}

function recordFrom(answer: unknown, id: string, kind: RecordKind | undefined): TokenRecord | undefined {
  if (answer === undefined) return undefined
  assertRecord(answer, 'find')
  if (answer.id !== id) throw mismatch('find', 'the record of another id')
  if (kind !== undefined && answer.kind !== kind) throw mismatch('find', 'a record of another kind')
  return answer
}

function assertRecord(answer: unknown, method: Method): asserts answer is TokenRecord {
  // Only the stores of this package create these. Looking at each field would take half a microsecond a request.
  if (answer instanceof StoredToken || answer instanceof CheckedRecord) return
  if (typeof answer !== 'object' || answer === null) throw mismatch(method, 'what is no record')
  const record = answer as Partial<Record<keyof TokenRecord, unknown>>
  for (const [field, isValid] of recordChecks) {
    if (!isValid(record[field])) throw mismatch(method, `a record with an invalid ${field}`)
  }
}

class CheckedRecord {}

/** A copy of a record whose fields are looked at now and never again. @throws StoreError where one is not what it should be. */
export function checkedRecord(record: TokenRecord): TokenRecord {
  assertRecord(record, 'find')
  return Object.assign(new CheckedRecord(), record)
}

/** Every kind of record. */
export const recordKinds: ReadonlySet<unknown> = new Set<RecordKind>([
  'management',
  'portal',
  'oauth',
  'basic',
  'sso',
  'api',
  'issuer',
  'icp',
  'tombstone',
])

type Check = (value: unknown) => boolean
const isText: Check = (value) => typeof value === 'string'
const isMoment: Check = (value) => Number.isFinite(value)
const optional = (check: Check): Check => {
  return (value) => value === undefined || check(value)
}

/** All fields but `account`, which is this process' own. */
const recordChecks = Object.entries({
  id: isText,
  kind: (value) => recordKinds.has(value),
  audience: optional(isText),
  parent: optional(isText),
  subject: (value) => isText(value) && value !== '',
  roles: (value) => Array.isArray(value) && value.every(isText),
  isAdmin: (value) => typeof value === 'boolean',
  accountVersion: isText,
  scope: isText,
  issuedAt: isMoment,
  expiresAt: isMoment,
  idleTimeoutMs: optional(isMoment),
  lastAccessAt: isMoment,
  address: optional(isText),
  factors: optional((value) => Array.isArray(value) && value.every(isText)),
  impersonator: optional(isText),
} satisfies Record<Exclude<keyof TokenRecord, 'account'>, Check>) as readonly [keyof TokenRecord, Check][]
