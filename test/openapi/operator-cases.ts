import type { MemoryUserStore } from '../helpers/memory-user-store.js'
import type { RawAnswer } from '../helpers/raw-http.js'

/** What a case works with, at the management API and at the operators' page. */
export interface CaseStage {
  readonly store: MemoryUserStore
  /** Sends a request as an administrator. */
  send(method: string, path: string, body?: object): Promise<RawAnswer>
  /** Starts a session of another user. */
  signInBob(): Promise<unknown>
  /** Fails to log in as `carol` until that is locked. */
  lockCarol(): Promise<void>
}

/** Has an operation answer with a status of its own. */
export type Case<Stage extends CaseStage = CaseStage> = readonly [
  id: string,
  status: number,
  ask: (stage: Stage) => Promise<RawAnswer>,
]

export const send =
  (method: string, path: string, body?: object) =>
  (stage: CaseStage): Promise<RawAnswer> =>
    stage.send(method, path, body)

async function endOne(stage: CaseStage): Promise<RawAnswer> {
  await stage.signInBob()
  const { list } = (await stage.send('GET', '/sessions?user=bob')).json<{ list: readonly { id: string }[] }>()
  return stage.send('DELETE', `/sessions/${list[0]!.id}`)
}

const newUser = { userId: 'dora', password: 'Dora-password-5' }
export const passwords = { newPassword: 'Carol-password-9', confirmPassword: 'Carol-password-9' }

/** Operations of operators, at both mounts. */
export const operatorCases: readonly Case[] = [
  ['getOpenApi', 200, send('GET', '/openapi.json')],
  ['listSessions', 200, send('GET', '/sessions')],
  ['listSessions', 400, send('GET', '/sessions?sort=nothing')],
  ['endSessionsOfUser', 200, send('DELETE', '/sessions?user=bob')],
  ['endSessionsOfUser', 400, send('DELETE', '/sessions')],
  ['endSession', 200, endOne],
  ['endSession', 404, send('DELETE', '/sessions/none')],
  ['endSessionsOfOneUser', 200, send('DELETE', '/users/bob/sessions')],
  ['listEvents', 200, async (stage) => stage.lockCarol().then(() => stage.send('GET', '/events'))],
  ['listEvents', 400, send('GET', '/events?after=x')],
  ['searchAudit', 200, async (stage) => stage.lockCarol().then(() => stage.send('GET', '/audit'))],
  ['searchAudit', 400, send('GET', '/audit?outcome=x')],
  ['getAuditStatus', 200, send('GET', '/audit/status')],
  ['listLocks', 200, async (stage) => stage.lockCarol().then(() => stage.send('GET', '/locks'))],
  ['getHealth', 200, send('GET', '/health')],
  ['getMetrics', 200, send('GET', '/metrics')],
  ['listLocks', 400, send('GET', '/locks?limit=x')],
  ['liftLocks', 200, send('DELETE', '/locks?user=carol')],
  ['liftLocks', 200, send('DELETE', '/locks?address=192.0.2.1')],
  ['liftLocks', 400, send('DELETE', '/locks')],
  ['reload', 400, send('POST', '/reload')],
  ['previewReload', 400, send('GET', '/reload')],
  ['getConfiguration', 200, send('GET', '/configuration')],
  ['listApiTokens', 200, send('GET', '/api-tokens')],
  ['listApiTokens', 400, send('GET', '/api-tokens?limit=x')],
  ['listServiceProviders', 200, send('GET', '/service-providers')],
  ['listServiceProviders', 400, send('GET', '/service-providers?limit=x')],
  ['listUsers', 200, send('GET', '/users?pattern=c*')],
  ['addUser', 200, send('POST', '/users', newUser)],
  ['addUser', 400, send('POST', '/users', { userId: 'root', password: 'Root-password-9' })],
  ['addUser', 400, send('POST', '/users', { userId: 7 })],
  ['getUser', 200, send('GET', '/users/carol')],
  [
    'getUser',
    200,
    async (stage) => {
      stage.store.disable('carol')
      return stage.send('GET', '/users/carol')
    },
  ],
  ['getUser', 404, send('GET', '/users/nobody')],
  ['changeUser', 200, send('PATCH', '/users/carol', passwords)],
  ['changeUser', 200, send('PATCH', '/users/carol', { disabled: true })],
  ['changeUser', 400, send('PATCH', '/users/carol', { newPassword: 'x' })],
  ['changeUser', 404, send('PATCH', '/users/nobody', passwords)],
  ['removeUser', 200, send('DELETE', '/users/carol')],
  ['removeUser', 403, send('DELETE', '/users/root')],
  ['removeUser', 404, send('DELETE', '/users/nobody')],
  ['listRoles', 200, send('GET', '/roles')],
  ['addRole', 200, send('POST', '/roles', { role: 'auditors' })],
  ['addRole', 400, send('POST', '/roles', { role: 'operators' })],
  ['changeRoles', 200, send('PUT', '/roles', { userId: 'carol', addedRoles: ['viewers'] })],
  ['changeRoles', 400, send('PUT', '/roles', { userId: 'carol' })],
  ['changeRoles', 404, send('PUT', '/roles', { userId: 'nobody', addedRoles: ['viewers'] })],
  ['getRole', 200, send('GET', '/roles/operators')],
  ['getRole', 404, send('GET', '/roles/nothing')],
  ['removeRole', 200, send('DELETE', '/roles/viewers')],
  ['removeRole', 403, send('DELETE', '/roles/admin')],
  ['removeRole', 404, send('DELETE', '/roles/nothing')],
]
