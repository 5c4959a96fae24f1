/** The commands of Redis that the stores use, as Redis 7.0 executes them. */

import { type Reply, ReplyError, ReplyStatus } from './lua.js'
import { type Data, SortedSet, WrongTypeError } from './redis-data.js'

export interface Command {
  readonly isWrite: boolean
  /** Whether it is refused when memory is full. */
  readonly needsMemory: boolean
  readonly keys: (args: readonly string[]) => readonly string[]
  /** `changed` is told of each key that has another value now. */
  readonly run: (data: Data, args: readonly string[], now: number, changed: (key: string) => void) => Reply
}

type Run = Command['run']

const ok = new ReplyStatus('OK')
const firstKey = (args: readonly string[]): readonly string[] => args.slice(0, 1)

const read = (run: Run): Command => ({ isWrite: false, needsMemory: false, keys: firstKey, run })
const write = (run: Run, needsMemory = false): Command => ({ isWrite: true, needsMemory, keys: firstKey, run })
const grow = (run: Run): Command => write(run, true)

/** As C prints it with 17 digits, for the numbers that occur. */
const scoreText = (score: number): string => String(score)

function rangeOf<T>(items: readonly T[], from: string, to: string): readonly T[] {
  const place = (index: number): number => (index < 0 ? Math.max(0, items.length + index) : index)
  const end = Number(to)
  return end < -items.length ? [] : items.slice(place(Number(from)), place(end) + 1)
}

const pairs = (items: readonly (readonly [string, number])[], withScores: boolean): Reply =>
  items.flatMap(([member, score]) => (withScores ? [member, scoreText(score)] : [member]))

const hasWord = (args: readonly string[], word: string): boolean => args.some((arg) => arg.toUpperCase() === word)

function isBetween(score: number, from: string, to: string): boolean {
  const bound = (text: string): number => Number(text.replace('(', '').replace('inf', 'Infinity'))
  const isAbove = from.startsWith('(') ? score > bound(from) : score >= bound(from)
  return isAbove && (to.startsWith('(') ? score < bound(to) : score <= bound(to))
}

function removeMembers(data: Data, key: string, members: readonly string[], changed: (key: string) => void): number {
  const set = data.sortedSet(key)
  const count = members.filter((member) => set?.delete(member)).length
  if (set?.scores.size === 0) data.delete(key)
  if (count > 0) changed(key)
  return count
}

