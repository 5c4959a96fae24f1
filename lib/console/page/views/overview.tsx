/**
 * What goes on now, and what went on in the last hour.
 *
 * @module
 */

import type { JSX } from 'preact'
import type { HistoryPoint, MetricsReport } from '../../../metrics/report.js'
import type { List } from '../api.js'
import { EventList } from '../components/event-list.js'
import { Plot } from '../components/plot.js'
import { Loaded } from '../components/states.js'
import { View } from '../components/view.js'
import { capitalized, formatNumber, kindName, plural } from '../format.js'
import { type Held, heldNow, historyOf, isShared, seriesFrom, sumOf } from '../history.js'
import { routeTo } from '../router.js'
import { useResource } from '../use-resource.js'

const pollMs = 10_000

export function Overview(): JSX.Element {
  const metrics = useResource<MetricsReport>('metrics', { pollMs })
  const locks = useResource<List<unknown>>('locks?limit=1', { pollMs })
  return (
    <View title="Overview" lead={metrics.data && scopeOf(metrics.data)}>
      <Loaded resource={metrics}>
        {(report) => (
          <>
            <Tiles report={report} locks={locks.data?.total} />
            <Plots points={report.history.points} stepSeconds={report.history.stepSeconds} />
          </>
        )}
      </Loaded>
      <EventList />
    </View>
  )
}

/** Whom the numbers are of. */
function scopeOf(report: MetricsReport): string {
  return isShared(report)
    ? 'Logins, refusals and events are of this process; sessions and lock-outs of all that share its store.'
    : 'What goes on in this process, now and in the last hour.'
}

function Tiles({ report, locks }: { readonly report: MetricsReport; readonly locks: number | undefined }): JSX.Element {
  const { points } = report.history
  const held = heldNow(report)
  const signedIn = held.reduce((sum, { count }) => sum + count, 0)
  const logins = sumOf(points, 'logins')
  const good = logins.get('success') ?? 0
  const refused = [...logins].reduce((sum, [outcome, count]) => sum + (outcome === 'success' ? 0 : count), 0)
  const refusals = [...sumOf(points, 'refusals').values()].reduce((sum, count) => sum + count, 0)
  return (
    <ul class="tiles">
      <li class="tile">
        <a href={routeTo('sessions')}>Signed in</a>
        <strong>{formatNumber(signedIn)}</strong>
        <span class="muted">
          {held.length === 0 ? 'nobody' : held.map(({ kind, count }) => counted(kind, count)).join(', ')}
        </span>
      </li>
      <li class="tile">
        <span>Logins, last hour</span>
        <strong>{formatNumber(good)}</strong>
        <span class="muted">{plural(refused, 'login')} refused</span>
      </li>
      <li class="tile">
        <span>Other refusals, last hour</span>
        <strong>{formatNumber(refusals)}</strong>
        <span class="muted">for their address, token or right</span>
      </li>
      <li class="tile">
        <a href={routeTo('locks')}>Lock-outs</a>
        <strong>{locks === undefined ? '\u2013' : formatNumber(locks)}</strong>
        <span class="muted">{locks === 0 ? 'nobody is locked out' : 'because of wrong passwords or codes'}</span>
      </li>
      <li class="tile tile-wide">
        <span>Store</span>
        {held.length === 0 && <span class="muted">empty</span>}
        <ul class="fill">
          {held.map((part) => (
            <Fill key={part.kind} {...part} />
          ))}
        </ul>
      </li>
    </ul>
  )
}

const counted = (kind: string, count: number): string => `${formatNumber(count)} ${kindName(kind, count)}`

function Fill({ kind, count, capacity }: Held): JSX.Element {
  const name = capitalized(kindName(kind, 2))
  return (
    <li>
      <span>{name}</span>
      {capacity === undefined ? (
        <span />
      ) : (
        <meter min={0} max={capacity} high={capacity * 0.9} value={count} aria-label={`${name} in the store`} />
      )}
      <span class="number">
        {formatNumber(count)}
        {capacity !== undefined && <span class="muted"> of {formatNumber(capacity)}</span>}
      </span>
    </li>
  )
}

function Plots({
  points,
  stepSeconds,
}: {
  readonly points: readonly HistoryPoint[]
  readonly stepSeconds: number
}): JSX.Element {
  const minutes = historyOf(points, stepSeconds)
  const moments = minutes.map(({ at }) => at)
  return (
    <div class="plots">
      <Plot
        title="Logins"
        kind="bars"
        moments={moments}
        series={seriesFrom(minutes, 'logins', capitalized)}
        empty="No login in the last hour."
      />
      <Plot
        title="Other requests refused, by stage"
        kind="bars"
        firstColour={1}
        moments={moments}
        series={seriesFrom(minutes, 'refusals', capitalized)}
        empty="No other request was refused in the last hour."
      />
      <Plot
        title="Signed in"
        kind="lines"
        firstColour={2}
        moments={moments}
        series={seriesFrom(minutes, 'tokens', (kind) => capitalized(kindName(kind, 2)))}
        empty="Nobody was signed in in the last hour."
      />
      <Plot
        title="Store latency, 95th percentile"
        kind="lines"
        firstColour={2}
        unit=" ms"
        moments={moments}
        series={seriesFrom(minutes, 'storeLatencyMs', capitalized)}
        empty="No store was asked in the last hour."
      />
    </div>
  )
}
