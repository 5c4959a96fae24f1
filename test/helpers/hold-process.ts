/** Stops a process for a while, as SIGSTOP does, but so that it stands still when this returns. */

import { readdirSync, readFileSync } from 'node:fs'

const patienceMs = 30_000

/**
 * Sends SIGSTOP and waits until every thread stands still. On a busy machine that takes a moment, in which a server of several
 * threads goes on answering. A process that has ended is held as well.
 *
 * It blocks this process meanwhile, so that whatever the caller sends next meets a process that stands still.
 */
export function holdProcess(pid: number): void {
  signal(pid, 'SIGSTOP')
  const endsAt = performance.now() + patienceMs
  const never = new Int32Array(new SharedArrayBuffer(4))
  while (!isHeld(pid)) {
    if (performance.now() > endsAt) throw new Error(`process ${pid} does not stop`)
    Atomics.wait(never, 0, 0, 1)
  }
}

/** Lets a process go on. */
export function resumeProcess(pid: number): void {
  signal(pid, 'SIGCONT')
}

/** A process that has ended needs no signal. */
function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** By the state of each thread, which follows the name in parentheses (proc_pid_stat(5)): stopped, or ended. */
function isHeld(pid: number): boolean {
  const folder = `/proc/${pid}/task`
  try {
    return readdirSync(folder).every((thread) => {
      const line = readFileSync(`${folder}/${thread}/stat`, 'utf8')
      return /^[TZX]/.test(line.slice(line.lastIndexOf(')') + 2))
    })
  } catch {
    // A thread has ended since it was listed, or all of them.
    return !isThere(pid)
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
