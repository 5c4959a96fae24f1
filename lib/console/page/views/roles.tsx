/**
 * Roles of the user store, and who has them.
 *
 * @module
 */

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { type List, queryString, requestJson } from '../api.js'
import { Dialog } from '../components/dialog.js'
import { TextField } from '../components/fields.js'
import { Empty, Loaded } from '../components/states.js'
import { Table } from '../components/table.js'
import { useShell, View } from '../components/view.js'
import { plural } from '../format.js'
import { routeTo, useFilters } from '../router.js'
import { useResource } from '../use-resource.js'

interface DialogProps {
  readonly onClose: () => void
  readonly onDone: () => void
}

export function Roles({ name }: { readonly name: string }): JSX.Element {
  return name === '' ? <RoleList /> : <Role name={name} />
}

function RoleList(): JSX.Element {
  const [{ search }, change] = useFilters({ search: '' })
  const roles = useResource<List<{ readonly role: string }>>(`roles${queryString({ searchKey: search })}`)
  const [isAdding, setAdding] = useState(false)
  const isManaged = useShell().about?.features.users === 'managed'
  return (
    <View
      title="Roles"
      lead="What rules of the configuration ask for, and who has it."
      actions={
        isManaged && (
          <button type="button" class="primary" onClick={() => setAdding(true)}>
            Add role{'\u2026'}
          </button>
        )
      }
    >
      <search class="filters">
        <TextField label="Name" type="search" value={search} onChange={(value) => change({ search: value })} />
      </search>
      <Loaded resource={roles}>
        {({ list }) =>
          list.length === 0 ? (
            <Empty>
              <p>{search === '' ? 'There is no role.' : 'No role has such a name.'}</p>
            </Empty>
          ) : (
            <>
              <div class="pager">
                <p role="status">{plural(list.length, 'role')}</p>
              </div>
              <Table
                caption="Roles"
                columns={[
                  { title: 'Name', kind: 'head', cell: ({ role }) => <a href={routeTo('roles', role)}>{role}</a> },
                ]}
                rows={list}
                rowKey={({ role }) => role}
                isBusy={roles.isLoading}
              />
            </>
          )
        }
      </Loaded>
      {isAdding && <AddRole onClose={() => setAdding(false)} onDone={roles.reload} />}
    </View>
  )
}

function AddRole({ onClose, onDone }: DialogProps): JSX.Element {
  const { announce } = useShell()
  const [role, setRole] = useState('')

  async function add(): Promise<void> {
    const added = await requestJson<{ readonly role: string }>('roles', { method: 'POST', body: { role } })
    announce(`The role ${added.role} was added.`)
    onDone()
  }

  return (
    <Dialog title="Add a role" action="Add role" isReady={role !== ''} onConfirm={add} onClose={onClose}>
      <TextField label="Name" value={role} onChange={setRole} required autofocus />
    </Dialog>
  )
}

function Role({ name }: { readonly name: string }): JSX.Element {
  const role = useResource<{ readonly role: string; readonly users: readonly string[] }>(
    `roles/${encodeURIComponent(name)}`,
  )
  const [isDeleting, setDeleting] = useState(false)
  const isManaged = useShell().about?.features.users === 'managed'
  return (
    <View
      title={name}
      lead={<a href={routeTo('roles')}>All roles</a>}
      actions={
        isManaged &&
        role.data !== undefined && (
          <button type="button" class="danger" onClick={() => setDeleting(true)}>
            Delete{'\u2026'}
          </button>
        )
      }
    >
      <Loaded resource={role}>
        {({ users }) =>
          users.length === 0 ? (
            <Empty>
              <p>No user has this role.</p>
            </Empty>
          ) : (
            <>
              <div class="pager">
                <p role="status">{plural(users.length, 'user')}</p>
              </div>
              <Table
                caption={`Users with the role ${name}`}
                columns={[{ title: 'User', kind: 'head', cell: (user) => <a href={routeTo('users', user)}>{user}</a> }]}
                rows={users}
                rowKey={(user) => user}
              />
            </>
          )
        }
      </Loaded>
      {isDeleting && <DeleteRole name={name} count={role.data?.users.length ?? 0} onClose={() => setDeleting(false)} />}
    </View>
  )
}

function DeleteRole({
  name,
  count,
  onClose,
}: {
  readonly name: string
  readonly count: number
  readonly onClose: () => void
}): JSX.Element {
  const { announce } = useShell()

  async function remove(): Promise<void> {
    await requestJson(`roles/${encodeURIComponent(name)}`, { method: 'DELETE' })
    announce(`The role ${name} was deleted.`, routeTo('roles'))
  }

  return (
    <Dialog title={`Delete the role ${name}?`} action="Delete role" onConfirm={remove} onClose={onClose} isDestructive>
      <p>
        {count === 0 ? 'No user has it.' : `${plural(count, 'user')} will no longer have it.`} This cannot be undone.
      </p>
    </Dialog>
  )
}
