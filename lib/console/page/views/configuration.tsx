/**
 * The configuration in effect: what should be put right, what a reload would do, and the value of each key.
 *
 * @module
 */

import type { JSX } from 'preact'
import type {
  ConfigurationFinding,
  ConfigurationKey,
  ConfigurationView,
} from '../../../admin-api/schemas/configuration.js'
import { Badge, type Tone } from '../components/badge.js'
import { ConfigKey, FilePath, Place } from '../components/facts.js'
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

function Source({
  view: { file, readAt, hasChangedOnDisk, isReadableOnDisk },
}: {
  readonly view: ConfigurationView
}): JSX.Element {
  return (
    <>
      {!isReadableOnDisk && (
        <p class="notice notice-bad">
          The file cannot be read now. What was read stays in effect, but the next start needs the file.
        </p>
      )}
      {hasChangedOnDisk && isReadableOnDisk && (
        <p class="notice">
          The file has changed since it was read. A reload, or the next start, brings it into effect.
        </p>
      )}
      <p class="muted">
        {file === null ? 'Made by the app' : <FilePath path={file} />}, read <Time at={readAt} />
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
]

/** `usual`: what most keys of the list have; it is not said. */
const originColumn = (usual: ConfigurationKey['origin']): Column<ConfigurationKey> => ({
  title: 'From',
  cell: ({ origin, names = [] }) =>
    origin === usual ? null : (
      <>
        {origins[origin] ?? origin}
        {names.length > 0 && <span class="sub code">{names.join(', ')}</span>}
      </>
    ),
})

const stateColumn: Column<ConfigurationKey> = {
  title: 'State',
  cell: (entry) => (
    <>
      {entry.class !== 'used' && <Class name={entry.class} />}
      {entry.note !== undefined && <span class="sub">{entry.note}</span>}
    </>
  ),
}

/** The last columns only where a row has something to say in them. */
function columnsFor(keys: readonly ConfigurationKey[], from: string): readonly Column<ConfigurationKey>[] {
  const usual = from === 'default' ? 'default' : 'file'
  const hasOrigins = keys.some(({ origin }) => origin !== usual)
  const hasStates = keys.some((entry) => entry.class !== 'used' || entry.note !== undefined)
  return [...valueColumns, ...(hasOrigins ? [originColumn(usual)] : []), ...(hasStates ? [stateColumn] : [])]
}

const filterDefaults = { key: '', from: 'written' } as const

/** Written in the file, or not: the defaults are many. */
const fromOptions = [
  ['written', 'Written in the file'],
  ['default', 'Not written'],
  ['all', 'All keys'],
] as const

function Values({ keys }: { readonly keys: readonly ConfigurationKey[] }): JSX.Element {
  const [filters, change] = useFilters<keyof typeof filterDefaults>(filterDefaults)
  const { key } = filters
  const isOfFile = keys.some(({ position }) => position !== null)
  // What the app has made has no lines: all of it is shown.
  const from = isOfFile ? filters.from : 'all'
  const wanted = key.trim().toLowerCase()
  const listed = keys.filter(({ position }) => from === 'all' || (from === 'written') === (position !== null))
  const rows = listed.filter((entry) => `${entry.key}\n${entry.value}`.toLowerCase().includes(wanted))
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
        {isOfFile && (
          <SelectField label="Show" value={from} options={fromOptions} onChange={(value) => change({ from: value })} />
        )}
      </search>
      {rows.length === 0 ? (
        <Empty>
          <p>No key matches.</p>
        </Empty>
      ) : (
        <Table caption="Values" columns={columnsFor(listed, from)} rows={rows} rowKey={(entry) => entry.key} />
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
