/**
 * The words of the audit trail, for people.
 *
 * @module
 */

import type { JSX } from 'preact'
import type { AuditAction, AuditOutcome, AuditRecord } from '../../../audit/audit-record.js'
import { Badge, type Tone } from './badge.js'

const actionNames: Readonly<Record<AuditAction, string>> = {
  login: 'Login',
  loginRefused: 'Login refused',
  logout: 'Logout',
  refusal: 'Request refused',
  revocation: 'Session ended',
  eviction: 'Session evicted',
  lock: 'Locked out',
  unlock: 'Lock lifted',
  clientRefused: 'Client refused',
  breakGlassUsed: 'Break-glass login',
  userAdded: 'User added',
  userRemoved: 'User deleted',
  userDisabled: 'User disabled',
  userEnabled: 'User enabled',
  passwordChanged: 'Password changed',
  secondFactorChanged: 'Second factor changed',
  rolesChanged: 'Roles changed',
  roleAdded: 'Role added',
  roleRemoved: 'Role deleted',
  reload: 'Configuration reloaded',
  reloadRefused: 'Reload refused',
  auditRead: 'Audit trail read',
  trailStarted: 'Trail started',
  trailStopped: 'Trail stopped',
  trailDamaged: 'Trail damaged',
  checkpoint: 'Checkpoint',
  recordsLost: 'Records lost',
  filesRemoved: 'Old files removed',
}

export const actions: readonly string[] = Object.keys(actionNames)
/** An action of a later version is shown as it is written. */
export const actionName = (action: string): string => actionNames[action as AuditAction] ?? action

export const outcomeNames: Readonly<Record<AuditOutcome, string>> = {
  success: 'Success',
  failure: 'Failure',
  denied: 'Denied',
}

const tones: Readonly<Record<AuditOutcome, Tone>> = { success: 'good', failure: 'warn', denied: 'bad' }

export function OutcomeBadge({ outcome }: { readonly outcome: AuditOutcome }): JSX.Element {
  return <Badge tone={tones[outcome] ?? 'neutral'}>{outcomeNames[outcome] ?? outcome}</Badge>
}

export function whoText({ actor, impersonator }: AuditRecord): JSX.Element {
  return (
    <>
      {actor ?? '\u2013'}
      {impersonator !== undefined && <span class="sub">by {impersonator}</span>}
    </>
  )
}

/** Long ids are cut, digests to what tells them apart: the hint and the details have them whole. */
function shortened(id: string): string {
  const shownLength = /^[\w-]{32,}$/.test(id) ? 8 : 40
  return id.length > shownLength ? `${id.slice(0, shownLength)}\u2026` : id
}

/** What was acted on, and why it was refused. */
export function targetText({ target, code, reason }: AuditRecord): JSX.Element {
  const id = target?.id ?? ''
  const cause = code ?? reason
  return (
    <>
      {target === null ? (
        '\u2013'
      ) : (
        <span title={id === shortened(id) ? undefined : id}>
          {target.type} {shortened(id)}
        </span>
      )}
      {cause !== undefined && <span class="sub">{cause}</span>}
    </>
  )
}
