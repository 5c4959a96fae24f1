/**
 * Whether each part of the front can do its work.
 *
 * @module
 */

import type { JSX } from 'preact'
import type { HealthCheck, HealthReport, HealthStatus } from '../../../health/report.js'
import { Badge, type Tone } from '../components/badge.js'
import { Loaded } from '../components/states.js'
import { type Column, Table } from '../components/table.js'
import { Time } from '../components/time.js'
import { View } from '../components/view.js'
import { capitalized, formatNumber } from '../format.js'
import { useResource } from '../use-resource.js'

const pollMs = 5000

const states: Readonly<Record<HealthStatus, readonly [tone: Tone, word: string, summary: string]>> = {
  pass: ['good', 'OK', 'All checks pass.'],
  warn: ['warn', 'Warning', 'Requests are served. A check needs attention.'],
  fail: ['bad', 'Failing', 'New requests should go elsewhere: the server says that it is not ready.'],
}

const order: readonly HealthStatus[] = ['fail', 'warn', 'pass']

const columns: readonly Column<HealthCheck>[] = [
  { title: 'Check', kind: 'head', cell: ({ name }) => capitalized(name) },
  { title: 'State', cell: ({ status }) => <State status={status} /> },
  { title: 'Since', cell: ({ since }) => <Time at={since} /> },
  {
    title: 'Answered in',
    kind: 'number',
    cell: ({ latencyMs }) => (latencyMs === undefined ? '\u2013' : `${formatNumber(latencyMs)} ms`),
  },
  { title: 'Detail', cell: ({ detail }) => detail ?? '\u2013' },
]

export function Health(): JSX.Element {
  const health = useResource<HealthReport>('health', { pollMs })
  return (
    <View title="Health" lead="What this process needs, and how each part is. It is asked again every few seconds.">
      <Loaded resource={health}>
        {({ status, checks }) => (
          <>
            <p class={`notice notice-${states[status][0]}`} role="status">
              {states[status][2]}
            </p>
            <Table
              caption="Parts"
              columns={columns}
              rows={[...checks].sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status))}
              rowKey={({ name }) => name}
            />
          </>
        )}
      </Loaded>
    </View>
  )
}

function State({ status }: { readonly status: HealthStatus }): JSX.Element {
  const [tone, word] = states[status]
  return <Badge tone={tone}>{word}</Badge>
}
