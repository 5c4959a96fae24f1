/**
 * A moment: in the zone of the browser, and how far it is from now.
 *
 * @module
 */

import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { formatDateTime, formatRelative } from '../format.js'

const tickMs = 10_000

/** `3 minutes ago`, with the whole moment as a hint and in a second line where `isLong`. `null`: a dash. */
export function Time({ at, isLong = false }: { readonly at: string | null; readonly isLong?: boolean }): JSX.Element {
  useTick()
  if (at === null) return <span class="muted">{'\u2013'}</span>
  const moment = new Date(at)
  // The last moment that there is stands for no end.
  if (Number.isNaN(moment.getTime()) || moment.getUTCFullYear() > 9999) return <span title={at}>never</span>
  return (
    <time dateTime={at} title={`${formatDateTime(moment)} (${at})`}>
      {isLong && <span class="moment">{formatDateTime(moment)} </span>}
      <span class={isLong ? 'muted' : ''}>{formatRelative(moment)}</span>
    </time>
  )
}

/** Renders again now and then: time goes on without news. */
function useTick(): void {
  const [, setTick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => setTick((tick) => tick + 1), tickMs)
    return () => clearInterval(timer)
  }, [])
}
