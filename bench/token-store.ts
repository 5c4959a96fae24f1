/**
 * Measures the memory token store: time of each operation, bytes per token, and the longest pause of the event loop
 * while a store fills and while its tokens expire.
 *
 * Run with `node --import tsx --expose-gc bench/token-store.ts`.
 *
 * @module
 */

import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { tokenId } from '../lib/internal/token-id.js'
import { MemoryTokenStore } from '../lib/tokens/memory-token-store.js'
import type { TokenRecord } from '../lib/tokens/token-store.js'

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

/** Milliseconds of the longest garbage collection since a moment. They are part of the longest turn. */
async function longestCollectionSince(start: number): Promise<number> {
  await nextTurn()
  const durations = collections.filter(({ startTime }) => startTime >= start).map(({ duration }) => duration)
  return Math.max(0, ...durations)
}

/**
 * Milliseconds of processor time of the longest turn of the event loop until `isDone`, with `work` done once a turn. Time
 * in which other programs had the processor does not count; that of the collector's helper threads does.
 */
async function longestTurn(isDone: () => boolean, work: () => void = () => undefined): Promise<number> {
  let longest = 0
  let last = processorMs()
  while (!isDone()) {
    work()
    await nextTurn()
    const time = processorMs()
    longest = Math.max(longest, time - last)
    last = time
  }
  return longest
}

function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

async function measure(size: number): Promise<Record<string, number>> {
  const before = heapInUse()
  const store = new MemoryTokenStore({ maxSize: size, clock: () => now, cleanUpIntervalSeconds: 1 })
  let added = 0
  const issueStart = performance.now()
  const issueTurn = await longestTurn(
    () => added >= size,
    () => {
      for (let count = 0; count < 20 && added < size; count++) store.add(recordOf(added++))
    },
  )
  const issueCollection = await longestCollectionSince(issueStart)
  const bytes = (heapInUse() - before) / size

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
  records.length = 0
  heapInUse()

  now += lifeMs
  const expiryStart = performance.now()
  const expiryTurn = await longestTurn(() => store.size === 0)
  const expiryCollection = await longestCollectionSince(expiryStart)
  store.close()
  return {
    tokens: size,
    'find, ns': find,
    'find and touch, ns': findAndTouch,
    'add to full, ns': evict,
    'bytes a token': Math.round(bytes),
    'issuing: longest turn, ms': rounded(issueTurn),
    'of it gc, ms': rounded(issueCollection),
    'expiring: longest turn, ms': rounded(expiryTurn),
    'of it gc, ms ': rounded(expiryCollection),
  }
}

function rounded(milliseconds: number): number {
  return Number(milliseconds.toFixed(1))
}

// The first, unused measurement warms the compiler up.
await measure(10_000)
const rows: Record<string, number>[] = []
for (const size of sizes) rows.push(await measure(size))
console.table(rows)
