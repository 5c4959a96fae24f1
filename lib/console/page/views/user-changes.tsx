/**
 * The dialogs that change one user.
 *
 * @module
 */

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { requestJson } from '../api.js'
import { Dialog } from '../components/dialog.js'
import { TextField } from '../components/fields.js'
import { useShell } from '../components/view.js'
import { routeTo } from '../router.js'

interface ChangeProps {
  readonly name: string
  readonly onClose: () => void
}

const pathOf = (name: string): string => `users/${encodeURIComponent(name)}`

export function ChangePassword({ name, onClose }: ChangeProps): JSX.Element {
  const { about, announce } = useShell()
  const [oldPassword, setOldPassword] = useState('')
  const [newPassword, setNewPassword] = useState('')
  const isOwn = about?.user === name

  async function change(): Promise<void> {
    const body = { newPassword, confirmPassword: newPassword, ...(isOwn ? { oldPassword } : {}) }
    await requestJson(pathOf(name), { method: 'PATCH', body })
    announce(`The password of ${name} was set. All their sessions were ended.`)
  }

  return (
    <Dialog
      title={`Set the password of ${name}`}
      action="Set password"
      isReady={newPassword !== '' && (!isOwn || oldPassword !== '')}
      onConfirm={change}
      onClose={onClose}
    >
      <p>
        All sessions of {name} end{isOwn ? ', the one of this page too' : ''}. This cannot be undone.
      </p>
      {isOwn && (
        <TextField
          label="Your password so far"
          type="password"
          autocomplete="current-password"
          value={oldPassword}
          onChange={setOldPassword}
        />
      )}
      <TextField
        label="New password"
        type="password"
        autocomplete="new-password"
        value={newPassword}
        onChange={setNewPassword}
      />
    </Dialog>
  )
}

export function DisableUser({
  name,
  isDisabled,
  onClose,
  onChanged,
}: ChangeProps & { readonly isDisabled: boolean; readonly onChanged: () => void }): JSX.Element {
  const { announce } = useShell()

  async function change(): Promise<void> {
    await requestJson(pathOf(name), { method: 'PATCH', body: { disabled: String(!isDisabled) } })
    announce(isDisabled ? `${name} can log in again.` : `${name} cannot log in any more.`)
    onChanged()
  }

  return (
    <Dialog
      title={isDisabled ? `Let ${name} log in again?` : `Keep ${name} from logging in?`}
      action={isDisabled ? 'Enable' : 'Disable'}
      onConfirm={change}
      onClose={onClose}
      isDestructive={!isDisabled}
    >
      <p>
        {isDisabled
          ? `${name} keeps the password and the roles they had.`
          : `All sessions of ${name} end, which cannot be undone, and no login is taken until the user is enabled again.`}
      </p>
    </Dialog>
  )
}

export function DeleteUser({ name, onClose }: ChangeProps): JSX.Element {
  const { announce } = useShell()

  async function remove(): Promise<void> {
    await requestJson(pathOf(name), { method: 'DELETE' })
    announce(`The user ${name} was deleted.`, routeTo('users'))
  }

  return (
    <Dialog title={`Delete the user ${name}?`} action="Delete user" onConfirm={remove} onClose={onClose} isDestructive>
      <p>All sessions of {name} end, and the user is taken out of the store. This cannot be undone.</p>
    </Dialog>
  )
}
