/**
 * Time, timers, clocks and randomness of a run: everything happens in one order, which the seed decides.
 *
 * What is scheduled is one turn of the event loop of one process. After each turn all promises are settled, so that whatever runs belongs to
 * the process whose turn it is, and sees the clocks of that.
 */

import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'
import type { Random } from '../../fuzz/random.js'

/** A process, or a server: it may stand still, and its clocks are its own. */
export interface Host {
  readonly name: string
  /** Milliseconds of virtual time until which it stands still. */
  pausedUntil: number
  /** What its wall clock shows at virtual time 0. */
  wallOffset: number
  /** Whether what has arrived is looked at before timers once it runs again: the event loop stood still while it waited for input. */
  isInputFirst: boolean
}

/** What is due first in a turn of the event loop. */
const phases = { timer: 0, input: 1, immediate: 2 } as const

export interface Task {
  at: number
  phase: number
  order: number
  readonly host: Host
  readonly run: () => void
  isCancelled: boolean
}

/** At virtual time 0. */
export const startOfTime = Date.UTC(2026, 0, 1)

export class World {
  /** Milliseconds since the start. */
  now = 0
  readonly random: Random
  /** Timers that are set, by host. */
  readonly timers = new Map<Host, Set<Task>>()
  current: Host | undefined
  #order = 0
  readonly #heap: Task[] = []
  readonly #lines: string[] | undefined
  #digest = 0

  /** `lines`: gets the history. */
  constructor(random: Random, lines?: string[]) {
    this.random = random
    this.#lines = lines
  }

  /** Of all that was noted so far: two runs of a seed have the same. */
  get digest(): number {
    return this.#digest
  }

  /** From 0 to `limit`, in thousandths. */
  between(from: number, to: number): number {
    return from + this.random.below(Math.round((to - from) * 1000) + 1) / 1000
  }

  /** Writes a line of the history. `what` is only called where somebody wants to read it. */
  note(host: Host | undefined, what: string, detail?: () => string): void {
    const head = `${this.now.toFixed(3).padStart(10)} ${(host?.name ?? '').padEnd(8)} ${what}`
    for (let index = 0; index < head.length; index++) {
      this.#digest = (Math.imul(this.#digest, 31) + head.charCodeAt(index)) | 0
    }
    this.#lines?.push(detail === undefined ? head : `${head} ${detail()}`)
  }

  /** Schedules the arrival of something. */
  arrive(host: Host, at: number, run: () => void): Task {
    return this.#schedule(host, at, phases.input, run)
  }

  setTimer(host: Host, ms: number, run: () => void): Task {
    // Node counts from the last full millisecond, so that a timer may fire up to one early.
    const task = this.#schedule(host, Math.floor(this.now) + Math.max(1, Math.trunc(ms) || 1), phases.timer, () => {
      this.#timersOf(host).delete(task)
      run()
    })
    this.#timersOf(host).add(task)
    return task
  }

  setTurn(host: Host, run: () => void): Task {
    return this.#schedule(host, this.now, phases.immediate, run)
  }

  cancel(task: Task): void {
    task.isCancelled = true
    this.timers.get(task.host)?.delete(task)
  }

  /** Runs what is due until a moment. */
  runUntil(end: number): void {
    isActive(this)
    try {
      for (let task = this.#heap[0]; task !== undefined && task.at <= end; task = this.#heap[0]) {
        this.#pop()
        if (task.isCancelled) continue
        this.now = Math.max(this.now, task.at)
        const { host } = task
        if (host.pausedUntil > this.now) {
          task.at = host.pausedUntil
          if (host.isInputFirst && task.phase === phases.input) task.phase = -1
          this.#push(task)
          continue
        }
        this.current = host
        task.run()
        settle()
        this.current = undefined
      }
      this.now = end
    } finally {
      this.current = undefined
      isActive(undefined)
    }
  }

  #timersOf(host: Host): Set<Task> {
    const set = this.timers.get(host) ?? new Set()
    this.timers.set(host, set)
    return set
  }

  #schedule(host: Host, at: number, phase: number, run: () => void): Task {
    const task = { at, phase, order: 0, host, run, isCancelled: false }
    this.#push(task)
    return task
  }

  #push(task: Task): void {
    task.order = this.#order++
    const heap = this.#heap
    let index = heap.length
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(task, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = task
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let index = 0
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
  }
}

