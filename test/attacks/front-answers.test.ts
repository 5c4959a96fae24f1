import { afterEach, describe, expect, it, vi } from 'vitest'
import { createChallenges } from '../../lib/http/challenge.js'
import { basicLogin, bearerAuthentication, errorResponses, logout } from '../../lib/middleware.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import type { TokenStore } from '../../lib/tokens/token-store.js'
import { basic, bearer, document, type Front, startFront, users } from '../helpers/front.js'
import type { RawAnswer } from '../helpers/raw-http.js'
import { type SetUp, serverSetUps } from '../helpers/set-ups.js'

/** A token store whose driver has a bug, for one token: the answer is a 503. */
class BuggyStore extends MemoryTokenStore {
  isBroken = false
  override find(id: string): ReturnType<MemoryTokenStore['find']> {
    if (this.isBroken) throw new TypeError('a bug in /app/driver.js')
    return super.find(id)
  }
}

const markup = '%3Cscript%3Ealert(1)%3C/script%3E'
const markupName = '<script>alert(2)</script>'

interface Asked {
  readonly what: string
  readonly answer: RawAnswer
  /** Whether a bearer token was sent, or a name and a password, or nothing. */
  readonly sent: 'token' | 'password' | 'nothing'
}

/** One request of each kind, to every path of ours and to one of the app's. */
async function askAll(setUp: SetUp, lines: readonly string[] = []): Promise<{ front: Front; asked: readonly Asked[] }> {
  const store = new BuggyStore()
  const tokenStore: TokenStore = store
  const front = await startFront(setUp, { options: { tokenStore } })
  const [admin, reader] = [await front.login(), await front.login(users.reader)]
  const asked: Asked[] = []
  const ask = async (sent: Asked['sent'], method: string, path: string, more: readonly string[] = []) => {
    const answer = await front.call(method, path, [...more, ...lines])
    asked.push({ what: `${method} ${path} with ${sent}, ${asked.length}`, answer, sent })
  }
  const paths = ['/login', '/logout', '/jwks', '/users', '/roles', '/configs', '/apis', `/${markup}`, '']
  for (const path of paths) {
    await ask('nothing', 'GET', path)
    await ask('token', 'GET', path, [bearer('no.good.token')])
    if (path !== '/logout') await ask('token', 'GET', path, [bearer(reader)])
    await ask('token', 'DELETE', path, [bearer(reader), bearer(reader)])
  }
  await ask('password', 'GET', '/login', [basic(users.admin.name, 'a-wrong-password')])
  await ask('password', 'GET', '/login', [basic(markupName, 'a-wrong-password')])
  await ask('password', 'GET', '/login', [basic(users.admin.name, users.admin.password)])
  await ask('nothing', 'PUT', '/login')
  await ask('token', 'GET', `/%zz${markup}`, [bearer(admin)])
  await ask('token', 'GET', `/users/${markup}`, [bearer(admin)])
  await ask('token', 'TRACE', '/apis', [bearer(admin)])
  await ask('token', 'GET', '/logout', [bearer(reader)])
  store.isBroken = true
  await ask('token', 'GET', '/apis', [bearer(admin)])
  store.isBroken = false
  for (const { body } of asked.map(({ answer }) => answer)) {
    if (body.includes('AccessToken')) bearer((JSON.parse(body) as { AccessToken: string }).AccessToken)
  }
  return { front, asked }
}

