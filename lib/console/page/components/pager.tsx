/**
 * Which part of a long list is seen.
 *
 * @module
 */

import type { JSX } from 'preact'
import { formatNumber } from '../format.js'

interface PagerProps {
  readonly offset: number
  readonly limit: number
  /** Entries of this page. */
  readonly count: number
  /** Entries of all pages. */
  readonly total: number
  /** `false`: there are more than were looked at. */
  readonly isComplete?: boolean
  /** What one entry is, and several are. */
  readonly noun: readonly [one: string, many: string]
  readonly onChange: (offset: number) => void
}

/** `1-50 of 10,000 sessions` between two buttons, which are left out where there is one page. */
export function Pager({ offset, limit, count, total, isComplete = true, noun, onChange }: PagerProps): JSX.Element {
  const range = total > count && count > 0 ? `${formatNumber(offset + 1)}\u2013${formatNumber(offset + count)} of ` : ''
  const text = `${range}${isComplete ? '' : 'more than '}${formatNumber(total)} ${total === 1 ? noun[0] : noun[1]}`
  const isFirst = offset === 0
  const isLast = offset + count >= total
  return (
    <nav class="pager" aria-label="Pages">
      <p role="status">{text}</p>
      {!(isFirst && isLast) && (
        <div class="actions">
          <button
            type="button"
            aria-disabled={isFirst}
            onClick={() => isFirst || onChange(Math.max(0, offset - limit))}
          >
            Previous
          </button>
          <button type="button" aria-disabled={isLast} onClick={() => isLast || onChange(offset + limit)}>
            Next
          </button>
        </div>
      )}
    </nav>
  )
}
