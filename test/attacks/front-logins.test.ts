import { availableParallelism } from 'node:os'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createSecurity } from '../../lib/app/create-security.js'
import { ConfigError } from '../../lib/core/errors.js'
import { userStoreChain } from '../../lib/users/chain.js'
import type { AuthenticationFailure, UserStore } from '../../lib/users/user-store.js'
import { basic, bearer, document, type Front, fileUser, startFront, users } from '../helpers/front.js'
import { MemoryUserStore } from '../helpers/memory-user-store.js'
import { listen } from '../helpers/raw-exchange.js'
import { requestBytes, sendRaw } from '../helpers/raw-http.js'
import { recordedLog, secret } from '../helpers/recorded-log.js'
import { oneSetUp, type SetUp, twoSetUps } from '../helpers/set-ups.js'

/** Every password that was hashed, and how many at the same time. */
const hashing = vi.hoisted(() => ({ count: 0, running: 0, most: 0 }))
vi.mock('@node-rs/argon2', async (importOriginal) => {
  const original = await importOriginal<typeof import('@node-rs/argon2')>()
  return {
    ...original,
    async verify(...values: Parameters<typeof original.verify>) {
      hashing.count++
      hashing.running++
      hashing.most = Math.max(hashing.most, hashing.running)
      try {
        return await original.verify(...values)
      } finally {
        hashing.running--
      }
    },
  }
})

const { hashPassword } = await import('../../lib/users/passwords/password-hash.js')
const [adminHash, readerHash] = await Promise.all([
  hashPassword(users.admin.password),
  hashPassword(users.reader.password),
])
const hashed = [
  fileUser(users.admin.name, adminHash, { is_admin: true }),
  fileUser(users.reader.name, readerHash),
  fileUser('plain', 'Plain-text-word-4'),
]

beforeEach(() => Object.assign(hashing, { count: 0, running: 0, most: 0 }))

/** The ways to a login: a request with a name and a password, which is answered with 200 when both are right. */
const waysIn = [
  { name: '/login', path: '/login', managementApi: {}, jwt: {} },
  {
    name: 'Basic on every resource',
    path: '/whoami',
    managementApi: { basic_security_handler: { enable: true } },
    jwt: { enable: false },
  },
] as const
type WayIn = (typeof waysIn)[number]

async function startWayIn(setUp: SetUp, { managementApi, jwt }: WayIn, more = {}): Promise<Front> {
  const source = document({ managementApi: { ...managementApi, ...more }, jwt, internalApis: { users: hashed } })
  const front = await startFront(setUp, { source })
  // The start has tried whether the password of the administrator is a well-known one.
  hashing.count = 0
  return front
}

/** Neither how a password is checked nor how long that takes depends on Express or the server. */
const cases = twoSetUps.map((setUp, index) => ({ ...setUp, way: waysIn[index]!, on: setUp.name }))

