/**
 * Who is signed in: searched, sorted, ended.
 *
 * @module
 */

import type { JSX } from 'preact'
import type { SessionEntry } from '../../../admin-api/sessions.js'
import { type List, queryString } from '../api.js'
import { SelectField, TextField } from '../components/fields.js'
import { Paged } from '../components/pager.js'
import { EndAllButton, SessionTable } from '../components/session-table.js'
import { Empty, Loaded } from '../components/states.js'
import { View } from '../components/view.js'
import { capitalized, kindName, kinds } from '../format.js'
import { useFilters } from '../router.js'
import { useResource } from '../use-resource.js'

const pageSize = 50
const pollMs = 15_000
const defaults = { user: '', address: '', kind: '', client: '', sort: '-lastAccessAt', offset: '0' } as const
const kindOptions = [['', 'All kinds'], ...kinds.map((kind) => [kind, capitalized(kindName(kind))] as const)] as const

export function Sessions(): JSX.Element {
  const [filters, change] = useFilters<keyof typeof defaults>(defaults)
  const { user, address, kind, client, sort } = filters
  const offset = Number(filters.offset) || 0
  const query = { user: part(user), address: part(address), kind, client: part(client), sort, offset, limit: pageSize }
  const sessions = useResource<List<SessionEntry>>(`sessions${queryString(query)}`, { pollMs })
  const isFiltered = user !== '' || address !== '' || kind !== '' || client !== ''
  const only = onlyUser(sessions.data, isFiltered)

  return (
    <View
      title="Sessions"
      lead="Everything that is signed in now. A session that is ended is refused at its next request."
      actions={only !== undefined && <EndAllButton user={only} onEnded={sessions.reload} />}
    >
      <search class="filters">
        <TextField label="User" type="search" value={user} onChange={(value) => change({ user: value })} />
        <TextField label="Address" type="search" value={address} onChange={(value) => change({ address: value })} />
        <TextField label="Client" type="search" value={client} onChange={(value) => change({ client: value })} />
        <SelectField label="Kind" value={kind} options={kindOptions} onChange={(value) => change({ kind: value })} />
      </search>
      <Loaded resource={sessions}>
        {({ list, count, total = count, isComplete }) =>
          total === 0 ? (
            <Empty>
              <p>{isFiltered ? 'No session matches.' : 'Nobody is signed in.'}</p>
              {isFiltered && (
                <button type="button" onClick={() => change({ user: '', address: '', kind: '', client: '' })}>
                  Show all sessions
                </button>
              )}
            </Empty>
          ) : (
            <Paged
              {...{ offset, limit: pageSize, count, total, isComplete }}
              noun={['session', 'sessions']}
              onChange={(value) => change({ offset: String(value) })}
            >
              <SessionTable
                sessions={list}
                sort={sort}
                onSort={(value) => change({ sort: value })}
                isBusy={sessions.isLoading}
                onChanged={sessions.reload}
              />
            </Paged>
          )
        }
      </Loaded>
    </View>
  )
}

/** The server compares whole texts, with `*` for any characters. */
function part(text: string): string {
  const trimmed = text.trim()
  return trimmed === '' || trimmed.includes('*') ? trimmed : `*${trimmed}*`
}

/** The user whom all that was found belong to. */
function onlyUser(data: List<SessionEntry> | undefined, isFiltered: boolean): string | undefined {
  const [first, ...others] = data?.list ?? []
  const isOne = isFiltered && first !== undefined && others.every(({ user }) => user === first.user)
  return isOne && data?.total === data?.count ? first.user : undefined
}
