import { describe, expect, it } from 'vitest'
import { basic, bearer } from '../helpers/front.js'
import { people, startManagedFront } from '../helpers/managed-front.js'
import { storeFailure } from '../helpers/memory-user-store.js'
import type { RawAnswer } from '../helpers/raw-http.js'
import { oneSetUp } from '../helpers/set-ups.js'
import { AnswerChecks, type FoundOperation, operationsOf } from './answer-checks.js'
import { acceptJson, examplePath, json, type Stage, startStage } from './management-stage.js'

const { root, carol, bob } = people
const rootBasic = basic(root.name, root.password)

/** Has an operation answer with a status of its own. */
type Case = readonly [id: string, status: number, ask: (stage: Stage) => Promise<RawAnswer>]

const send =
  (method: string, path: string, body?: object) =>
  (stage: Stage): Promise<RawAnswer> =>
    stage.send(method, path, body)

const logIn = (method: string, headers: readonly string[]) => (stage: Stage) =>
  stage.front.call(method, '/login', [acceptJson, ...headers])

async function endOne(stage: Stage): Promise<RawAnswer> {
  await stage.front.login(bob)
  const { list } = (await stage.send('GET', '/sessions?user=bob')).json<{ list: readonly { id: string }[] }>()
  return stage.send('DELETE', `/sessions/${list[0]!.id}`)
}

async function lock({ front }: Stage): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) await front.call('GET', '/login', [basic('carol', 'wrong')])
}

const loginCases = ['GET', 'POST'].flatMap((method): readonly Case[] => {
  const id = method === 'POST' ? 'login' : 'loginByGet'
  return [
    [id, 200, logIn(method, [rootBasic])],
    [id, 400, logIn(method, [rootBasic, rootBasic])],
    [id, 401, logIn(method, [])],
    [id, 401, logIn(method, [basic('root', 'wrong')])],
    [id, 403, logIn(method, [rootBasic, 'Sec-Fetch-Site: cross-site'])],
    [id, 429, async (stage) => lock(stage).then(() => logIn(method, [basic('carol', carol.password)])(stage))],
    [
      id,
      503,
      async (stage) => {
        stage.front.store.failure = storeFailure()
        return logIn(method, [rootBasic])(stage)
      },
    ],
    [id === 'login' ? 'logout' : 'logoutByGet', 200, send(method, '/logout')],
  ]
})

const newUser = { userId: 'dora', password: 'Dora-password-5' }
const passwords = { newPassword: 'Carol-password-9', confirmPassword: 'Carol-password-9' }

