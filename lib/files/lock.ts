/**
 * One process at a time on a file: two would both read it, and the later one would undo what the earlier one wrote.
 *
 * `proper-lockfile` is not used: it replaces `fs.close` for the whole process.
 *
 * @module
 */

import { closeSync, fstatSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { holderFrom, stateOf, thisProcess } from './lock-holder.js'
import { canonicalPath } from './replace-file.js'

/** Another process holds the lock. */
export class FileLockedError extends Error {
  /** Constant, also where a bundler has renamed the class. */
  override readonly name = 'FileLockedError'
}

/** Options of {@link lockFile}. */
export interface FileLockOptions {
  /**
   * Milliseconds without {@link FileLock.confirm} after which a process of another host or container takes the lock over.
   *
   * @defaultValue none does, until the lock is deleted
   */
  readonly staleAfterMs?: number | undefined
}

/** A lock that this process has taken. */
export interface FileLock {
  /**
   * Gives a sign of life, unless the last one was given less than `maxAgeMs` ago.
   *
   * @throws {@link FileLockedError} when another process has taken the lock over; what the file system throws.
   */
  confirm(maxAgeMs?: number): void
  release(): void
}

/**
 * Runs `work` while `<file>.lock` is there, by whatever link the file is named. The lock of a process of this host that has ended
 * is taken over.
 *
 * Rejects with {@link FileLockedError} while another process holds the lock, with what `work` throws, and with what the file system
 * throws.
 */
export async function withFileLock<Result>(file: string, work: () => Result | Promise<Result>): Promise<Result> {
  const lock = lockFile(file)
  try {
    return await work()
  } finally {
    lock.release()
  }
}

/**
 * As {@link withFileLock}, until it is released.
 *
 * @throws {@link FileLockedError}; what the file system throws.
 */
export function lockFile(file: string, { staleAfterMs }: FileLockOptions = {}): FileLock {
  const path = `${canonicalPath(file)}.lock`
  const me = JSON.stringify(thisProcess(staleAfterMs))
  if (!createFile(path, me)) {
    removeStale(path, me)
    if (!createFile(path, me)) throw new FileLockedError(messageFor(file, path))
  }
  let confirmedAt = performance.now()

  return {
    confirm(maxAgeMs = 0) {
      const now = performance.now()
      if (now - confirmedAt < maxAgeMs) return
      rewrite(path, me)
      confirmedAt = now
    },
    release() {
      if (readLock(path)?.text === me) rmSync(path, { force: true })
    },
  }
}

/** Writes what is there once more. What is opened is written to: never the lock of another process, which is a file of its own. */
function rewrite(path: string, me: string): void {
  const descriptor = openIfThere(path, 'r+')
  if (descriptor === undefined) throw new FileLockedError(`${path} is no longer there.`)
  try {
    const text = readFileSync(descriptor, 'utf8')
    if (text !== me) throw new FileLockedError(`${describeHolder(text)} has taken ${path} over.`)
    // Unlike utimes this sets the time of the file system, which all hosts share.
    writeSync(descriptor, me, 0)
  } finally {
    closeSync(descriptor)
  }
}

/** Whether it was not there. */
function createFile(path: string, text: string): boolean {
  let descriptor: number
  try {
    descriptor = openSync(path, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
  try {
    writeFileSync(descriptor, text)
  } catch (error) {
    // On a full disk: a lock without a holder would keep all out for good.
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(descriptor)
  }
  return true
}

/** Under a lock of its own, and only what was read there: another process may have taken the lock over meanwhile. */
function removeStale(path: string, me: string): void {
  const takeover = `${path}.takeover`
  const other = readLock(takeover)
  if (other !== undefined && hasEnded(other)) rmSync(takeover, { force: true })
  if (!createFile(takeover, me)) return
  try {
    const held = readLock(path)
    // Both times are of the file system.
    if (held !== undefined && hasEnded(held, readLock(takeover)?.writtenAt)) rmSync(path, { force: true })
  } finally {
    rmSync(takeover, { force: true })
  }
}

interface HeldLock {
  readonly text: string
  /** By the clock of the file system, in milliseconds. */
  readonly writtenAt: number
}

/** `undefined`: it is not there. */
function readLock(path: string): HeldLock | undefined {
  // Opening it makes a network file system ask for its present time.
  const descriptor = openIfThere(path, 'r')
  if (descriptor === undefined) return undefined
  try {
    return { text: readFileSync(descriptor, 'utf8'), writtenAt: fstatSync(descriptor).mtimeMs }
  } finally {
    closeSync(descriptor)
  }
}

function openIfThere(path: string, flags: 'r' | 'r+'): number | undefined {
  try {
    return openSync(path, flags)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** What cannot be told counts as alive. */
function hasEnded({ text, writtenAt }: HeldLock, now = writtenAt): boolean {
  const holder = holderFrom(text)
  if (holder === undefined) return false
  const state = stateOf(holder)
  if (state === 'elsewhere') return now - writtenAt > (holder.staleAfterMs ?? Number.POSITIVE_INFINITY)
  return state === 'ended'
}

function describeHolder(text: string | undefined): string {
  const holder = text === undefined ? undefined : holderFrom(text)
  return holder === undefined ? 'Another process' : `Process ${holder.pid} on ${holder.host}`
}

function messageFor(file: string, path: string): string {
  const text = readLock(path)?.text
  const holder = text === undefined ? undefined : holderFrom(text)
  const isElsewhere = holder?.staleAfterMs !== undefined && stateOf(holder) === 'elsewhere'
  const how = isElsewhere
    ? `Wait for it; if it has ended, start again after ${Math.ceil(holder.staleAfterMs! / 1000)} seconds, or delete ${path}.`
    : `Wait for it, or delete ${path} if it has ended.`
  return `${describeHolder(text)} is working on ${file}. ${how}`
}