export const commands: Readonly<Record<string, Command>> = {
  GET: read((data, [key]) => data.text(key!) ?? null),
  SET: grow((data, [key, value, ...options], now, changed) => {
    if (hasWord(options, 'NX') && data.peek(key!) !== undefined) return null
    const px = options.findIndex((option) => option.toUpperCase() === 'PX')
    const life = Number(options[px + 1])
    if (px >= 0 && (!Number.isInteger(life) || life <= 0))
      return new ReplyError("ERR invalid expire time in 'set' command")
    data.set(key!, value!, px < 0 ? undefined : now + life)
    changed(key!)
    return ok
  }),
  DEL: {
    ...write((data, keys, _now, changed) => {
      const found = keys.filter((key) => data.delete(key))
      for (const key of found) changed(key)
      return found.length
    }),
    keys: (args) => args,
  },
  INCR: grow((data, [key], _now, changed) => {
    const next = Number(data.text(key!) ?? 0) + 1
    data.set(key!, String(next), data.peek(key!)?.expiresAt)
    changed(key!)
    return next
  }),
  PEXPIRE: write((data, [key, life], now, changed) => {
    const value = data.peek(key!)
    if (value === undefined) return 0
    value.expiresAt = now + Number(life)
    if (Number(life) <= 0) data.delete(key!)
    changed(key!)
    return 1
  }),
  PTTL: read((data, [key], now) => {
    const value = data.peek(key!)
    if (value === undefined) return -2
    return value.expiresAt === undefined ? -1 : Math.max(0, value.expiresAt - now)
  }),
  TIME: {
    ...read((_data, _args, now) => [String(Math.floor(now / 1000)), String(Math.floor((now % 1000) * 1000))]),
    keys: () => [],
  },

  HSET: grow((data, [key, ...fields], _now, changed) => {
    const hash = data.hash(key!) ?? new Map<string, string>()
    if (data.peek(key!) === undefined) data.set(key!, hash)
    const before = hash.size
    for (let index = 0; index < fields.length; index += 2) hash.set(fields[index]!, fields[index + 1]!)
    changed(key!)
    return hash.size - before
  }),
  HDEL: write((data, [key, ...fields], _now, changed) => {
    const hash = data.hash(key!)
    const count = fields.filter((field) => hash?.delete(field)).length
    if (hash?.size === 0) data.delete(key!)
    if (count > 0) changed(key!)
    return count
  }),
  HGET: read((data, [key, field]) => data.hash(key!)?.get(field!) ?? null),
  HKEYS: read((data, [key]) => [...(data.hash(key!)?.keys() ?? [])]),
  HLEN: read((data, [key]) => data.hash(key!)?.size ?? 0),

  ZADD: grow((data, [key, ...rest], _now, changed) => {
    const flags = rest.filter((word) => /^(?:NX|XX)$/i.test(word)).map((word) => word.toUpperCase())
    const [score, member] = rest.slice(flags.length)
    const set = data.sortedSet(key!) ?? new SortedSet()
    const before = set.scores.get(member!)
    if (before === undefined ? flags.includes('XX') : flags.includes('NX') || before === Number(score)) return 0
    if (data.peek(key!) === undefined) data.set(key!, set)
    set.set(member!, Number(score))
    changed(key!)
    return before === undefined ? 1 : 0
  }),
  ZREM: write((data, [key, ...members], _now, changed) => removeMembers(data, key!, members, changed)),
  ZCARD: read((data, [key]) => data.sortedSet(key!)?.scores.size ?? 0),
  ZSCORE: read((data, [key, member]) => {
    const score = data.sortedSet(key!)?.scores.get(member!)
    return score === undefined ? null : scoreText(score)
  }),
  ZRANGE: read((data, [key, from, to, ...options]) =>
    pairs(rangeOf(data.sortedSet(key!)?.sorted ?? [], from!, to!), hasWord(options, 'WITHSCORES')),
  ),
  ZREVRANGE: read((data, [key, from, to, ...options]) =>
    pairs(rangeOf((data.sortedSet(key!)?.sorted ?? []).toReversed(), from!, to!), hasWord(options, 'WITHSCORES')),
  ),
  ZRANGEBYSCORE: read((data, [key, from, to, limit, offset, count]) => {
    const found = (data.sortedSet(key!)?.sorted ?? []).filter(([, score]) => isBetween(score, from!, to!))
    const start = Number(offset)
    return pairs(limit === undefined ? found : found.slice(start, start + Number(count)), false)
  }),
  ZREMRANGEBYRANK: write((data, [key, from, to], _now, changed) => {
    const members = rangeOf(data.sortedSet(key!)?.sorted ?? [], from!, to!).map(([member]) => member)
    return removeMembers(data, key!, members, changed)
  }),
  ZREMRANGEBYSCORE: write((data, [key, from, to], _now, changed) => {
    const sorted = data.sortedSet(key!)?.sorted ?? []
    const members = sorted.filter(([, score]) => isBetween(score, from!, to!)).map(([member]) => member)
    return removeMembers(data, key!, members, changed)
  }),
}

/** Runs a command on what is there, and answers as Redis does where the key is of another type. */
export function execute(command: Command, ...args: Parameters<Run>): Reply {
  try {
    return command.run(...args)
  } catch (error) {
    if (!(error instanceof WrongTypeError)) throw error
    return new ReplyError('WRONGTYPE Operation against a key holding the wrong kind of value')
  }
}