const cases: readonly Case[] = [
  ...loginCases,
  ['getKeys', 200, ({ front }) => front.call('GET', '/jwks')],
  ['getOpenApi', 200, send('GET', '/openapi.json')],
  ['listSessions', 200, send('GET', '/sessions')],
  ['listSessions', 400, send('GET', '/sessions?sort=nothing')],
  ['endSessionsOfUser', 200, send('DELETE', '/sessions?user=bob')],
  ['endSessionsOfUser', 400, send('DELETE', '/sessions')],
  ['endSession', 200, endOne],
  ['endSession', 404, send('DELETE', '/sessions/none')],
  ['endSessionsOfOneUser', 200, send('DELETE', '/users/bob/sessions')],
  ['listEvents', 200, async (stage) => lock(stage).then(() => stage.send('GET', '/events'))],
  ['listEvents', 400, send('GET', '/events?after=x')],
  ['searchAudit', 200, async (stage) => lock(stage).then(() => stage.send('GET', '/audit'))],
  ['searchAudit', 400, send('GET', '/audit?outcome=x')],
  ['getAuditStatus', 200, send('GET', '/audit/status')],
  ['listLocks', 200, async (stage) => lock(stage).then(() => stage.send('GET', '/locks'))],
  ['listLocks', 400, send('GET', '/locks?limit=x')],
  ['liftLocks', 200, send('DELETE', '/locks?user=carol')],
  ['liftLocks', 200, send('DELETE', '/locks?address=192.0.2.1')],
  ['liftLocks', 400, send('DELETE', '/locks')],
  ['reload', 400, send('POST', '/reload')],
  ['listUsers', 200, send('GET', '/users?pattern=c*')],
  ['addUser', 200, send('POST', '/users', newUser)],
  ['addUser', 400, send('POST', '/users', { userId: 'root', password: 'Root-password-9' })],
  ['addUser', 400, send('POST', '/users', { userId: 7 })],
  ['getUser', 200, send('GET', '/users/carol')],
  [
    'getUser',
    200,
    async (stage) => {
      stage.front.store.disable('carol')
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

const throttled = { managementApi: { login_throttle: { max_failures: 3 } } }
const elsewhere = { managementApi: { control_access: { enable: true, allow: ['10.0.0.0/8'] } } }

/** Whether a caller has to show a token. */
const takesToken = ({ security }: FoundOperation): boolean => security.some((scheme) => 'token' in scheme)

/** Operations for callers who are no administrators. */
const forEverybody = new Set(['logout', 'logoutByGet', 'getOpenApi'])

describe('the answers of the management API', () => {
  it.each(cases.map((row) => [row[0], row[1], row] as const))('are as documented: %s %i', async (id, status, row) => {
    const stage = await startStage({ document: throttled })
    const answer = await row[2](stage)
    expect(answer.status, answer.body).toBe(status)
    new AnswerChecks(stage.document).check(id, answer)
    expect(stage.front.handled).toEqual([])
  })

  it('are as documented for a caller who is not known, may not, sends too much, or whom the store does not know', async () => {
    const stage = await startStage()
    const { front, document } = stage
    const checks = new AnswerChecks(document)
    async function ask(
      operation: FoundOperation,
      status: number,
      headers: readonly string[],
      body = '',
    ): Promise<void> {
      const answer = await front.call(operation.method, examplePath(operation), [acceptJson, ...headers], body)
      expect(answer.status, `${operation.operationId} ${answer.body}`).toBe(status)
      checks.check(operation.operationId, answer)
    }
    const operations = operationsOf(document).filter(takesToken)
    const user = bearer(await front.login(bob))
    for (const operation of operations) {
      await ask(operation, 401, [])
      await ask(operation, 400, [stage.root, stage.root])
      if (!forEverybody.has(operation.operationId)) await ask(operation, 403, [user, json], JSON.stringify(passwords))
      if ('413' in operation.responses) await ask(operation, 413, [stage.root, json], `{"a":"${'x'.repeat(70_000)}"}`)
      if ('415' in operation.responses) await ask(operation, 415, [stage.root, 'Content-Type: text/plain'], '{}')
    }
    stage.tokenStore.isBroken = true
    for (const operation of operations) await ask(operation, 503, [stage.root])
    expect(operations.length).toBeGreaterThan(10)
  })

  it('are all in these tests', async () => {
    const { document } = await startStage()
    const tested = new Set(cases.map(([id, status]) => `${id} ${status}`))
    const general = ['400', '401', '403', '413', '415', '503', 'default']
    const missing = operationsOf(document).flatMap(({ operationId, responses }) =>
      Object.keys(responses)
        .filter((status) => !general.includes(status) && !tested.has(`${operationId} ${status}`))
        .map((status) => `${operationId} ${status}`),
    )
    expect(missing).toEqual(['reload 200'])
  })

  it('are as documented for a caller from another address', async () => {
    const { document } = await startStage()
    const checks = new AnswerChecks(document)
    const front = await startManagedFront(oneSetUp, { document: elsewhere })
    for (const operation of operationsOf(document)) {
      const answer = await front.call(operation.method, examplePath(operation), [acceptJson])
      expect(answer.status).toBe(403)
      checks.check(operation.operationId, answer)
    }
  })
})
