/**
 * One record of the audit trail, with all that it has.
 *
 * @module
 */

import type { ComponentChildren, JSX } from 'preact'
import type { AuditRecord } from '../../../audit/audit-record.js'
import { capitalized, formatDateTime, formatNumber } from '../format.js'
import { actionName, OutcomeBadge, whoText } from './audit-words.js'
import { Dialog } from './dialog.js'
import { type Fact, Facts } from './facts.js'

export function AuditDetails({
  record,
  onClose,
}: {
  readonly record: AuditRecord
  readonly onClose: () => void
}): JSX.Element {
  const { sequence, time, action, outcome, address, target, rule, details = {}, previous, hash } = record
  const facts: readonly Fact[] = [
    ['Time', `${formatDateTime(new Date(time))} (${time})`],
    ['Outcome', <OutcomeBadge key="outcome" outcome={outcome} />],
    ['Who', whoText(record)],
    ['Address', code(address)],
    ['What', target?.type],
    ['Which', code(target?.id)],
    ['Status', record.status],
    ['Code', code(record.code)],
    ['Reason', record.reason],
    ['Rule', rule && code(`${rule.key}${rule.line === undefined ? '' : `, ${rule.file}:${rule.line}`}`)],
    ['Request', code(record.requestId)],
    ['Trace', code(record.traceparent)],
    ...Object.entries(details).map(
      ([name, value]): Fact => [capitalized(name), Array.isArray(value) ? value.join(', ') : String(value)],
    ),
    ['Hash', code(hash)],
    ['Hash of the record before', code(previous)],
  ]
  return (
    <Dialog title={`${actionName(action)}: record ${formatNumber(sequence)}`} onClose={onClose}>
      <Facts facts={facts} />
    </Dialog>
  )
}

function code(text: string | null | undefined): ComponentChildren {
  return text === null || text === undefined ? null : <span class="code">{text}</span>
}
