/**
 * What goes on now, and what went on in the last hour.
 *
 * @module
 */

import type { JSX } from 'preact'
import type { List } from '../api.js'
import { EventList } from '../components/event-list.js'
import { Plot } from '../components/plot.js'
import { Loaded } from '../components/states.js'
import { View } from '../components/view.js'
import { capitalized, formatNumber, kindName } from '../format.js'
import { type HistoryPoint, historyOf, type MetricsReport, seriesFrom, storeFill, sumOf } from '../history.js'
import { routeTo } from '../router.js'
import { useResource } from '../use-resource.js'

const pollMs = 10_000

export function Overview(): JSX.Element {
  const metrics = useResource<MetricsReport>('metrics', { pollMs })
  const locks = useResource<List<unknown>>('locks?limit=1', { pollMs })
  return (
    <View title="Overview">
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

function Tiles({ report, locks }: { readonly report: MetricsReport; readonly locks: number | undefined }): JSX.Element {
  const { points } = report.history
  const tokens = Object.entries(points.at(-1)?.tokens ?? {}).filter(([, count]) => count > 0)
  const signedIn = tokens.reduce((sum, [, count]) => sum + count, 0)
  const logins = sumOf(points, 'logins')
  const good = logins.get('success') ?? 0
  const refused = [...logins].reduce((sum, [outcome, count]) => sum + (outcome === 'success' ? 0 : count), 0)
  const refusals = [...sumOf(points, 'refusals').values()].reduce((sum, count) => sum + count, 0)
  const fills = storeFill(report)
  return (
    <ul class="tiles">
      <li class="tile">
        <a href={routeTo('sessions')}>Signed in</a>
        <strong>{formatNumber(signedIn)}</strong>
        <span class="muted">
          {tokens.length === 0
            ? 'nobody'
            : tokens.map(([kind, count]) => `${formatNumber(count)} ${kindName(kind, count)}`).join(', ')}
        </span>
      </li>
      <li class="tile">
        <span>Logins, last hour</span>
        <strong>{formatNumber(good)}</strong>
        <span class="muted">{formatNumber(refused)} refused</span>
      </li>
      <li class="tile">
        <span>Requests refused, last hour</span>
        <strong>{formatNumber(refusals)}</strong>
        <span class="muted">by an address, a login or a rule</span>
      </li>
      <li class="tile">
        <a href={routeTo('locks')}>Lock-outs</a>
        <strong>{locks === undefined ? '\u2013' : formatNumber(locks)}</strong>
        <span class="muted">{locks === 0 ? 'nobody is locked out' : 'because of wrong passwords'}</span>
      </li>
      {fills.map(({ kind, count, limit }) => (
        <li class="tile" key={kind}>
          <span>{capitalized(kindName(kind, 2))} held</span>
          <strong>{formatPercent(count / limit)}</strong>
          <meter
            min={0}
            max={limit}
            high={limit * 0.9}
            value={count}
            aria-label={`${capitalized(kindName(kind, 2))} in the store`}
          />
          <span class="muted">
            {formatNumber(count)} of {formatNumber(limit)}
          </span>
        </li>
      ))}
    </ul>
  )
}

function formatPercent(share: number): string {
  if (share > 0 && share < 0.01) return '< 1 %'
  return `${Math.round(share * 100)} %`
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
        title="Refused requests, by stage"
        kind="bars"
        firstColour={1}
        moments={moments}
        series={seriesFrom(minutes, 'refusals', capitalized)}
        empty="No request was refused in the last hour."
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
