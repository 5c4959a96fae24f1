/**
 * Who holds a lock, and whether that process can still be there.
 *
 * @module
 */

import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

export interface LockHolder {
  readonly pid: number
  readonly host: string
  /** When the process started, in a form of the system's own: process ids are given out again. */
  readonly startedAt: string
  /** Of the running system, where that can be read: no process outlives it. */
  readonly boot?: string | undefined
  /** In which process ids mean something, where that can be read: containers may have one host name. */
  readonly namespace?: string | undefined
  /** Without a sign of life for so long, in milliseconds, the process has ended, wherever it runs. Absent: it gives none. */
  readonly staleAfterMs?: number | undefined
}

export function thisProcess(staleAfterMs: number | undefined): LockHolder {
  return {
    pid: process.pid,
    host: hostname(),
    startedAt: readStartTime(process.pid),
    boot: readBoot(),
    namespace: readNamespace(),
    staleAfterMs,
  }
}

/** `undefined`: it is being written, or was written by something else. */
export function holderFrom(text: string): LockHolder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<LockHolder>
    const { pid, host, startedAt } = holder
    return typeof pid === 'number' && host !== undefined && startedAt !== undefined
      ? { ...holder, pid, host, startedAt }
      : undefined
  } catch {
    return undefined
  }
}

/** `elsewhere`: on another host, or in another container, where process ids tell nothing. */
export function stateOf({ pid, host, startedAt, boot, namespace }: LockHolder): 'ended' | 'alive' | 'elsewhere' {
  if (host !== hostname()) return 'elsewhere'
  if (boot !== undefined && boot !== readBoot()) return 'ended'
  if (namespace !== undefined && namespace !== readNamespace()) return 'elsewhere'
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'ended' : 'alive'
  }
  return readStartTime(pid) === startedAt ? 'alive' : 'ended'
}

/** On Linux the start time of a process in ticks since the system started (proc(5)); elsewhere nothing tells. */
function readStartTime(pid: number): string {
  // The name of the program, in parentheses, may have blanks.
  const [, fields = ''] =
    /.*\)(.*)/s.exec(unlessUnreadable(() => readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? '') ?? []
  return fields.trim().split(' ')[19] ?? ''
}

function readBoot(): string | undefined {
  return unlessUnreadable(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim())
}

function readNamespace(): string | undefined {
  return unlessUnreadable(() => readlinkSync('/proc/self/ns/pid'))
}

function unlessUnreadable(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
