/**
 * Sessions, and the questions before one or all of them end.
 *
 * @module
 */

import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import type { SessionEntry } from '../../../admin-api/sessions.js'
import { type List, queryString, requestJson } from '../api.js'
import { capitalized, formatDateTime, kindName, plural } from '../format.js'
import { routeTo } from '../router.js'
import { apiError } from '../use-resource.js'
import { Badge } from './badge.js'
import { Dialog } from './dialog.js'
import { type Column, Table } from './table.js'
import { Time } from './time.js'
import { useShell } from './view.js'

interface SessionTableProps {
  readonly sessions: readonly SessionEntry[]
  readonly sort: string
  readonly onSort: (sort: string) => void
  readonly isBusy: boolean
  /** After a session has ended. */
  readonly onChanged: () => void
  /** Whether the column of the user is left out, where all are of one. */
  readonly isOfOneUser?: boolean
}

export function SessionTable({ sessions, isOfOneUser = false, onChanged, ...table }: SessionTableProps): JSX.Element {
  const [ending, setEnding] = useState<SessionEntry>()
  const { about } = useShell()
  const here = about?.session
  const columns = useMemo(
    () => [...(isOfOneUser ? [] : [userColumn]), kindColumn(here), ...moments, actionsColumn(setEnding)],
    [isOfOneUser, here],
  )
  return (
    <>
      <Table caption="Sessions" columns={columns} rows={sessions} rowKey={({ id }) => id} {...table} />
      {ending !== undefined && <EndSession session={ending} onClose={() => setEnding(undefined)} onEnded={onChanged} />}
    </>
  )
}

const userColumn: Column<SessionEntry> = {
  title: 'User',
  kind: 'head',
  sortBy: 'user',
  cell: ({ user, impersonator }) => (
    <>
      <a href={routeTo('users', user)}>{user}</a>
      {impersonator !== undefined && <span class="sub">by {impersonator}</span>}
    </>
  ),
}

/** `here`: the session of this page. */
const kindColumn = (here: string | null | undefined): Column<SessionEntry> => ({
  title: 'Kind',
  sortBy: 'kind',
  cell: ({ id, kind, client, factors = [] }) => (
    <>
      {capitalized(kindName(kind))} {id === here && <Badge tone="accent">This session</Badge>}{' '}
      {factors.length > 1 && <Badge tone="good">{factors.length} factors</Badge>}
      {client !== null && <span class="sub">{client}</span>}
    </>
  ),
})

const moments: readonly Column<SessionEntry>[] = [
  { title: 'Address', sortBy: 'address', kind: 'code', cell: ({ address }) => address ?? '\u2013' },
  { title: 'Signed in', sortBy: 'issuedAt', cell: ({ issuedAt }) => <Time at={issuedAt} /> },
  {
    title: 'Last used',
    sortBy: 'lastAccessAt',
    cell: ({ lastAccessAt }) =>
      wasUsed(lastAccessAt) ? <Time at={lastAccessAt} /> : <span class="muted">not yet</span>,
  },
  { title: 'Ends', sortBy: 'expiresAt', cell: ({ expiresAt }) => <Time at={expiresAt} /> },
]

const actionsColumn = (onEnd: (session: SessionEntry) => void): Column<SessionEntry> => ({
  title: 'Actions',
  kind: 'actions',
  cell: (session) => (
    <button type="button" class="quiet danger" aria-label={`End ${described(session)}`} onClick={() => onEnd(session)}>
      End
    </button>
  ),
})

/** What the configuration gives to programs may not have been used yet. */
const wasUsed = (at: string): boolean => Date.parse(at) > 0

function described({ kind, user, address }: SessionEntry): string {
  return `${kindName(kind)} of ${user}${address === null ? '' : ` from ${address}`}`
}

interface EndProps {
  readonly onClose: () => void
  readonly onEnded: () => void
}

function EndSession({ session, onClose, onEnded }: EndProps & { readonly session: SessionEntry }): JSX.Element {
  const { about, announce } = useShell()
  const { id, user, address, kind, issuedAt } = session
  const isHere = id === about?.session

  async function end(): Promise<void> {
    await requestJson(`sessions/${encodeURIComponent(id)}`, { method: 'DELETE' })
    announce(`The ${described(session)} was ended.`)
    onEnded()
  }

  return (
    <Dialog
      title={isHere ? 'End the session of this page?' : `End this session of ${user}?`}
      action="End session"
      onConfirm={end}
      onClose={onClose}
      isDestructive
    >
      <p>
        {capitalized(kindName(kind))}, begun {formatDateTime(new Date(issuedAt))}
        {address !== null && ` from ${address}`}. {consequence(kind, user)} This cannot be undone.
      </p>
      {isHere && <p class="notice">It is the one that you use now: you are signed out of this page at once.</p>}
      {!isHere && user === about?.user && <p class="notice">It is yours, but not the one of this page.</p>}
    </Dialog>
  )
}

function consequence(kind: string, user: string): string {
  if (kind === 'api') return 'Programs that use this token are refused at their next request.'
  return `Its next request is refused: ${user} has to sign in again.`
}

/** Asks how many there are, and names the number before all of them end. */
export function EndAllButton({ user, onEnded }: { readonly user: string; readonly onEnded: () => void }): JSX.Element {
  const { about, announce } = useShell()
  const [count, setCount] = useState<number>()

  async function ask(): Promise<void> {
    try {
      const found = await requestJson<List<SessionEntry>>(`sessions${queryString({ exactUser: user, limit: 1 })}`)
      setCount(found.total ?? found.count)
    } catch (error) {
      announce(apiError(error).message)
    }
  }

  async function end(): Promise<void> {
    const ended = await requestJson<{ readonly count: number }>(`users/${encodeURIComponent(user)}/sessions`, {
      method: 'DELETE',
    })
    announce(`${plural(ended.count, 'session')} of ${user} ${ended.count === 1 ? 'was' : 'were'} ended.`)
    onEnded()
  }

  return (
    <>
      <button type="button" class="danger" onClick={ask}>
        End all sessions of {user}
      </button>
      {count !== undefined && (
        <Dialog
          title={`End ${plural(count, 'session')} of ${user}?`}
          action={`End ${plural(count, 'session')}`}
          onConfirm={end}
          onClose={() => setCount(undefined)}
          isDestructive
        >
          <p>They have to sign in again, on every device and in every program. This cannot be undone.</p>
          {user === about?.user && <p class="notice">That is you: the session of this page ends as well.</p>}
        </Dialog>
      )}
    </>
  )
}
