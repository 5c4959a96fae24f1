/**
 * A trail of many lines, as a front would have written it, with a checkpoint every ten thousand.
 *
 * @module
 */

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { type ChainEnd, chainEntry, chainStart } from '../lib/audit/chain.js'
import type { CheckpointKey } from '../lib/audit/checkpoint.js'

const people = ['alice', 'bob', 'carol', 'dave', 'erin']
const actions = ['login', 'logout', 'loginRefused', 'refusal', 'revocation'] as const
const start = Date.UTC(2026, 0, 1)

export async function writeTrail(file: string, lines: number, key: CheckpointKey): Promise<void> {
  const stream = createWriteStream(file, { mode: 0o600 })
  let end: ChainEnd = chainStart
  for (let index = 0; index < lines; index++) {
    const time = new Date(start + index * 100).toISOString()
    const isCheckpoint = index % 10_000 === 9999
    const subject = `${people[index % people.length]}.${index % 1000}`
    const { record, line } = chainEntry(
      {
        time,
        action: isCheckpoint ? 'checkpoint' : actions[index % actions.length]!,
        outcome: index % 3 === 0 ? 'denied' : 'success',
        actor: isCheckpoint ? null : subject,
        address: `10.0.${index % 200}.${index % 250}`,
        target: { type: 'path', id: `/management/apis/${index % 500}` },
        requestId: `request-${index}`,
        details: isCheckpoint
          ? { signature: await key.sign({ sequence: end.sequence, hash: end.hash, time }) }
          : { method: 'GET', kind: 'management' },
      },
      end,
    )
    end = record
    if (!stream.write(line)) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'close')
}
