/**
 * The API tokens of the configuration.
 *
 * @module
 */

import type { JSX } from 'preact'
import type { List } from '../api.js'
import { Badge } from '../components/badge.js'
import { Empty, Loaded } from '../components/states.js'
import { type Column, Table } from '../components/table.js'
import { Time } from '../components/time.js'
import { View } from '../components/view.js'
import { plural } from '../format.js'
import { useResource } from '../use-resource.js'

interface ApiTokenEntry {
  readonly name: string
  readonly subject: string
  readonly isAdmin: boolean
  readonly roles: readonly string[]
  /** `null`: from anywhere. */
  readonly addresses: readonly string[] | null
  readonly expiresAt: string | null
  readonly lastUsedAt: string | null
  readonly rule: { readonly key: string; readonly file?: string; readonly line?: number }
}

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
    cell: ({ subject, isAdmin }) => (
      <>
        {subject} {isAdmin && <Badge tone="accent">Administrator</Badge>}
      </>
    ),
  },
  { title: 'Roles', cell: ({ roles }) => (roles.length === 0 ? '\u2013' : roles.join(', ')) },
  { title: 'Addresses', kind: 'code', cell: ({ addresses }) => (addresses === null ? 'any' : addresses.join(', ')) },
  { title: 'Last used', cell: ({ lastUsedAt }) => (lastUsedAt === null ? 'not yet' : <Time at={lastUsedAt} />) },
  { title: 'Ends', cell: ({ expiresAt }) => (expiresAt === null ? 'never' : <Time at={expiresAt} />) },
]

export function ApiTokens(): JSX.Element {
  const tokens = useResource<List<ApiTokenEntry>>('api-tokens', { pollMs: 30_000 })
  return (
    <View title="API tokens" lead="For programs that cannot log in. They are made and taken away in the configuration.">
      <Loaded resource={tokens}>
        {({ list }) =>
          list.length === 0 ? (
            <Empty>
              <p>
                There is no API token. <code>sallyport api-token</code> makes one.
              </p>
            </Empty>
          ) : (
            <>
              <Table
                caption="API tokens"
                columns={columns}
                rows={list}
                rowKey={({ name }) => name}
                isBusy={tokens.isLoading}
              />
              <p class="muted">{plural(list.length, 'API token')}</p>
            </>
          )
        }
      </Loaded>
    </View>
  )
}