/** What is wrong with an answer of the front, whatever was asked. */
function mistakesIn({ answer, sent }: Asked): readonly string[] {
  const { status, body } = answer
  const challenge = answer.header('www-authenticate')
  const mistakes: string[] = []
  const demand = (holds: boolean, mistake: string): void => {
    if (!holds) mistakes.push(mistake)
  }
  const cacheControl = answer.header('content-type')?.includes('jwk-set') ? 'public, max-age=300' : 'no-store'
  demand(answer.header('cache-control') === cacheControl, `Cache-Control is ${answer.header('cache-control')}`)
  demand(status < 500 || status === 503, `status ${status}`)
  demand(status !== 401 || challenge !== undefined, '401 without a challenge')
  demand(status !== 405 || answer.header('allow') !== undefined, '405 without Allow')
  demand(sent !== 'nothing' || !challenge?.includes('error='), 'an error code though no credential was sent')
  demand(
    !challenge?.includes('Bearer') || !(sent === 'token' && status === 401) || challenge.includes('"invalid_token"'),
    `told ${challenge}`,
  )
  demand(!/<script|alert\(|\n\s+at |driver\.js|node_modules|a-wrong-password/i.test(body), 'the body tells too much')
  if (body === '') return mistakes
  demand(
    /^application\/(?:problem\+|jwk-set\+)?json; charset=utf-8$/.test(answer.header('content-type') ?? ''),
    'not JSON',
  )
  // What the app behind the front answers is the app's own.
  const isAppsOwn = status === 200 && body.includes('"auth"')
  demand(isAppsOwn || answer.header('x-content-type-options') === 'nosniff', 'no nosniff')
  return mistakes
}

describe.each(serverSetUps)('every answer on $name', (setUp) => {
  // Covers: A14 C04 C05 H05 H06
  it.each([[[]], [['Accept: application/json']], [['Accept: application/problem+json']], [['Accept: text/html']]])(
    'has the headers it must have and repeats nothing that was sent (%j)',
    async (lines) => {
      const { asked } = await askAll(setUp, lines)
      const mistakes = asked.flatMap((one) => mistakesIn(one).map((mistake) => `${one.what}: ${mistake}`))
      expect(mistakes).toEqual([])
      const statuses = new Set(asked.map(({ answer }) => answer.status))
      expect([...statuses].toSorted()).toEqual([200, 400, 401, 403, 405, 503])
    },
  )
})

describe.each(serverSetUps.filter(({ usesCreateServer }) => usesCreateServer))('every answer on $name', (setUp) => {
  afterEach(() => vi.unstubAllEnvs())

  // Covers: K02
  it('is the same whatever NODE_ENV is', async () => {
    const shapes = []
    for (const environment of [undefined, 'production']) {
      vi.stubEnv('NODE_ENV', environment)
      const { asked } = await askAll(setUp, ['Accept: application/json'])
      shapes.push(asked.map(({ what, answer }) => ({ what, ...shapeOf(answer) })))
    }
    expect(shapes[1]).toEqual(shapes[0])
  })
})

/** An answer without what differs from one to the next: tokens, keys, lengths that follow from them, and the date. */
function shapeOf({ status, headerLines, body }: RawAnswer) {
  const lines = headerLines.filter((line) => !/^(?:Date|ETag|Content-Length):/i.test(line))
  return { status, lines, body: /AccessToken|"keys"|"auth"/.test(body) ? '...' : body }
}

describe('a challenge', () => {
  // Covers: A14
  it('is refused at the start when its realm could end the header or the quotes', () => {
    for (const realm of ['a"b', 'a\\', 'a\r\nSet-Cookie: x=1', '', 'caf\u00e9']) {
      expect(() => createChallenges(realm)).toThrow(TypeError)
      expect(() => basicLogin({ realm } as never)).toThrow(TypeError)
      expect(() => bearerAuthentication({ realm } as never)).toThrow(TypeError)
      expect(() => logout({ realm } as never)).toThrow(TypeError)
    }
  })

  // Covers: H06
  it('with markup in its realm reaches no body', async () => {
    const front = await startFront(serverSetUps[0]!, {
      source: document(),
      prepare(app) {
        app.use('/by-hand', (request, response, next) => {
          bearerAuthentication({ realm: '<b>realm</b>' } as never)(request, response, next)
        })
        app.use('/by-hand', errorResponses())
      },
    })
    const answer = await front.send(
      'GET /by-hand HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nConnection: close\r\n\r\n',
    )
    expect(answer.status).toBe(401)
    expect(answer.header('www-authenticate')).toContain('realm="<b>realm</b>"')
    expect(answer.header('content-type')).toContain('application/json')
    expect(answer.body).not.toContain('<b>')
  })
})
