/**
 * The configuration in effect: what should be put right, what a reload would do, and the value of each key.
 *
 * @module
 */

import type { JSX } from 'preact'
import type { ConfigurationFinding, ConfigurationKey, ConfigurationView } from '../../../admin-api/configuration.js'
import { Badge, type Tone } from '../components/badge.js'
import { ConfigKey, Place } from '../components/facts.js'
import { SelectField, TextField } from '../components/fields.js'
import { Reload } from '../components/reload.js'
import { Empty, Loaded } from '../components/states.js'
import { type Column, Table } from '../components/table.js'
import { Time } from '../components/time.js'
import { Section, useShell, View } from '../components/view.js'
import { plural } from '../format.js'
import { useFilters } from '../router.js'
import { useResource } from '../use-resource.js'

const pollMs = 30_000

type ShownClass = ConfigurationKey['class']

const classes: Readonly<Record<ShownClass, readonly [tone: Tone, word: string]>> = {
  mistake: ['bad', 'Mistake'],
  risky: ['warn', 'Risky'],
  unknown: ['warn', 'Unknown'],
  'without-effect': ['neutral', 'Without effect'],
  used: ['good', 'Used'],
  other: ['neutral', 'Not of Sallyport'],
}

export function Configuration(): JSX.Element {
  const configuration = useResource<ConfigurationView>('configuration', { pollMs })
  const hasReload = useShell().about?.features.reload === true
  return (
    <View
      title="Configuration"
      lead="What is in effect in this process, and where it is written. Secrets are not shown."
    >
      <Loaded resource={configuration}>
        {(view) => (
          <>
            <Source view={view} />
            <Findings findings={view.findings} />
            {hasReload && <Reload hasChanged={view.hasChangedOnDisk} onReloaded={configuration.reload} />}
            <Values keys={view.keys} />
          </>
        )}
      </Loaded>
    </View>
  )
}

function Source({ view: { file, readAt, hasChangedOnDisk } }: { readonly view: ConfigurationView }): JSX.Element {
  return (
    <>
      {hasChangedOnDisk && <p class="notice">The file says something else by now, or cannot be read.</p>}
      <p class="muted">
        {file === null ? 'Made by the app' : <span class="code">{file}</span>}, read <Time at={readAt} />
      </p>
    </>
  )
}

const findingColumns: readonly Column<ConfigurationFinding>[] = [
  { title: 'Finding', cell: (finding) => <Class name={finding.class} /> },
  { title: 'Key', kind: 'head', cell: ({ key, position }) => <Key name={key} position={position} /> },
  {
    title: 'What it is',
    cell: ({ rule, suggestion, isFixable }) => (
      <>
        {rule}
        {suggestion !== undefined && `; did you mean ${suggestion}?`}
        {isFixable && (
          <span class="sub">
            <code>sallyport check --fix</code> puts it right.
          </span>
        )}
      </>
    ),
  },
]

function Findings({ findings }: { readonly findings: readonly ConfigurationFinding[] }): JSX.Element {
  return (
    <Section
      title="Findings"
      actions={findings.length > 0 && <span class="muted">{plural(findings.length, 'finding')}</span>}
    >
      {findings.length === 0 ? (
        <p class="muted">
          <code>sallyport check</code> finds nothing to put right.
        </p>
      ) : (
        <Table
          caption="Findings"
          columns={findingColumns}
          rows={findings}
          rowKey={(finding) => `${finding.key} ${finding.rule}`}
        />
      )}
    </Section>
  )
}

const origins: Readonly<Record<ConfigurationKey['origin'], string>> = {
  file: 'File',
  default: 'Default',
  inferred: 'Other keys',
  environment: 'Environment',
  'system-property': 'System property',
  reference: 'Another key',
  secret: 'A secret',
}

const valueColumns: readonly Column<ConfigurationKey>[] = [
  { title: 'Key', kind: 'head', cell: ({ key, position }) => <Key name={key} position={position} /> },
  {
    title: 'Value',
    cell: ({ value }) => (value === '' ? <span class="muted">not shown</span> : <Value text={value} />),
  },
  {
    title: 'From',
    cell: ({ origin, names = [] }) => (
      <>
        {origins[origin] ?? origin}
        {names.length > 0 && <span class="sub code">{names.join(', ')}</span>}
      </>
    ),
  },
  {
    title: 'State',
    cell: (entry) => (
      <>
        {entry.class === 'used' ? <span class="muted">Used</span> : <Class name={entry.class} />}
        {entry.note !== undefined && <span class="sub">{entry.note}</span>}
      </>
    ),
  },
]

const filterDefaults = { key: '', from: '' } as const

/** Written in the file, or not: the defaults are many. */
const fromOptions = [
  ['', 'All keys'],
  ['written', 'Written in the file'],
  ['default', 'Not written'],
] as const

function Values({ keys }: { readonly keys: readonly ConfigurationKey[] }): JSX.Element {
  const [{ key, from }, change] = useFilters<keyof typeof filterDefaults>(filterDefaults)
  const wanted = key.trim().toLowerCase()
  const rows = keys
    .filter(({ position }) => from === '' || (from === 'written') === (position !== null))
    .filter((entry) => `${entry.key}\n${entry.value}`.toLowerCase().includes(wanted))
  return (
    <Section
      title="Values"
      actions={
        <span class="muted" role="status">
          {plural(rows.length, 'key')}
        </span>
      }
    >
      <search class="filters">
        <TextField label="Key or value" type="search" value={key} onChange={(value) => change({ key: value })} />
        <SelectField label="Show" value={from} options={fromOptions} onChange={(value) => change({ from: value })} />
      </search>
      {rows.length === 0 ? (
        <Empty>
          <p>No key matches.</p>
        </Empty>
      ) : (
        <Table caption="Values" columns={valueColumns} rows={rows} rowKey={(entry) => entry.key} />
      )}
    </Section>
  )
}

function Key({
  name,
  position,
}: {
  readonly name: string
  readonly position: ConfigurationKey['position']
}): JSX.Element {
  return (
    <>
      <ConfigKey name={name} />
      {position !== null && (
        <span class="sub">
          <Place at={position} />
        </span>
      )}
    </>
  )
}

function Value({ text }: { readonly text: string }): JSX.Element {
  return <span class="code">{text}</span>
}

function Class({ name }: { readonly name: ShownClass }): JSX.Element {
  const [tone, word] = classes[name] ?? ['neutral', name]
  return <Badge tone={tone}>{word}</Badge>
}
