import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  type ConsoleFront,
  enabled,
  navigation,
  origin,
  ownForm,
  ownScript,
  startConsole,
} from '../console/console-front.js'
import { openStream } from '../console/event-stream.js'
import { operatorRoutes } from '../console/routes.js'
import { basic, document } from '../helpers/front.js'
import { folderWith } from '../helpers/key-files.js'
import { people } from '../helpers/managed-front.js'
import { MemoryUserStore } from '../helpers/memory-user-store.js'
import { AnswerChecks, type FoundOperation, operationsOf, type ServedDocument } from './answer-checks.js'
import { BreakableTokenStore } from './breakable-token-store.js'
import { acceptJson, examplePath } from './management-stage.js'
import { type Case, type CaseStage, operatorCases, send } from './operator-cases.js'

interface ConsoleStage extends CaseStage {
  readonly front: ConsoleFront
  readonly tokenStore: BreakableTokenStore
  readonly document: ServedDocument
  /** `Cookie` of an administrator. */
  readonly cookie: string
}

async function startStage(): Promise<ConsoleStage> {
  const users = Object.fromEntries(Object.values(people).map(({ name, ...rest }) => [name, rest]))
  const store = new MemoryUserStore({ users, roles: ['operators', 'viewers'], superAdmin: 'root' })
  const tokenStore = new BreakableTokenStore()
  const front = await startConsole({
    source: document({
      root: {
        ...enabled,
        portal: { allow_insecure_http: true },
        audit_trail: { file: join(folderWith(), 'audit.log') },
      },
      managementApi: { login_throttle: { max_failures: 3 } },
    }),
    options: { userStore: store, tokenStore },
  })
  const cookie = await front.cookieOf('/ops', people.root)
  const ask = (method: string, path: string, body?: object) => front.ask(method, `/ops/api${path}`, cookie, body)
  return {
    front,
    store,
    tokenStore,
    cookie,
    document: (await ask('GET', '/openapi.json')).json<ServedDocument>(),
    send: ask,
    signInBob: () => front.bearerOf(people.bob),
    async lockCarol() {
      for (let attempt = 0; attempt < 3; attempt++) await front.call('GET', '/management/login', [basic('carol', 'x')])
    },
  }
}

const cases: readonly Case<ConsoleStage>[] = [
  ...operatorCases,
  ['getConsole', 200, send('GET', '/')],
  ['getLoginPage', 200, ({ front }) => front.call('GET', '/ops/login', navigation)],
  ['getLoginPage', 303, ({ front, cookie }) => front.call('GET', '/ops/login', [...navigation, cookie])],
  ['getSessionStatus', 200, ({ front, cookie }) => front.ask('GET', '/ops/session', cookie)],
  ['keepSession', 200, ({ front, cookie }) => front.ask('POST', '/ops/session', cookie)],
  ['getLogoutPage', 200, ({ front }) => front.call('GET', '/ops/logout', navigation)],
  ['signOut', 204, ({ front, cookie }) => front.ask('POST', '/ops/logout', cookie)],
  ['signOut', 303, ({ front, cookie }) => front.call('POST', '/ops/logout', [...ownForm, cookie])],
]

describe("the answers of the operators' page", () => {
  it.each(cases.map((row) => [row[0], row[1], row] as const))('are as documented: %s %i', async (id, status, row) => {
    const stage = await startStage()
    const answer = await row[2](stage)
    expect(answer.status, answer.body).toBe(status)
    new AnswerChecks(stage.document).check(id, answer)
    expect(stage.front.behind).toEqual([])
  })

  it('are as documented for a caller without a session, with two, of another site, or whom the store does not know', async () => {
    const stage = await startStage()
    const { front, cookie } = stage
    const checks = new AnswerChecks(stage.document)
    const own = [...ownScript, `Origin: ${origin}`, acceptJson]
    async function ask(operation: FoundOperation, status: number, headers: readonly string[]): Promise<void> {
      const answer = await front.call(operation.method, `/ops${examplePath(operation)}`, headers)
      expect(answer.status, `${operation.operationId} ${answer.body}`).toBe(status)
      checks.check(operation.operationId, answer)
    }
    const operations = operationsOf(stage.document).filter(({ path }) => path.startsWith('/api/'))
    for (const operation of operations) {
      await ask(operation, 401, own)
      await ask(operation, 400, [...own, cookie, cookie])
      await ask(operation, 403, ['Sec-Fetch-Site: cross-site', acceptJson, cookie])
    }
    stage.tokenStore.isBroken = true
    for (const operation of operations) await ask(operation, 503, [...own, cookie])
    expect(operations.length).toBeGreaterThan(20)
  })

  it('are as documented for an address that may not know of it', async () => {
    const { document: served } = await startStage()
    const checks = new AnswerChecks(served)
    const root = { ...enabled, admin_console: { control_access: { enable: true, allow: ['10.0.0.0/8'] } } }
    const front = await startConsole({ source: document({ root }) })
    for (const operation of operationsOf(served)) {
      const answer = await front.call(operation.method, `/ops${examplePath(operation)}`, [acceptJson])
      expect(answer.status, operation.operationId).toBe(404)
      checks.check(operation.operationId, answer)
    }
  })

  it('are documented for every route of operators', async () => {
    const { document: served } = await startStage()
    const documented = operationsOf(served).map(({ method, path }) => `${method} ${path}`)
    for (const { method, path } of operatorRoutes) {
      const template = path
        .replace(/\?.*$/, '')
        .replace(/^\/sessions\/.+/, '/sessions/{id}')
        .replace(/^\/(users)\/[^/]+/, '/$1/{id}')
        .replace(/^\/(roles|service-providers)\/[^/]+/, '/$1/{name}')
      expect(documented).toContain(`${method} /api${template}`)
    }
  })

  it('are events in a stream as well', async () => {
    const stage = await startStage()
    const stream = await openStream(stage.front.port, '/ops/api/events?after=0', [stage.cookie])
    await stage.lockCarol()
    await expect.poll(() => stream.entries().length).toBeGreaterThan(2)
    const checks = new AnswerChecks(stage.document)
    for (const entry of stream.entries())
      expect(checks.errorsOf({ $ref: '#/components/schemas/Event' }, entry)).toEqual([])
  })
})

describe("the document of the operators' page", () => {
  it('has nothing that changes users where they cannot be changed', async () => {
    const front = await startConsole()
    const cookie = await front.cookieOf()
    const served = (await front.ask('GET', '/ops/api/openapi.json', cookie)).json<ServedDocument>()
    expect(served.servers).toEqual([{ url: '/ops' }])
    const ofUsers = operationsOf(served).filter(({ path }) => /^\/api\/(?:users|roles)/.test(path))
    expect(ofUsers.map(({ operationId }) => operationId)).toEqual([
      'endSessionsOfOneUser',
      'listUsers',
      'getUser',
      'listRoles',
      'getRole',
    ])
    const checks = new AnswerChecks(served)
    for (const [id, path] of [
      ['listUsers', '/users'],
      ['getUser', '/users/reader'],
      ['listRoles', '/roles'],
      ['getRole', '/roles/viewer'],
    ] as const) {
      checks.check(id, await front.ask('GET', `/ops/api${path}`, cookie))
    }
  })
})
