/**
 * The audit trail: how it is doing, and what it says.
 *
 * @module
 */

import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import type { AuditRecord } from '../../../audit/audit-record.js'
import { type List, queryString } from '../api.js'
import { AuditDetails } from '../components/audit-details.js'
import { AuditState } from '../components/audit-state.js'
import { actionName, actions, OutcomeBadge, outcomeNames, targetText, whoText } from '../components/audit-words.js'
import { SelectField, TextField } from '../components/fields.js'
import { Paged } from '../components/pager.js'
import { Empty, Loaded } from '../components/states.js'
import { type Column, Table } from '../components/table.js'
import { Time } from '../components/time.js'
import { View } from '../components/view.js'
import { useFilters } from '../router.js'
import { useResource } from '../use-resource.js'

const pageSize = 50
const noFilters = { user: '', address: '', action: '', outcome: '', since: '', until: '' } as const
type Filters = Readonly<Record<keyof typeof noFilters, string>>

const actionOptions = [['', 'All actions'], ...actions.map((action) => [action, actionName(action)] as const)] as const
const outcomeOptions = [['', 'All outcomes'], ...Object.entries(outcomeNames)] as const

export function Audit(): JSX.Element {
  const [{ offset: from, ...filters }, change] = useFilters({ ...noFilters, offset: '0' })
  const [shown, setShown] = useState<AuditRecord>()
  const columns = useMemo(() => columnsWith(setShown), [])
  const offset = Number(from) || 0
  const { since, until } = filters
  const query = { ...filters, since: toMoment(since), until: toMoment(until), offset, limit: pageSize }
  const records = useResource<List<AuditRecord>>(`audit${queryString(query)}`)
  const isFiltered = Object.values(filters).some((value) => value !== '')

  return (
    <View
      title="Audit"
      lead="Who did what, from where, and what came of it. Each search here is in the trail as well."
      actions={
        <button type="button" onClick={records.reload}>
          Refresh
        </button>
      }
    >
      <AuditState />
      {/* Another form, with the fields of the address, whenever that changes. */}
      <Search key={JSON.stringify(filters)} filters={filters} isFiltered={isFiltered} onSearch={change} />
      <Loaded resource={records}>
        {({ list, count, total = count, isComplete }) =>
          count === 0 && offset === 0 ? (
            <Empty>
              <p>{isFiltered ? 'No record matches.' : 'The trail is empty.'}</p>
            </Empty>
          ) : (
            <Paged
              {...{ offset, limit: pageSize, count, total, isComplete }}
              noun={['record', 'records']}
              onChange={(value) => change({ offset: String(value) })}
            >
              <Table
                caption="Records"
                columns={columns}
                rows={list}
                rowKey={({ sequence }) => String(sequence)}
                isBusy={records.isLoading}
              />
            </Paged>
          )
        }
      </Loaded>
      {shown !== undefined && <AuditDetails record={shown} onClose={() => setShown(undefined)} />}
    </View>
  )
}

function columnsWith(onOpen: (record: AuditRecord) => void): readonly Column<AuditRecord>[] {
  return [
    { title: 'Time', cell: ({ time }) => <Time at={time} isLong /> },
    { title: 'Action', kind: 'head', cell: ({ action }) => actionName(action) },
    { title: 'Outcome', cell: ({ outcome }) => <OutcomeBadge outcome={outcome} /> },
    { title: 'Who', kind: 'name', cell: whoText },
    { title: 'Address', kind: 'code', cell: ({ address }) => address ?? '\u2013' },
    { title: 'What', cell: targetText },
    {
      title: 'Actions',
      kind: 'actions',
      cell: (record) => (
        <button
          type="button"
          class="quiet"
          aria-label={`Details of record ${record.sequence}`}
          onClick={() => onOpen(record)}
        >
          Details
        </button>
      ),
    },
  ]
}

interface SearchProps {
  readonly filters: Filters
  readonly isFiltered: boolean
  readonly onSearch: (filters: Filters) => void
}

/** Texts are compared whole, and a search is a record of the trail: it begins when the user says so. */
function Search({ filters, isFiltered, onSearch }: SearchProps): JSX.Element {
  const [draft, setDraft] = useState(filters)
  const field = (name: keyof Filters) => ({
    value: draft[name],
    onChange: (value: string) => setDraft({ ...draft, [name]: value }),
  })

  function submit(event: Event): void {
    event.preventDefault()
    onSearch({ ...draft, user: draft.user.trim(), address: draft.address.trim() })
  }

  return (
    <search>
      <form class="filters" onSubmit={submit}>
        <TextField label="User" type="search" {...field('user')} />
        <TextField label="Address" type="search" {...field('address')} />
        <SelectField label="Action" options={actionOptions} {...field('action')} />
        <SelectField label="Outcome" options={outcomeOptions} {...field('outcome')} />
        <TextField label="From" type="datetime-local" {...field('since')} />
        <TextField label="Until" type="datetime-local" {...field('until')} />
        <div class="actions">
          <button type="submit" class="primary">
            Search
          </button>
          {isFiltered && (
            <button type="button" onClick={() => onSearch(noFilters)}>
              Show all
            </button>
          )}
        </div>
      </form>
    </search>
  )
}

/** What the field has is a time in the zone of the browser. */
function toMoment(local: string): string {
  const moment = new Date(local)
  return Number.isNaN(moment.getTime()) ? '' : moment.toISOString()
}
