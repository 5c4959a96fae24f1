/**
 * Which part of a long list is seen.
 *
 * @module
 */

import type { ComponentChildren, JSX } from 'preact'
import { formatNumber } from '../format.js'

interface PagedProps {
  readonly offset: number
  readonly limit: number
  /** Entries of this page. */
  readonly count: number
  /** Entries of all pages. */
  readonly total: number
  /** `false`: there are more than were looked at. */
  readonly isComplete?: boolean | undefined
  /** What one entry is, and several are. */
  readonly noun: readonly [one: string, many: string]
  readonly onChange: (offset: number) => void
  /** The list itself. */
  readonly children: ComponentChildren
}

/** More rows than a window has: the buttons stand below as well. */
const manyRows = 15

/** A list below `1-50 of 10,000 sessions`, with buttons where there is more than one page. */
export function Paged({ children, ...page }: PagedProps): JSX.Element {
  const { offset, count, total, isComplete = true, noun } = page
  const range = total > count && count > 0 ? `${formatNumber(offset + 1)}\u2013${formatNumber(offset + count)} of ` : ''
  const text = `${range}${isComplete ? '' : 'more than '}${formatNumber(total)} ${total === 1 ? noun[0] : noun[1]}`
  const hasPages = offset > 0 || count < total
  return (
    <>
      <div class="pager">
        <p role="status">{text}</p>
        {hasPages && <Buttons label="Pages" {...page} />}
      </div>
      {children}
      {hasPages && count > manyRows && (
        <div class="pager">
          <p aria-hidden="true">{text}</p>
          <Buttons label="Pages, below the list" {...page} />
        </div>
      )}
    </>
  )
}

function Buttons({
  label,
  offset,
  limit,
  count,
  total,
  onChange,
}: Omit<PagedProps, 'children'> & { readonly label: string }): JSX.Element {
  const isFirst = offset === 0
  const isLast = offset + count >= total
  return (
    <nav class="actions" aria-label={label}>
      <button type="button" aria-disabled={isFirst} onClick={() => isFirst || onChange(Math.max(0, offset - limit))}>
        Previous
      </button>
      <button type="button" aria-disabled={isLast} onClick={() => isLast || onChange(offset + limit)}>
        Next
      </button>
    </nav>
  )
}
