/**
 * Measures the memory token store: time of each operation, bytes of a token, and the longest pause of the event loop while
 * tokens are issued, as logins do it, and while they expire. Run with
 * `node --import tsx --expose-gc bench/token-store.ts`, on a machine that does nothing else.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { createKeyRing } from '../lib/tokens/keys/key-ring.js'
import { MemoryTokenStore } from '../lib/tokens/memory/memory-token-store.js'
import type { TokenRecord } from '../lib/tokens/token-store.js'
import { createTokens } from '../lib/tokens/tokens.js'

const sizes = [200, 10_000, 100_000, 1_000_000]
const userCount = 1000
const roles: readonly string[] = ['operator']
const states = Array.from({ length: userCount }, (_, number) => ({
  version: `version-${number}`,
  roles,
  isAdmin: false,
  hasEnded: false,
  checkedAt: 0,
}))
const lifeMs = 3_600_000
let now = Date.now()

function idAt(number: number): string {
  return createHash('sha256').update(`token ${number}`).digest('base64url')
}

function createRecord(number: number): TokenRecord {
  const account = states[number % userCount]!
  return {
    id: idAt(number),
    kind: 'management',
    audience: undefined,
    parent: undefined,
    idleTimeoutMs: undefined,
    subject: `user-${number % userCount}`,
    roles,
    isAdmin: false,
    accountVersion: account.version,
    scope: 'default',
    issuedAt: now,
    expiresAt: now + lifeMs,
    lastAccessAt: now,
    address: `192.0.2.${number % 256}`,
    account,
  }
}

function createStore(size: number): MemoryTokenStore {
  return new MemoryTokenStore({ maxSize: size, clock: () => now, cleanUpIntervalMs: 1000 })
}

function heapInUse(): number {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Nanoseconds of processor time of one call, the best of three rounds. */
function nanoseconds(calls: number, work: (call: number) => unknown): number {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 3; round++) {
    const before = process.cpuUsage()
    for (let call = 0; call < calls; call++) work(call)
    best = Math.min(best, (process.cpuUsage(before).user * 1000) / calls)
  }
  return Math.round(best)
}

/** Milliseconds of the longest turn of the event loop until `isDone`. */
async function longestTurn(isDone: () => boolean): Promise<number> {
  let longest = 0
  let last = performance.now()
  while (!isDone()) {
    await nextTurn()
    const moment = performance.now()
    longest = Math.max(longest, moment - last)
    last = moment
  }
  return Number(longest.toFixed(1))
}

// The quickest to sign: the store fills as fast as it ever does.
const keys = await createKeyRing({ algorithm: 'EdDSA' })

/** Issues tokens, eight at a time. */
async function issue(store: MemoryTokenStore, size: number): Promise<number> {
  const tokens = createTokens({
    store,
    keys,
    issuer: 'urn:bench',
    audience: 'bench',
    expiryMs: lifeMs,
    clock: () => now,
  })
  let started = 0
  let issued = 0
  const login = async (): Promise<void> => {
    while (started < size) {
      const number = started++ % userCount
      await tokens.issue({ subject: `user-${number}`, version: states[number]!.version, roles, isAdmin: false })
      issued++
    }
  }
  const ended = Promise.all(Array.from({ length: 8 }, login))
  const longest = await longestTurn(() => issued >= size)
  await ended
  return longest
}

async function expire(store: MemoryTokenStore): Promise<number> {
  now += lifeMs
  return longestTurn(() => store.size === 0)
}

/** Lets the collector's threads end what they have begun. */
async function settle(): Promise<void> {
  heapInUse()
  await sleep(500)
}

async function measure(size: number): Promise<Record<string, number>> {
  await settle()
  const issued = createStore(size)
  const issuing = await issue(issued, size)
  await settle()
  const expiring = await expire(issued)
  issued.close()

  await settle()
  const before = heapInUse()
  // So many that what else happens in the process does not count.
  const stores = Array.from({ length: Math.max(1, 20_000 / size) }, () => createStore(size))
  for (const store of stores) for (let added = 0; added < size; added++) store.add(createRecord(added))
  const bytes = (heapInUse() - before) / (size * stores.length)
  const store = stores[0]!
  const ids = Array.from({ length: Math.min(size, 100_000) }, (_, index) => idAt((index * 7919) % size))
  const records = Array.from({ length: 60_000 }, (_, index) => createRecord(size + index))
  let next = 0
  const row = {
    tokens: size,
    'find, ns': nanoseconds(300_000, (call) => store.find(ids[call % ids.length]!)),
    'add to full, ns': nanoseconds(20_000, () => store.add(records[next++]!)),
    'bytes a token': Math.round(bytes),
    'issuing: longest turn, ms': issuing,
    'expiring: longest turn, ms': expiring,
  }
  for (const filled of stores) filled.close()
  return row
}

// The first, unused measurement warms the compiler up.
await measure(10_000)
const rows: Record<string, number>[] = []
for (const size of sizes) rows.push(await measure(size))
console.table(rows)
process.send?.(rows)
process.disconnect?.()
