/**
 * The API tokens of the configuration.
 *
 * @module
 */

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ApiTokenEntry } from '../../../admin-api/schemas/configuration.js'
import { type List, queryString, requestJson } from '../api.js'
import { Badge } from '../components/badge.js'
import { Dialog } from '../components/dialog.js'
import { Paged } from '../components/pager.js'
import { Empty, Loaded } from '../components/states.js'
import { type Column, Table } from '../components/table.js'
import { Time } from '../components/time.js'
import { useShell, View } from '../components/view.js'
import { useFilters } from '../router.js'
import { useResource } from '../use-resource.js'

const pageSize = 50
const pollMs = 30_000

const columns: readonly Column<ApiTokenEntry>[] = [
  {
    title: 'Token',
    kind: 'head',
    cell: ({ name, rule: { file, line } }) => (
      <>
        {name}
        {line !== undefined && (
          <span class="sub" title={file}>
            line {line}
          </span>
        )}
      </>
    ),
  },
  {
    title: 'Acts as',
    cell: ({ subject, isAdmin, roles }) => (
      <>
        {subject} {isAdmin && <Badge tone="accent">Administrator</Badge>}
        {roles.length > 0 && <span class="sub">{roles.join(', ')}</span>}
      </>
    ),
  },
  { title: 'Addresses', kind: 'code', cell: ({ addresses }) => addresses?.join(', ') ?? 'any' },
  { title: 'Paths', kind: 'code', cell: ({ paths }) => paths?.join(', ') ?? 'all' },
  {
    title: 'Last used',
    cell: ({ lastUsedAt }) => (lastUsedAt === null ? <span class="muted">not yet</span> : <Time at={lastUsedAt} />),
  },
  {
    title: 'Ends',
    cell: ({ id, expiresAt }) => (id === null ? <Badge tone="warn">Ended</Badge> : <Time at={expiresAt} />),
  },
]

export function ApiTokens(): JSX.Element {
  const [{ offset: from }, change] = useFilters({ offset: '0' })
  const offset = Number(from) || 0
  const tokens = useResource<List<ApiTokenEntry>>(`api-tokens${queryString({ offset, limit: pageSize })}`, { pollMs })
  const [ending, setEnding] = useState<ApiTokenEntry>()
  const actions: Column<ApiTokenEntry> = {
    title: 'Actions',
    kind: 'actions',
    cell: (token) =>
      token.id !== null && (
        <button
          type="button"
          class="quiet danger"
          aria-label={`End the API token ${token.name}`}
          onClick={() => setEnding(token)}
        >
          End
        </button>
      ),
  }
  return (
    <View title="API tokens" lead="For programs that cannot log in. They are made and taken away in the configuration.">
      <Loaded resource={tokens}>
        {({ list, count, total = count }) =>
          total === 0 ? (
            <Empty>
              <p>
                There is no API token. <code>sallyport api-token</code> makes one.
              </p>
            </Empty>
          ) : (
            <Paged
              {...{ offset, limit: pageSize, count, total }}
              noun={['API token', 'API tokens']}
              onChange={(value) => change({ offset: String(value) })}
            >
              <Table
                caption="API tokens"
                columns={[...columns, actions]}
                rows={list}
                rowKey={({ name }) => name}
                isBusy={tokens.isLoading}
              />
            </Paged>
          )
        }
      </Loaded>
      {ending !== undefined && <EndToken token={ending} onClose={() => setEnding(undefined)} onEnded={tokens.reload} />}
    </View>
  )
}

interface EndProps {
  readonly token: ApiTokenEntry
  readonly onClose: () => void
  readonly onEnded: () => void
}

function EndToken({ token: { id, name }, onClose, onEnded }: EndProps): JSX.Element {
  const { announce } = useShell()

  async function end(): Promise<void> {
    await requestJson(`sessions/${encodeURIComponent(id ?? '')}`, { method: 'DELETE' })
    announce(`The API token ${name} was ended.`)
    onEnded()
  }

  return (
    <Dialog title={`End the API token ${name}?`} action="End token" onConfirm={end} onClose={onClose} isDestructive>
      <p>
        Programs that use it are refused at their next request. This cannot be undone: they need a new token, which is
        made in the configuration.
      </p>
    </Dialog>
  )
}
