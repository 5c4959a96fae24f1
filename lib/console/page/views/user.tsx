/**
 * One user: roles, sessions, password, and whether they can log in.
 *
 * @module
 */

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { SessionEntry } from '../../../admin-api/sessions.js'
import { type List, queryString } from '../api.js'
import { Badge } from '../components/badge.js'
import { EndAllButton, SessionTable } from '../components/session-table.js'
import { Empty, Loaded } from '../components/states.js'
import { Section, useShell, View } from '../components/view.js'
import { plural } from '../format.js'
import { routeTo } from '../router.js'
import { useResource } from '../use-resource.js'
import { ChangePassword, DeleteUser, DisableUser } from './user-changes.js'
import { UserRoles } from './user-roles.js'

export interface UserDetail {
  readonly userId: string
  readonly isAdmin: boolean
  readonly roles: readonly string[]
  readonly isDisabled?: boolean
}

const maxSessions = 100

export function User({ name }: { readonly name: string }): JSX.Element {
  const user = useResource<UserDetail>(`users/${encodeURIComponent(name)}`)
  const { about } = useShell()
  const [dialog, setDialog] = useState<'password' | 'disable' | 'delete'>()
  const isManaged = about?.features.users === 'managed'
  const { data } = user
  const close = (): void => setDialog(undefined)

  return (
    <View
      title={name}
      lead={
        <>
          <a href={routeTo('users')}>All users</a>
          {data?.isAdmin && <Badge tone="accent">Administrator</Badge>}
          {data?.isDisabled && <Badge tone="warn">Cannot log in</Badge>}
        </>
      }
      actions={
        isManaged &&
        data !== undefined && (
          <>
            <button type="button" onClick={() => setDialog('password')}>
              Set password{'\u2026'}
            </button>
            <button type="button" onClick={() => setDialog('disable')}>
              {data.isDisabled ? 'Enable' : 'Disable'}
              {'\u2026'}
            </button>
            <button type="button" class="danger" onClick={() => setDialog('delete')}>
              Delete{'\u2026'}
            </button>
          </>
        )
      }
    >
      {data === undefined && user.error?.status === 404 ? (
        <p class="notice">
          The user store does not know this name. Its sessions come from elsewhere, or are left over.
        </p>
      ) : (
        <Loaded resource={user}>
          {(known) => <UserRoles user={known} isManaged={isManaged} onChanged={user.reload} />}
        </Loaded>
      )}
      <UserSessions name={name} />
      {dialog === 'password' && <ChangePassword name={name} onClose={close} />}
      {dialog === 'disable' && data && (
        <DisableUser name={name} isDisabled={data.isDisabled ?? false} onClose={close} onChanged={user.reload} />
      )}
      {dialog === 'delete' && <DeleteUser name={name} onClose={close} />}
    </View>
  )
}

function UserSessions({ name }: { readonly name: string }): JSX.Element {
  const [sort, setSort] = useState('-lastAccessAt')
  const sessions = useResource<List<SessionEntry>>(
    `sessions${queryString({ exactUser: name, limit: maxSessions, sort })}`,
    {
      pollMs: 15_000,
    },
  )
  const hasSome = sessions.data !== undefined && sessions.data.count > 0
  return (
    <Section title="Sessions" actions={hasSome && <EndAllButton user={name} onEnded={sessions.reload} />}>
      <Loaded resource={sessions}>
        {({ list, total = list.length }) =>
          total === 0 ? (
            <Empty>
              <p>{name} is not signed in.</p>
            </Empty>
          ) : (
            <>
              <SessionTable
                sessions={list}
                sort={sort}
                onSort={setSort}
                isBusy={sessions.isLoading}
                onChanged={sessions.reload}
                isOfOneUser
              />
              {total > list.length && (
                <p class="muted">
                  {plural(list.length, 'session')} of {total}.{' '}
                  <a href={routeTo('sessions', '', { user: name })}>All sessions</a>
                </p>
              )}
            </>
          )
        }
      </Loaded>
    </Section>
  )
}
