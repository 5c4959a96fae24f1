/**
 * Users: all of them, or the one that the address names.
 *
 * @module
 */

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { type List, queryString, requestJson } from '../api.js'
import { Dialog } from '../components/dialog.js'
import { CheckField, TextField } from '../components/fields.js'
import { Paged } from '../components/pager.js'
import { Empty, Loaded } from '../components/states.js'
import { type Column, Table } from '../components/table.js'
import { useShell, View } from '../components/view.js'
import { routeTo, useFilters } from '../router.js'
import { useResource } from '../use-resource.js'
import { User } from './user.js'

const pageSize = 50
const columns: readonly Column<UserEntry>[] = [
  { title: 'Name', kind: 'head', cell: ({ userId }) => <a href={routeTo('users', userId)}>{userId}</a> },
]

interface UserEntry {
  readonly userId: string
}

export function Users({ name }: { readonly name: string }): JSX.Element {
  return name === '' ? <UserList /> : <User name={name} />
}

function UserList(): JSX.Element {
  const { about } = useShell()
  const [{ search, offset: from }, change] = useFilters({ search: '', offset: '0' })
  const users = useResource<List<UserEntry>>(`users${queryString({ searchKey: search })}`)
  const [isAdding, setAdding] = useState(false)
  const offset = Number(from) || 0
  const isManaged = about?.features.users === 'managed'

  return (
    <View
      title="Users"
      lead={
        about?.features.users === 'read-only'
          ? 'They stand in the configuration file, and are changed there.'
          : 'Those of the user store. What is changed here holds at once.'
      }
      actions={
        isManaged && (
          <button type="button" class="primary" onClick={() => setAdding(true)}>
            Add user{'\u2026'}
          </button>
        )
      }
    >
      <search class="filters">
        <TextField label="Name" type="search" value={search} onChange={(value) => change({ search: value })} />
      </search>
      <Loaded resource={users}>
        {({ list }) =>
          list.length === 0 ? (
            <Empty>
              <p>{search === '' ? 'There is no user.' : 'No user has such a name.'}</p>
            </Empty>
          ) : (
            <Paged
              {...{ offset, limit: pageSize, total: list.length }}
              count={list.slice(offset, offset + pageSize).length}
              noun={['user', 'users']}
              onChange={(value) => change({ offset: String(value) })}
            >
              <Table
                caption="Users"
                columns={columns}
                rows={list.slice(offset, offset + pageSize)}
                rowKey={({ userId }) => userId}
                isBusy={users.isLoading}
              />
            </Paged>
          )
        }
      </Loaded>
      {isAdding && <AddUser onClose={() => setAdding(false)} onAdded={users.reload} />}
    </View>
  )
}

function AddUser({ onClose, onAdded }: { readonly onClose: () => void; readonly onAdded: () => void }): JSX.Element {
  const { announce } = useShell()
  const [userId, setUserId] = useState('')
  const [password, setPassword] = useState('')
  const [isAdmin, setAdmin] = useState(false)

  async function add(): Promise<void> {
    const added = await requestJson<{ readonly userId: string }>('users', {
      method: 'POST',
      body: { userId, password, isAdmin: String(isAdmin) },
    })
    announce(`The user ${added.userId} was added.`)
    onAdded()
  }

  return (
    <Dialog
      title="Add a user"
      action="Add user"
      isReady={userId !== '' && password !== ''}
      onConfirm={add}
      onClose={onClose}
    >
      <TextField label="User name" value={userId} onChange={setUserId} required autofocus />
      <TextField
        label="Password"
        type="password"
        autocomplete="new-password"
        value={password}
        onChange={setPassword}
        required
      />
      <CheckField
        label="Administrator"
        hint="May use this page, and change every user."
        isChecked={isAdmin}
        onChange={setAdmin}
      />
    </Dialog>
  )
}
