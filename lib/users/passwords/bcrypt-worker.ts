/**
 * Computes bcrypt on a thread of its own. `bcryptjs` is JavaScript, and on the main thread it would stall every request:
 * four strangers who guess at a hash of cost 12 made an authenticated call wait 200 ms.
 *
 * @module
 */

import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { StoreError } from '../../core/errors.js'

interface Job {
  readonly resolve: (digest: string) => void
  readonly reject: (error: StoreError) => void
}

interface Answer {
  readonly id: number
  readonly digest: string
}

/** The program of the thread. It is text, so that it is found whether this package runs from its build or its sources. */
const program = `
const { parentPort, workerData } = require('node:worker_threads')
const { hashSync } = require(workerData)
parentPort.on('message', ({ id, password, settings }) => {
  parentPort.postMessage({ id, digest: hashSync(password, settings) })
})
`

const jobs = new Map<number, Job>()
let worker: Worker | undefined
let lastId = 0

/**
 * The bcrypt hash of a password with these settings: version, cost and salt. One thread computes all of them, in turn.
 *
 * @throws `StoreError` when the thread cannot start, as without the package, or has ended; the next call starts another.
 */
export async function bcryptDigest(password: string, settings: string): Promise<string> {
  try {
    worker ??= startWorker()
  } catch (cause) {
    throw new StoreError('bcrypt hashes need the package bcryptjs, which is not found', { cause })
  }
  const running = worker
  const id = ++lastId
  return new Promise((resolve, reject) => {
    jobs.set(id, { resolve, reject })
    // Keeps the process alive for as long as somebody waits, and no longer.
    running.ref()
    running.postMessage({ id, password, settings })
  })
}

function startWorker(): Worker {
  const workerData = createRequire(import.meta.url).resolve('bcryptjs')
  // The flags of the process are not for this program: --input-type would change how it is read.
  const started = new Worker(program, { eval: true, workerData, execArgv: [], name: 'bcrypt' })
  let failure: unknown

  started.on('message', ({ id, digest }: Answer) => {
    jobs.get(id)?.resolve(digest)
    jobs.delete(id)
    if (jobs.size === 0) started.unref()
  })
  started.on('error', (error) => {
    failure = error
  })
  started.on('exit', () => {
    worker = undefined
    for (const { reject } of jobs.values()) {
      reject(new StoreError('the thread for bcrypt hashes has ended', { cause: failure }))
    }
    jobs.clear()
  })
  return started
}
