/**
 * Measures the memory token store: time of each operation, bytes per token, and the longest pause of the event loop, as
 * the median of some rounds: while tokens are issued, as logins do it; while the same logins go on and nothing is kept,
 * which is what the pauses of issuing are to be compared with; while records are added without logins; and while they
 * expire.
 *
 * A pause is the time of one turn of the event loop on the clock, with all that delays it: the store's work, each
 * collection with the wait for the collector's threads, and those threads and the compiler's where they take the only core. Just
 * one thing is left out, on Linux: what the main thread waited for a core that other programs had.
 *
 * Run with `node --import tsx --expose-gc bench/token-store.ts`.
 *
 * @module
 */

import { existsSync, openSync, readSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { tokenId } from '../lib/internal/token-id.js'
import { createKeyRing } from '../lib/tokens/key-ring.js'
import { MemoryTokenStore } from '../lib/tokens/memory-token-store.js'
import type { TokenRecord, TokenStore } from '../lib/tokens/token-store.js'
import { createTokens } from '../lib/tokens/tokens.js'
import { createAccounts } from '../lib/users/accounts.js'

const sizes = [200, 10_000, 100_000, 1_000_000]
const users = 1000
const roles: readonly string[] = ['operator']
const accounts = Array.from({ length: users }, (_, number) => ({
  subject: `user-${number}`,
  version: `version-${number}`,
  address: `192.0.2.${number % 256}`,
  state: { version: `version-${number}`, roles, isAdmin: false, hasEnded: false, checkedAt: 0 },
}))
const lifeMs = 3_600_000
let now = Date.now()

function recordOf(number: number): TokenRecord {
  const { subject, version, address, state } = accounts[number % users]!
  return {
    id: tokenId('management', `token ${number}`),
    kind: 'management',
    audience: undefined,
    parent: undefined,
    idleTimeoutMs: undefined,
    subject,
    roles,
    isAdmin: false,
    accountVersion: version,
    scope: 'default',
    issuedAt: now,
    expiresAt: now + lifeMs,
    lastAccessAt: now,
    address,
    account: state,
  }
}

function heapInUse(): number {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Nanoseconds of processor time of one call, the best of three rounds. */
function nanoseconds(calls: number, work: (call: number) => void): number {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 3; round++) {
    const before = process.cpuUsage()
    for (let call = 0; call < calls; call++) work(call)
    best = Math.min(best, (process.cpuUsage(before).user * 1000) / calls)
  }
  return Math.round(best)
}

const collections: { readonly startTime: number; readonly duration: number }[] = []
new PerformanceObserver((list) => void collections.push(...list.getEntries())).observe({ entryTypes: ['gc'] })

/** Milliseconds on the clock of the garbage collections that began within a turn. They are part of it. */
async function collectionsIn({ begin, end }: Turn): Promise<number> {
  // The observer is told a little later.
  await sleep(10)
  const within = collections.filter(({ startTime }) => startTime >= begin && startTime <= end)
  return within.reduce((sum, { duration }) => sum + duration, 0)
}

/** Lets the collector's threads end what a collection that the benchmark has forced left to them. */
async function settle(): Promise<void> {
  heapInUse()
  await sleep(500)
}

/** A turn of the event loop, in milliseconds. */
interface Turn {
  readonly begin: number
  readonly end: number
  /** How long it took, without what other programs took. */
  readonly pause: number
}

/** The longest turn of the event loop until `isDone`. */
async function longestTurn(isDone: () => boolean): Promise<Turn> {
  let longest: Turn = { begin: 0, end: 0, pause: 0 }
  let last = momentNow()
  while (!isDone()) {
    await nextTurn()
    const moment = momentNow()
    const pause = pauseBetween(last, moment)
    if (pause > longest.pause) longest = { begin: last.clock, end: moment.clock, pause }
    last = moment
  }
  return longest
}

/** All in milliseconds, since some beginning. */
interface Moment {
  readonly clock: number
  /** Processor time of all threads of this process. */
  readonly process: number
  /** Processor time of the main thread. */
  readonly main: number
  /** How long the main thread could have run, and waited for a core. */
  readonly waiting: number
}

const scheduling = existsSync('/proc/thread-self/schedstat') ? openSync('/proc/thread-self/schedstat', 'r') : undefined
const schedulingText = Buffer.alloc(100)

function momentNow(): Moment {
  // Asked first: it brings the times of the running thread, which the file shows, up to date.
  const { user, system } = process.cpuUsage()
  const length = scheduling === undefined ? 0 : readSync(scheduling, schedulingText, 0, schedulingText.length, 0)
  const [main = 0, waiting = 0] = schedulingText.toString('latin1', 0, length).split(' ').map(Number)
  return { clock: performance.now(), process: (user + system) / 1000, main: main / 1e6, waiting: waiting / 1e6 }
}

/** The time on the clock without what other programs took: own threads may have run for as long as others of them did. */
function pauseBetween(before: Moment, after: Moment): number {
  const ownThreads = Math.max(0, after.process - before.process - (after.main - before.main))
  const otherPrograms = Math.max(0, after.waiting - before.waiting - ownThreads)
  return after.clock - before.clock - otherPrograms
}

/** Milliseconds of the longest turn, and of the collections in it. */
interface Pauses {
  readonly turn: number
  readonly collection: number
}

async function pausesOf(isDone: () => boolean): Promise<Pauses> {
  const turn = await longestTurn(isDone)
  return { turn: turn.pause, collection: await collectionsIn(turn) }
}

function storeOf(size: number): MemoryTokenStore {
  return new MemoryTokenStore({ maxSize: size, clock: () => now, cleanUpIntervalSeconds: 1 })
}

/** Puts records in without the work of a login, as many at each turn of the event loop as there are logins under way. */
async function fill(store: MemoryTokenStore, size: number): Promise<void> {
  for (let added = 0; added < size; added++) {
    store.add(recordOf(added))
    if (added % logins === 0) await nextTurn()
  }
}

async function add(store: MemoryTokenStore, size: number): Promise<Pauses> {
  const filled = fill(store, size)
  const pauses = await pausesOf(() => store.size === size)
  await filled
  return pauses
}

/** A store that takes every token and keeps none. */
const keepsNothing: TokenStore = {
  find: () => undefined,
  add: () => true,
  touch() {},
  remove: () => false,
  removeAllOf: () => 0,
  list: () => [],
  close() {},
}

// The quickest to sign: the store fills as fast as it ever does.
const keys = await createKeyRing({ algorithm: 'EdDSA' })
const logins = 8

/** Issues tokens, some at a time. */
async function issue(store: TokenStore, size: number): Promise<Pauses> {
  const clock = (): number => now
  const userStore = {
    authenticate: async () => ({ failure: 'unknown-user' }) as const,
    find: () => undefined,
    close() {},
  }
  const tokens = createTokens({
    store,
    keys,
    issuer: 'https://login.example.org',
    audience: 'management-api',
    expirySeconds: lifeMs / 1000,
    clock,
    accounts: createAccounts({ users: userStore, clock }),
  })
  let begun = 0
  let issued = 0
  const login = async (): Promise<void> => {
    while (begun < size) {
      const { subject, version, address } = accounts[begun++ % users]!
      await tokens.issue({ subject, version, roles, isAdmin: false }, { address })
      issued++
    }
  }
  const ended = Promise.all(Array.from({ length: logins }, login))
  const pauses = await pausesOf(() => issued >= size)
  await ended
  return pauses
}

async function expire(store: MemoryTokenStore): Promise<Pauses> {
  await settle()
  now += lifeMs
  const pauses = await pausesOf(() => store.size === 0)
  store.close()
  return pauses
}

/** The round whose longest turn is the median. */
function median(rounds: readonly Pauses[]): Pauses {
  const { turn, collection } = rounds.toSorted((left, right) => left.turn - right.turn)[rounds.length >> 1]!
  return { turn: Number(turn.toFixed(1)), collection: Number(collection.toFixed(1)) }
}

async function measure(size: number): Promise<Record<string, number>> {
  const issuing: Pauses[] = []
  const keepingNothing: Pauses[] = []
  const adding: Pauses[] = []
  const expiring: Pauses[] = []
  // A million tokens have so many collections in one round that a chance does not count.
  for (let round = 0; round < Math.min(3, 300_000 / size); round++) {
    await settle()
    keepingNothing.push(await issue(keepsNothing, size))
    await settle()
    const issued = storeOf(size)
    issuing.push(await issue(issued, size))
    expiring.push(await expire(issued))
    await settle()
    const filled = storeOf(size)
    adding.push(await add(filled, size))
    filled.close()
  }
  await settle()
  const before = heapInUse()
  // So many that what else happens in the process does not count.
  const stores = Array.from({ length: Math.max(1, 20_000 / size) }, () => storeOf(size))
  for (const store of stores) await fill(store, size)
  const bytes = (heapInUse() - before) / (size * stores.length)
  const store = stores[0]!

  const ids = Array.from({ length: Math.min(size, 100_000) }, (_, index) =>
    tokenId('management', `token ${(index * 7919) % size}`),
  )
  const idOf = (call: number): string => ids[call % ids.length]!
  const find = nanoseconds(300_000, (call) => store.find(idOf(call)))
  const findAndTouch = nanoseconds(300_000, (call) => {
    store.find(idOf(call))
    store.touch(idOf(call), now)
  })
  const records = Array.from({ length: 60_000 }, (_, index) => recordOf(size + index))
  let next = 0
  const evict = nanoseconds(20_000, () => store.add(records[next++]!))
  for (const filled of stores) filled.close()
  return {
    tokens: size,
    'find, ns': find,
    'find and touch, ns': findAndTouch,
    'add to full, ns': evict,
    'bytes a token': Math.round(bytes),
    'issuing: longest turn, ms': median(issuing).turn,
    'of it gc, ms': median(issuing).collection,
    'the same, nothing kept, ms': median(keepingNothing).turn,
    'adding without logins, ms': median(adding).turn,
    'expiring, ms': median(expiring).turn,
  }
}

// The first, unused measurement warms the compiler up.
await measure(10_000)
const rows: Record<string, number>[] = []
for (const size of sizes) rows.push(await measure(size))
console.table(rows)
