/**
 * Who cannot log in because of failed logins, and how that is lifted.
 *
 * @module
 */

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { LockEntry } from '../../../admin-api/locks.js'
import { type List, queryString, requestJson } from '../api.js'
import { Dialog } from '../components/dialog.js'
import { SelectField, TextField } from '../components/fields.js'
import { Paged } from '../components/pager.js'
import { Empty, Loaded } from '../components/states.js'
import { type Column, Table } from '../components/table.js'
import { Time } from '../components/time.js'
import { useShell, View } from '../components/view.js'
import { useFilters } from '../router.js'
import { useResource } from '../use-resource.js'

const pageSize = 50
const pollMs = 10_000
const scopes: Readonly<Record<LockEntry['scope'], string>> = {
  pair: 'This user from this address',
  user: 'This user from unknown addresses',
  source: 'All users from this address',
  'second-factor': 'The second factor of this user',
}

type Lift = { readonly field: 'user' | 'address'; readonly name: string }

export function Locks(): JSX.Element {
  const [{ offset: from }, change] = useFilters({ offset: '0' })
  const offset = Number(from) || 0
  const locks = useResource<List<LockEntry>>(`locks${queryString({ offset, limit: pageSize })}`, { pollMs })
  const [lifting, setLifting] = useState<Lift>()
  const [isAsking, setAsking] = useState(false)
  const columns: readonly Column<LockEntry>[] = [
    { title: 'User', kind: 'head', cell: ({ user }) => user },
    { title: 'Refused', cell: ({ scope }) => scopes[scope] },
    { title: 'Address', kind: 'code', cell: ({ address }) => address ?? '\u2013' },
    { title: 'Since', cell: ({ since }) => <Time at={since} /> },
    { title: 'Next login', cell: ({ until }) => <Time at={until} /> },
    {
      title: 'Actions',
      kind: 'actions',
      cell: (lock) => (
        <button
          type="button"
          class="quiet"
          aria-label={`Lift the lock of ${liftOf(lock).name}`}
          onClick={() => setLifting(liftOf(lock))}
        >
          Lift
        </button>
      ),
    },
  ]

  return (
    <View
      title="Lock-outs"
      lead="Logins that are refused because of wrong passwords or codes. Each ends by itself, or is lifted here."
      actions={
        <button type="button" onClick={() => setAsking(true)}>
          Lift by name{'\u2026'}
        </button>
      }
    >
      <Loaded resource={locks}>
        {({ list, count, total = count }) =>
          total === 0 ? (
            <Empty>
              <p>Nobody is locked out.</p>
            </Empty>
          ) : (
            <Paged
              {...{ offset, limit: pageSize, count, total }}
              noun={['lock-out', 'lock-outs']}
              onChange={(value) => change({ offset: String(value) })}
            >
              <Table caption="Lock-outs" columns={columns} rows={list} rowKey={lockKey} isBusy={locks.isLoading} />
            </Paged>
          )
        }
      </Loaded>
      {lifting !== undefined && (
        <LiftLock lift={lifting} onClose={() => setLifting(undefined)} onLifted={locks.reload} />
      )}
      {isAsking && <LiftByName onClose={() => setAsking(false)} onLifted={locks.reload} />}
    </View>
  )
}

function liftOf({ scope, user, address }: LockEntry): Lift {
  return scope === 'source' && address !== null ? { field: 'address', name: address } : { field: 'user', name: user }
}

const lockKey = ({ scope, user, address }: LockEntry): string => `${scope} ${address} ${user}`

interface LiftProps {
  readonly onClose: () => void
  readonly onLifted: () => void
}

function useLift(onLifted: () => void): (lift: Lift) => Promise<void> {
  const { announce } = useShell()
  return async ({ field, name }) => {
    const { status } = await requestJson<{ readonly status: string }>(`locks${queryString({ [field]: name })}`, {
      method: 'DELETE',
    })
    announce(status === 'NotLocked' ? `${name} was not locked out.` : `The lock of ${name} was lifted.`)
    onLifted()
  }
}

function LiftLock({ lift, onClose, onLifted }: LiftProps & { readonly lift: Lift }): JSX.Element {
  const liftNow = useLift(onLifted)
  const { field, name } = lift
  return (
    <Dialog title={`Lift the lock of ${name}?`} action="Lift lock" onConfirm={() => liftNow(lift)} onClose={onClose}>
      <p>
        {field === 'user'
          ? `All locks of ${name} end, those of wrong codes too. Logins are checked again at once.`
          : `Logins from ${name} are checked again at once, whoever they are for.`}{' '}
        Failures so far are forgotten.
      </p>
    </Dialog>
  )
}

function LiftByName({ onClose, onLifted }: LiftProps): JSX.Element {
  const liftNow = useLift(onLifted)
  const [field, setField] = useState<Lift['field']>('user')
  const [name, setName] = useState('')
  return (
    <Dialog
      title="Lift a lock"
      action="Lift lock"
      isReady={name.trim() !== ''}
      onConfirm={() => liftNow({ field, name: name.trim() })}
      onClose={onClose}
    >
      <SelectField
        label="Whose"
        value={field}
        options={[
          ['user', 'Of a user'],
          ['address', 'Of an address'],
        ]}
        onChange={(value) => setField(value === 'address' ? 'address' : 'user')}
      />
      <TextField label={field === 'user' ? 'User name' : 'Address'} value={name} onChange={setName} required />
    </Dialog>
  )
}
