import { describe, expect, it } from 'vitest'
import { basic, bearer } from '../helpers/front.js'
import { people, startManagedFront } from '../helpers/managed-front.js'
import { storeFailure } from '../helpers/memory-user-store.js'
import type { RawAnswer } from '../helpers/raw-http.js'
import { oneSetUp } from '../helpers/set-ups.js'
import { AnswerChecks, type FoundOperation, operationsOf } from './answer-checks.js'
import { acceptJson, examplePath, json, type Stage, startStage } from './management-stage.js'
import { type Case, operatorCases, passwords, send } from './operator-cases.js'

const { root, carol, bob } = people
const rootBasic = basic(root.name, root.password)

const logIn = (method: string, headers: readonly string[]) => (stage: Stage) =>
  stage.front.call(method, '/login', [acceptJson, ...headers])

const loginCases = ['GET', 'POST'].flatMap((method): readonly Case<Stage>[] => {
  const id = method === 'POST' ? 'login' : 'loginByGet'
  return [
    [id, 200, logIn(method, [rootBasic])],
    [id, 400, logIn(method, [rootBasic, rootBasic])],
    [id, 401, logIn(method, [])],
    [id, 401, logIn(method, [basic('root', 'wrong')])],
    [id, 403, logIn(method, [rootBasic, 'Sec-Fetch-Site: cross-site'])],
    [id, 429, async (stage) => stage.lockCarol().then(() => logIn(method, [basic('carol', carol.password)])(stage))],
    [
      id,
      503,
      async (stage) => {
        stage.store.failure = storeFailure()
        return logIn(method, [rootBasic])(stage)
      },
    ],
    [id === 'login' ? 'logout' : 'logoutByGet', 200, send(method, '/logout')],
  ]
})

const elsewhere = {
  managementApi: { control_access: { enable: true, allow: ['10.0.0.0/8'] } },
  root: { health: { allow: ['10.0.0.0/8'] } },
}

async function askFromElsewhere(path: string): Promise<RawAnswer> {
  return (await startManagedFront(oneSetUp, { document: elsewhere })).call('GET', path, [acceptJson])
}

const cases: readonly Case<Stage>[] = [
  ...loginCases,
  ['getKeys', 200, ({ front }) => front.call('GET', '/jwks')],
  ['getMetrics', 200, ({ front, root }) => front.call('GET', '/metrics', [root])],
  ['getLiveness', 200, ({ front }) => front.call('GET', '/health/live')],
  ['getReadiness', 200, ({ front }) => front.call('GET', '/health/ready')],
  [
    'getReadiness',
    503,
    async ({ front }) => {
      const end = front.security.shutdown([], { delay: 200 })
      const answer = await front.call('GET', '/health/ready')
      await end
      return answer
    },
  ],
  ['getLiveness', 404, () => askFromElsewhere('/health/live')],
  ['getReadiness', 404, () => askFromElsewhere('/health/ready')],
  ...operatorCases,
]

const throttled = { managementApi: { login_throttle: { max_failures: 3 } } }

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
    expect(missing).toEqual(['previewReload 200', 'reload 200', 'reload 409'])
  })

  it('are as documented for a caller from another address', async () => {
    const { document } = await startStage()
    const checks = new AnswerChecks(document)
    const front = await startManagedFront(oneSetUp, { document: elsewhere })
    for (const operation of operationsOf(document)) {
      const answer = await front.call(operation.method, examplePath(operation), [acceptJson])
      expect(answer.status).toBe(operation.path.startsWith('/health/') ? 404 : 403)
      checks.check(operation.operationId, answer)
    }
  })
})
