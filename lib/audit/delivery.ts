/**
 * Hands records to the function of the app, one after the other.
 *
 * @module
 */

import { within } from '../async/deadline.js'
import type { Logger } from '../core/logger.js'
import { isThenable } from '../core/thenable.js'
import type { AuditRecord, AuditSink } from './audit-record.js'

/** How long the function may take for a record. */
const sinkMs = 10_000

/** Tries of one record, a second apart, before the function is given the next one. */
const maxTries = 5

/**
 * Makes what hands records over, each once. It rejects where the function takes none, and is then called with the same records again.
 *
 * @param onLost - Told of a record that the function cannot take, while it takes the next one.
 */
export function createDelivery(
  { sink, logger }: { readonly sink: AuditSink | undefined; readonly logger: Logger },
  onLost: (sequence: number) => void,
): (records: readonly AuditRecord[]) => Promise<void> {
  /** Sequence of the last record that was handed over. */
  let delivered = 0
  /** How often the record after it was refused. */
  let tries = 0

  async function hand(record: AuditRecord): Promise<void> {
    const taken = sink?.(record)
    if (isThenable(taken)) {
      await within(Promise.resolve(taken), sinkMs, () => new Error(`no answer within ${sinkMs} ms`))
    }
    delivered = record.sequence
  }

  return async (records) => {
    for (const [index, record] of records.entries()) {
      if (record.sequence <= delivered) continue
      try {
        await hand(record)
      } catch (cause) {
        const next = records[index + 1]
        if (next === undefined || ++tries < maxTries) throw cause
        await hand(next)
        const { sequence } = record
        logger.error({ sequence, cause }, 'the function of the audit trail cannot take a record')
        onLost(sequence)
      }
      tries = 0
    }
  }
}