describe.each(cases)('a login by $way.name on $on', ({ way, ...setUp }) => {
  // Covers: A10
  it('is refused in the same words, and after one password hash, whatever is wrong', async () => {
    const front = await startWayIn(setUp as SetUp, way)
    const shapes = []
    for (const name of [users.admin.name, 'nobody', 'plain', 'x'.repeat(200)]) {
      hashing.count = 0
      const { statusLine, headerLines, body } = await front.call('GET', way.path, [basic(name, 'a-wrong-password')])
      shapes.push({ statusLine, headerLines: headerLines.filter((line) => !line.startsWith('Date')), body })
      expect(hashing.count, name).toBe(1)
    }
    expect(shapes[0]?.statusLine).toBe('HTTP/1.1 401 Unauthorized')
    for (const shape of shapes) expect(shape).toEqual(shapes[0])
    expect(front.handled).toEqual([])
  })

  // Covers: A12
  it('is throttled and told in the log like any other', async () => {
    const front = await startWayIn(setUp as SetUp, way, { login_throttle: { max_failures: 2 } })
    const statuses = []
    for (const password of ['a-wrong-password', 'a-wrong-password', users.reader.password]) {
      statuses.push((await front.call('GET', way.path, [basic(users.reader.name, password)])).status)
    }
    expect(statuses).toEqual([401, 401, 429])
    expect(front.events.map((event) => [event.name, 'reason' in event ? event.reason : undefined])).toEqual([
      ['loginRefused', 'wrong-password'],
      ['loginRefused', 'wrong-password'],
      ['loginRefused', 'throttled'],
    ])
    expect((await front.call('GET', way.path, [basic(users.admin.name, users.admin.password)])).status).toBe(200)
  })

  // Covers: A12
  it('has one limit for all names of a user of a chain of stores', async () => {
    const members = ['PRIMARY', 'CORP'].map((domain) => {
      const word = secret(`Right-for-${domain}-6`)
      const store = new MemoryUserStore({
        domain,
        users: { [domain === 'CORP' ? 'alice' : 'root']: { password: word, roles: [] } },
      })
      return { domain, store }
    })
    const source = document({ managementApi: { ...way.managementApi }, jwt: way.jwt })
    const front = await startFront(setUp as SetUp, { source, options: { userStore: userStoreChain(members) } })
    const statusOf = async (name: string, password: string) =>
      (await front.call('GET', way.path, [basic(name, password)])).status

    for (const name of ['alice', 'CORP/alice', 'corp/ALICE', 'Alice', 'PRIMARY/alice', 'CORP/Alice']) {
      expect(await statusOf(name, 'a-wrong-password'), name).toBe(401)
    }
    for (const name of ['alice', 'CORP/alice', 'Corp/alice']) {
      expect(await statusOf(name, 'Right-for-CORP-6'), name).toBe(401)
    }
    expect(await statusOf('root', 'Right-for-PRIMARY-6')).toBe(200)
    const reasons = front.events.flatMap((event) => (event.name === 'loginRefused' ? event.reason : []))
    expect(new Set(reasons)).toEqual(new Set(['wrong-password', 'unknown-user', 'throttled']))
  })

  // Covers: A15
  it('with a password or a name too long for anybody costs no hash', async () => {
    const front = await startWayIn(setUp as SetUp, way)
    for (const [name, password] of [
      [users.admin.name, 'p'.repeat(1025)],
      ['n'.repeat(256), users.admin.password],
      [users.admin.name, ''],
    ] as const) {
      expect((await front.call('GET', way.path, [basic(name, password)])).status).toBe(401)
    }
    expect(hashing.count).toBe(0)
  })

  // Covers: A15
  it('comes with 149 others: a few are hashed at a time, and who finds the queue full is told so', async () => {
    const front = await startWayIn(setUp as SetUp, way)
    const answers = await Promise.all(
      Array.from({ length: 150 }, (_, index) =>
        front.call('GET', way.path, [basic(`user-${index}`, 'a-wrong-password')]),
      ),
    )
    const overloaded = answers.filter(({ status }) => status === 503)
    expect(answers.filter(({ status }) => status !== 401 && status !== 503)).toEqual([])
    for (const answer of overloaded) {
      expect(answer.json()).toMatchObject({ code: 'ERR_LOGIN_OVERLOADED' })
      expect(Number(answer.header('retry-after'))).toBeGreaterThan(0)
    }
    expect(hashing.most).toBeLessThanOrEqual(Math.max(1, availableParallelism() - 1))
    expect(hashing.count).toBe(150 - overloaded.length)
  })
})

describe('a remembered Basic login', () => {
  // Covers: A17
  it('is found by the whole of name and password: another tail is another login', async () => {
    const name = 'n'.repeat(200)
    const password = `${'p'.repeat(100)}-right`
    const source = document({
      managementApi: { basic_security_handler: { enable: true } },
      jwt: { enable: false },
      internalApis: { users: [fileUser(name, password)] },
    })
    const front = await startFront(oneSetUp, { source })
    const statusOf = async (user: string, word: string) =>
      (await front.call('GET', '/whoami', [basic(user, word)])).status
    expect(await statusOf(name, password)).toBe(200)
    expect(await statusOf(name, password)).toBe(200)
    for (const [user, word] of [
      [name, `${'p'.repeat(100)}-wrong`],
      [name, `${password}x`],
      [`${name}x`, password],
      [name.slice(1), `n:${password}`],
    ] as const) {
      expect(await statusOf(user, word)).toBe(401)
    }
    expect(front.handled).toHaveLength(2)
  })
})

