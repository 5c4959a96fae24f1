import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import type { TokenStore } from '../../lib/tokens/token-store.js'
import type { UserAccount, UserStore } from '../../lib/users/user-store.js'
import { basic, bearer, type Front, startFront, users } from '../helpers/front.js'
import { requestBytes } from '../helpers/raw-http.js'
import { twoSetUps } from '../helpers/set-ups.js'

type Way = 'throws' | 'rejects' | 'never answers'
const ways: readonly Way[] = ['throws', 'rejects', 'never answers']

const start = Date.parse('2026-03-01T12:00:00Z')

/** One method of a store, which goes wrong while it is told to; calls that get no answer can be released. */
class Trouble {
  way: Way | undefined
  /** Called with each call that gets no answer. */
  onStuck = (): void => {}
  #stuck: (() => void)[] = []

  run<T>(work: () => T): T | Promise<T> {
    switch (this.way) {
      case undefined:
        return work()
      case 'throws':
        throw new TypeError('a bug of a driver')
      case 'rejects':
        return Promise.reject(new TypeError('a bug of a driver'))
      case 'never answers':
        return new Promise((resolve, reject) => {
          this.#stuck.push(() => Promise.resolve().then(work).then(resolve, reject))
          this.onStuck()
        })
    }
  }

  /** Lets the calls go on that got no answer, and the next ones. */
  release(): void {
    this.way = undefined
    for (const goOn of this.#stuck.splice(0)) goOn()
  }
}

function troubled<T extends object>(store: T, method: keyof T, trouble: Trouble): T {
  return new Proxy(store, {
    get(_target, name) {
      const own = store[name as keyof T]
      if (typeof own !== 'function') return own
      const bound = own.bind(store)
      return name === method ? (...values: unknown[]) => trouble.run(() => bound(...values)) : bound
    },
  })
}

const account: UserAccount = { subject: users.admin.name, roles: ['admin'], isAdmin: true, version: '1' }
const userStore = (): UserStore => ({ authenticate: async () => ({ account }), find: async () => account, close() {} })

/** Each method of a store that a request can meet, and a request that meets it. */
const methods = [
  { of: 'tokens', method: 'find', request: 'GET /apis' },
  { of: 'tokens', method: 'touch', request: 'GET /apis' },
  { of: 'tokens', method: 'add', request: 'GET /login' },
  { of: 'tokens', method: 'remove', request: 'GET /logout' },
  { of: 'users', method: 'authenticate', request: 'GET /login' },
  { of: 'users', method: 'find', request: 'GET /apis' },
] as const
type Method = (typeof methods)[number]

interface Troubled {
  readonly front: Front
  readonly trouble: Trouble
  /** The bytes of the request that meets the method. */
  readonly bytes: string
}

/** A front that a good token was issued by, and whose rights are due to be read again at the next request. */
async function startTroubled(setUp: (typeof twoSetUps)[number], { of, method, request }: Method): Promise<Troubled> {
  const trouble = new Trouble()
  let now = start
  const tokenStore: TokenStore = new MemoryTokenStore({ clock: () => now })
  const options = {
    clock: () => now,
    tokenStore: of === 'tokens' ? troubled(tokenStore, method as keyof TokenStore, trouble) : tokenStore,
    userStore: of === 'users' ? troubled(userStore(), method as keyof UserStore, trouble) : userStore(),
  }
  const front = await startFront(setUp, { options })
  const token = await front.login()
  now += 61_000
  const [verb, path] = request.split(' ') as [string, string]
  const credential = path === '/login' ? basic(users.admin.name, users.admin.password) : bearer(token)
  return { front, trouble, bytes: requestBytes(verb, `/management${path}`, [credential]) }
}

describe.each(twoSetUps)('while a store is in trouble, on $name,', (setUp) => {
  // Covers: E09 K01
  it.each(methods.flatMap((one) => ways.map((way) => ({ ...one, way }))))(
    '$request reaches no route when $method of the $of $way',
    async ({ way, ...one }) => {
      const { front, trouble, bytes } = await startTroubled(setUp, one)
      trouble.way = way
      const socket = connect(front.port, '127.0.0.1').on('error', () => {})
      const stuck = new Promise<void>((resolve) => {
        trouble.onStuck = resolve
      })
      socket.write(bytes)
      if (way === 'never answers') {
        await stuck
      } else {
        const [answer] = await once(socket.setEncoding('latin1'), 'data')
        expect(answer).toMatch(/^HTTP\/1\.1 (?:500|503) /)
        expect(answer).not.toMatch(/AccessToken|a bug of a driver|\n {4}at /)
      }
      expect(front.handled).toEqual([])
      expect(front.appErrors).toEqual([])
      // The client gives up; whatever was under way must not bring the process down.
      socket.resetAndDestroy()
      trouble.release()
      expect((await front.call('GET', '/jwks')).status).toBe(200)
      // A logout that was stuck has ended the token in the meantime; one that failed can be tried again.
      const isEnded = one.request === 'GET /logout' && way === 'never answers'
      expect((await front.send(bytes)).status, 'after the trouble').toBe(isEnded ? 401 : 200)
    },
  )

  // Covers: K07
  it.each(methods)('$request does not keep close() from ending when $method of the $of never answers', async (one) => {
    const { front, trouble, bytes } = await startTroubled(setUp, one)
    trouble.way = 'never answers'
    const stuck = new Promise<void>((resolve) => {
      trouble.onStuck = resolve
    })
    const socket = connect(front.port, '127.0.0.1').on('error', () => {})
    socket.write(bytes)
    await stuck
    await front.security.close()
    socket.destroy()
    trouble.release()
    expect(front.handled).toEqual([])
  })
})
