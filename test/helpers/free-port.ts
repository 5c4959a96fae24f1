/** Ports for servers of other programs, which have to be told theirs before they listen. */

import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Below the ports that systems give to outgoing connections: one of those could take it before the server does. */
const firstPort = 20_000

/** Each worker of the test runner has its own share, so that two that ask at a time never get the same. */
const portsPerWorker = 500
const shares = 24

/** Goes on from port to port, so that nobody gets one twice before its server listens. */
let next = randomInt(portsPerWorker)

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const share = Number(process.env['VITEST_POOL_ID'] ?? 0) % shares
  for (;;) {
    const port = firstPort + share * portsPerWorker + next
    next = (next + 1) % portsPerWorker
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
