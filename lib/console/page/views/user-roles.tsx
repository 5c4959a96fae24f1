/**
 * The roles of one user, given and taken.
 *
 * @module
 */

import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { type List, requestJson } from '../api.js'
import { Dialog } from '../components/dialog.js'
import { SelectField } from '../components/fields.js'
import { Section, useShell } from '../components/view.js'
import { routeTo } from '../router.js'
import { useResource } from '../use-resource.js'
import type { UserDetail } from './user.js'

interface RolesProps {
  readonly user: UserDetail
  readonly isManaged: boolean
  readonly onChanged: () => void
}

export function UserRoles({ user, isManaged, onChanged }: RolesProps): JSX.Element {
  const { userId, roles } = user
  const [taking, setTaking] = useState<string>()
  const [isGiving, setGiving] = useState(false)
  return (
    <Section
      title="Roles"
      actions={
        isManaged && (
          <button type="button" onClick={() => setGiving(true)}>
            Give a role{'\u2026'}
          </button>
        )
      }
    >
      {roles.length === 0 && <p class="muted">None.</p>}
      <ul class="chips">
        {roles.map((role) => (
          <li key={role}>
            <a href={routeTo('roles', role)}>{role}</a>
            {isManaged && role !== everyone && (
              <button
                type="button"
                class="quiet danger"
                aria-label={`Take the role ${role}`}
                onClick={() => setTaking(role)}
              >
                Take
              </button>
            )}
          </li>
        ))}
      </ul>
      {isGiving && <GiveRole user={user} onClose={() => setGiving(false)} onChanged={onChanged} />}
      {taking !== undefined && (
        <TakeRole userId={userId} role={taking} onClose={() => setTaking(undefined)} onChanged={onChanged} />
      )}
    </Section>
  )
}

/** Every user has it. */
const everyone = 'Internal/everyone'

interface ChangeProps {
  readonly onClose: () => void
  readonly onChanged: () => void
}

function GiveRole({
  user: { userId, roles },
  onClose,
  onChanged,
}: ChangeProps & { readonly user: UserDetail }): JSX.Element {
  const { announce } = useShell()
  const known = useResource<List<{ readonly role: string }>>('roles')
  const [role, setRole] = useState('')
  const others = (known.data?.list ?? []).map((entry) => entry.role).filter((one) => !roles.includes(one))

  async function give(): Promise<void> {
    await requestJson('roles', { method: 'PUT', body: { userId, addedRoles: [role], removedRoles: [] } })
    announce(`${userId} has the role ${role} now.`)
    onChanged()
  }

  return (
    <Dialog title={`Give ${userId} a role`} action="Give role" isReady={role !== ''} onConfirm={give} onClose={onClose}>
      <SelectField
        label="Role"
        value={role}
        options={[
          ['', known.data === undefined ? 'Loading\u2026' : 'Choose a role'],
          ...others.map((one) => [one, one] as const),
        ]}
        onChange={setRole}
      />
      <p class="hint">What the role allows holds from the next request on.</p>
    </Dialog>
  )
}

function TakeRole({
  userId,
  role,
  onClose,
  onChanged,
}: ChangeProps & { readonly userId: string; readonly role: string }): JSX.Element {
  const { about, announce } = useShell()

  async function take(): Promise<void> {
    await requestJson('roles', { method: 'PUT', body: { userId, addedRoles: [], removedRoles: [role] } })
    announce(`The role ${role} was taken from ${userId}.`)
    onChanged()
  }

  return (
    <Dialog
      title={`Take the role ${role} from ${userId}?`}
      action="Take role"
      onConfirm={take}
      onClose={onClose}
      isDestructive
    >
      <p>
        What the role allows is refused from the next request on. Their sessions end where it made them an
        administrator, which cannot be undone.
      </p>
      {about?.user === userId && (
        <p class="notice">That is you: without the role of administrators you cannot use this page.</p>
      )}
    </Dialog>
  )
}