describe('a login of a user store', () => {
  // Covers: A10
  it.each<AuthenticationFailure>(['unknown-user', 'wrong-password', 'disabled'])(
    'that is refused as %s looks like any other',
    async (failure) => {
      const userStore: UserStore = { authenticate: async () => ({ failure }), find: () => undefined, close() {} }
      const front = await startFront(oneSetUp, { options: { userStore } })
      const { status, body, headerLines } = await front.call('GET', '/login', [
        basic('somebody', 'a-wrong-password'),
        'Accept: application/json',
      ])
      expect(status).toBe(401)
      expect(JSON.parse(body)).toEqual({
        Error: 'Invalid user name or password.',
        code: 'ERR_AUTH_INVALID_CREDENTIALS',
      })
      expect(headerLines.filter((line) => line.startsWith('WWW-Authenticate'))).toEqual([
        'WWW-Authenticate: Basic realm="Sallyport", charset="UTF-8"',
      ])
      expect(front.events).toMatchObject([{ name: 'loginRefused', reason: failure }])
    },
  )
})

describe('secrets', () => {
  afterEach(() => vi.restoreAllMocks())

  // Covers: A16
  it('are found nowhere but where they were sent: not in logs, events, other answers, errors or the process title', async () => {
    const { logger, lines, entries } = recordedLog()
    const written: string[] = []
    const note = (text: unknown): boolean => {
      written.push(String(text))
      return true
    }
    vi.spyOn(process.stderr, 'write').mockImplementation(note)
    vi.spyOn(process.stdout, 'write').mockImplementation(note)
    const source = document({ internalApis: { users: hashed } })
    const security = await createSecurity(source, { logger })
    const events: unknown[] = []
    for (const name of ['login', 'loginRefused', 'logout', 'refusal', 'eviction', 'revocation'] as const) {
      security.events.on(name, (event: unknown) => void events.push(event))
    }
    const app = oneSetUp.express()
    app.use('/management', security.managementApi(), (_request, _response, next) => next(new Error('of the app')))
    app.use(
      ((_error, _request, response, _next) => void response.sendStatus(500)) as import('express').ErrorRequestHandler,
    )
    const server = security.createServer(app)
    const port = await listen(server)
    onTestFinished(async () => {
      server.close()
      await security.close()
    })
    const call = (path: string, line: string) => sendRaw(port, requestBytes('GET', `/management${path}`, [line]))

    const wrong = 'a-wrong-pass-w0rd'
    const login = await call('/login', basic(users.admin.name, users.admin.password))
    const token = login.json<{ AccessToken: string }>().AccessToken
    const answers = [
      await call('/login', basic(users.admin.name, wrong)),
      await call(`/login?password=${wrong}`, basic('nobody', wrong)),
      await call(`/apis?access_token=${token}`, bearer(token)),
      await call(`/apis?secret=${wrong}`, bearer(`${token}x`)),
      await call('/apis', bearer(token)),
      await call('/logout', bearer(token)),
    ]
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 400, 401, 500, 200])
    const secrets = [users.admin.password, wrong, token, token.split('.')[2]!, adminHash, 'Plain-text-word-4']
    const encoded = secrets.map((text) => Buffer.from(`${users.admin.name}:${text}`).toString('base64'))
    const seen = [
      lines.join(''),
      inspect([entries, events, await security.tokens.list()], { depth: 10 }),
      answers.map(({ headerLines, body }) => [...headerLines, body].join('\n')).join('\n'),
      written.join(''),
      process.title,
      process.argv.join(' '),
    ].join('\n')
    expect([...secrets, ...encoded].filter((text) => seen.includes(text))).toEqual([])
    expect(entries.length).toBeGreaterThanOrEqual(5)
  })

  // Covers: A16
  it('of a configuration with mistakes are not in the error', async () => {
    const secretWord = 'The-operators-word-5'
    const source = document({
      managementApi: { public_paths: secretWord, cors: { allowed_origins: 'https://a.example' } },
      internalApis: {
        users: [
          fileUser('', secretWord),
          fileUser('twice', secretWord),
          fileUser('twice', secretWord),
          { user: { name: 'x', passwort: secretWord } },
          { user: { name: 'y', password: [secretWord] } },
        ],
      },
    })
    const failure: unknown = await createSecurity(source, { logger: recordedLog().logger }).catch((error) => error)
    expect(failure).toBeInstanceOf(ConfigError)
    const problems = (failure as ConfigError).problems.filter(({ key }) => key.startsWith('internal_apis'))
    expect(problems.length).toBeGreaterThan(0)
    expect(inspect(problems)).not.toContain(secretWord)
  })
})