function isBefore(left: Task, right: Task): boolean {
  if (left.at !== right.at) return left.at < right.at
  return left.phase === right.phase ? left.order < right.order : left.phase < right.phase
}

/** Settles all promises. It does so only outside of any promise: a run is started by `setImmediate`. */
const settle = (process as unknown as { _tickCallback(): void })._tickCallback

let active: World | undefined

function isActive(world: World | undefined): void {
  active = world
}

/** @throws Error where promises are not settled, as within a promise. */
export function assertSettles(): void {
  let isSettled = false
  queueMicrotask(() => {
    isSettled = true
  })
  settle()
  if (!isSettled) throw new Error('a run has to start in a turn of its own')
}

/** The world that runs, and whose turn it is. */
function present(): { readonly world: World; readonly host: Host } | undefined {
  if (active === undefined) return undefined
  if (active.current === undefined) throw new Error('nobody has the turn')
  return { world: active, host: active.current }
}

const identifier = (random: Random): string =>
  [8, 4, 4, 4, 12].map((size) => Array.from({ length: size }, () => random.below(16).toString(16)).join('')).join('-')

/** Puts virtual ones in place of what reads clocks, sets timers and draws numbers, for as long as a world runs. */
export function exchangeGlobals(): void {
  const real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    dateNow: Date.now,
    random: Math.random,
    performance: globalThis.performance,
    randomUUID: crypto.randomUUID,
    sleep: timers.setTimeout,
    turn: timers.setImmediate,
  }
  const virtualTimer = (run: (...args: unknown[]) => void, ms = 1, ...args: unknown[]): object => {
    const { world, host } = present()!
    const task = world.setTimer(host, ms, () => run(...args))
    return Object.assign(task, { unref: () => task, ref: () => task, hasRef: () => false })
  }
  const setTimer = (...args: Parameters<typeof virtualTimer>): object =>
    active === undefined ? (real.setTimeout as unknown as typeof virtualTimer)(...args) : virtualTimer(...args)
  Object.assign(globalThis, {
    setTimeout: setTimer,
    clearTimeout(timer: NodeJS.Timeout | Task | undefined) {
      if (active === undefined) real.clearTimeout(timer as NodeJS.Timeout)
      else if (timer !== undefined) active.cancel(timer as Task)
    },
  })
  Date.now = () => {
    const now = present()
    return now === undefined ? real.dateNow() : Math.floor(now.world.now + now.host.wallOffset)
  }
  Math.random = () => present()?.world.between(0, 0.999) ?? real.random()
  const now = (): number => active?.now ?? real.performance.now()
  Object.defineProperty(globalThis, 'performance', {
    configurable: true,
    value: Object.defineProperties(Object.create(real.performance), {
      now: { value: now },
      timeOrigin: { get: () => (active === undefined ? real.performance.timeOrigin : startOfTime) },
    }),
  })
  Object.assign(crypto, {
    randomUUID: () => (active === undefined ? real.randomUUID() : identifier(active.random)),
  })
  Object.assign(timers, {
    setTimeout: (ms?: number) =>
      active === undefined ? real.sleep(ms) : new Promise<void>((resolve) => virtualTimer(() => resolve(), ms)),
    setImmediate: () => {
      const now = present()
      return now === undefined ? real.turn() : new Promise<void>((resolve) => now.world.setTurn(now.host, resolve))
    },
  })
  syncBuiltinESMExports()
}
