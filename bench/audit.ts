/**
 * How fast an audit trail is verified (a million lines, with signatures) and searched (100 000 lines).
 *
 * Run it with `node --import tsx bench/audit.ts`.
 *
 * @module
 */

import { createPublicKey } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCheckpointKey } from '../lib/audit/checkpoint.js'
import { searchTrail } from '../lib/audit/search-trail.js'
import { verifyTrail } from '../lib/audit/verify-trail.js'
import { writeTrail } from './audit-lines.js'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-audit-'))
try {
  const key = await createCheckpointKey(Buffer.alloc(32, 7))
  const keys = new Map([[key.publicJwk.kid!, createPublicKey({ key: key.publicJwk, format: 'jwk' })]])

  const long = join(folder, 'long.log')
  await writeTrail(long, 1_000_000, key)
  const begin = performance.now()
  const { lines, signedThrough, problemCount } = await verifyTrail([long], { keys })
  const seconds = ((performance.now() - begin) / 1000).toFixed(1)
  const megabytes = Math.round(statSync(long).size / 1e6)
  console.log(
    `verify: ${lines} lines (${megabytes} MB) in ${seconds} s; signed up to ${signedThrough}, ${problemCount} problems`,
  )

  const short = join(folder, 'short.log')
  await writeTrail(short, 100_000, key)
  const page = { offset: 0, limit: 50 }
  const queries = {
    newest: {},
    user: { user: 'alice.5' },
    'action and outcome': { action: 'refusal', outcome: 'denied' },
    'address, a thousandth': { address: '10.0.0.0' },
    'no such user': { user: 'nobody' },
    'the first hour': { until: Date.UTC(2026, 0, 1, 1) },
  }
  for (const [name, query] of Object.entries(queries)) {
    const times: number[] = []
    let total = 0
    for (let run = 0; run < 15; run++) {
      const startedAt = performance.now()
      total = (await searchTrail(short, { ...page, ...query })).total
      times.push(performance.now() - startedAt)
    }
    times.sort((one, other) => one - other)
    console.log(
      `search, ${name}: median ${Math.round(times[7]!)} ms, slowest ${Math.round(times[14]!)} ms, ${total} found`,
    )
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
