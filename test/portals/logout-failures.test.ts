import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { StoreError } from '../../lib/core/errors.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import { createSessions } from '../../lib/tokens/sessions.js'
import type { TokenStore } from '../../lib/tokens/token-store.js'
import { document } from '../helpers/front.js'
import { MemoryUserStore } from '../helpers/memory-user-store.js'
import { navigation, origin, ownForm, type PortalFront, startPortals } from './portal-front.js'

const cleared = '__Host-sallyport-publisher=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure'

/** A store of which one method does something else from `breakDown` on. */
function storeWithout(method: keyof TokenStore, instead: () => unknown) {
  const memory = new MemoryTokenStore()
  let isBroken = false
  let noteCall = (): void => {}
  const called = new Promise<void>((resolve) => {
    noteCall = resolve
  })
  const tokenStore = new Proxy<TokenStore>(memory, {
    get(target, name) {
      const own = (target[name as keyof TokenStore] as (...values: unknown[]) => unknown).bind(target)
      return (...values: unknown[]) => {
        if (!isBroken || name !== method) return own(...values)
        noteCall()
        return instead()
      }
    },
  })
  const breakDown = (): void => {
    isBroken = true
  }
  const repair = (): void => {
    isBroken = false
  }
  return { tokenStore, breakDown, repair, called, memory }
}

const hang = (): Promise<never> => new Promise(() => {})

// Covers: D06
describe('a logout while a store hangs', () => {
  // Time is moved by hand; sockets have timers of their own.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => vi.useRealTimers())

  it('ends the session although the token store never says whose it was', async () => {
    const { tokenStore, breakDown, memory } = storeWithout('find', hang)
    const front = await startPortals({ options: { tokenStore } })
    const cookie = await front.cookieOf('/publisher')
    breakDown()
    const answer = await front.call('POST', '/publisher/logout', [...ownForm, cookie])
    expect([answer.status, answer.header('set-cookie')]).toEqual([303, cleared])
    expect(memory.size).toBe(0)
  })

  it('ends the session although the user store never says whether the user is still there', async () => {
    const userStore = new MemoryUserStore({ users: { admin: { password: 'Correct-horse-1', roles: ['admin'] } } })
    let now = Date.UTC(2026, 0, 1)
    const front = await startPortals({ options: { userStore, clock: () => now } })
    const cookie = await front.cookieOf('/publisher', { name: 'admin', password: 'Correct-horse-1' })
    now += 61_000
    userStore.find = hang
    const answer = await front.call('POST', '/publisher/logout', [...ownForm, cookie])
    expect([answer.status, answer.header('set-cookie')]).toEqual([303, cleared])
    expect(await front.security.tokens.list()).toEqual([])
    expect(front.events.at(-1)).toMatchObject({ name: 'logout', subject: 'admin' })
  })

  it('clears the cookie, and answers after five seconds that the session may live on', async () => {
    const { tokenStore, breakDown, called } = storeWithout('remove', hang)
    const front = await startPortals({ options: { tokenStore } })
    const cookie = await front.cookieOf('/publisher')
    breakDown()
    const answering = front.call('POST', '/publisher/logout', [...ownForm, cookie])
    await called
    await vi.advanceTimersByTimeAsync(5000)
    const answer = await answering
    expect([answer.status, answer.header('set-cookie')]).toEqual([503, cleared])
    expect(front.events.at(-1)).toMatchObject({
      name: 'refusal',
      code: 'ERR_STORE_UNAVAILABLE',
      cause: { message: 'no answer within 5000 ms' },
    })
  })
})

// Covers: C07 D06
describe('a logout that the token store cannot take', () => {
  it.each([
    ['rejects', (): unknown => Promise.reject(new StoreError('gone'))],
    [
      'throws',
      (): unknown => {
        throw new StoreError('gone')
      },
    ],
  ])('clears the cookie and says so, where the store %s', async (_how, instead) => {
    const { tokenStore, breakDown, repair } = storeWithout('remove', instead)
    const front = await startPortals({ options: { tokenStore } })
    const cookie = await front.cookieOf('/publisher')
    breakDown()
    const page = await front.call('POST', '/publisher/logout', [...ownForm, cookie])
    // A retry would have no cookie, and would be told that all is well.
    expect([page.status, page.header('retry-after'), page.header('set-cookie')]).toEqual([503, undefined, cleared])
    expect(page.body).toContain('signed out of this browser')
    const answer = await front.call('POST', '/publisher/logout', [`Origin: ${origin}`, cookie])
    expect([answer.status, answer.header('set-cookie')]).toEqual([503, cleared])
    expect(answer.json()['code']).toBe('ERR_STORE_UNAVAILABLE')
    expect(front.events.map(({ name }) => name)).toEqual(['login', 'refusal', 'refusal'])

    // Whoever has a copy gets nowhere here, and has the end that is owed tried again.
    const before = await front.call('GET', '/publisher/', [...navigation, cookie])
    expect([before.status, before.header('location')]).toEqual([303, expect.stringContaining('/publisher/login')])
    expect(await front.security.tokens.list()).toHaveLength(1)
    repair()
    expect((await front.call('GET', '/publisher/', [...navigation, cookie])).status).toBe(303)
    expect(await front.security.tokens.list()).toEqual([])
    expect((await front.call('GET', '/publisher/', [...navigation, cookie])).status).toBe(303)
  })

  it.each([
    ['the same portal is mounted twice', async () => {}],
    ['the configuration is read again', (front: PortalFront) => front.security.reload(document())],
  ])('and takes the session nowhere, though %s', async (_what, meanwhile) => {
    const { tokenStore, breakDown, repair } = storeWithout('remove', () => Promise.reject(new StoreError('gone')))
    const front = await startPortals({ options: { tokenStore } })
    const again = (path: string) =>
      front.app.use(path, front.security.portal('publisher'), (_request, response) => void response.json({}))
    again('/mounted-before')
    const cookie = await front.cookieOf('/publisher')
    breakDown()
    expect((await front.call('POST', '/publisher/logout', [...ownForm, cookie])).status).toBe(503)
    await meanwhile(front)
    again('/mounted-after')
    for (const isRepaired of [false, true]) {
      if (isRepaired) repair()
      for (const path of ['/publisher/', '/mounted-before/', '/mounted-after/']) {
        expect((await front.call('GET', path, [cookie])).status, path).toBe(401)
      }
    }
    expect(await front.security.tokens.list()).toEqual([])
    expect(front.handled).toEqual([])
  })

  it('and takes the session nowhere where parts are made by hand over the same store', async () => {
    const { tokenStore, breakDown } = storeWithout('remove', () => Promise.reject(new StoreError('gone')))
    const make = () =>
      createSessions({ store: tokenStore, portal: 'shop', idleTimeoutMs: 60_000, absoluteTimeoutMs: 60_000 })
    const [one, other] = [make(), make()]
    const { credential, id } = await one.start({ subject: 'alice', roles: [], isAdmin: false, version: '1' })
    breakDown()
    await expect(one.end(id)).rejects.toThrow(StoreError)
    for (const sessions of [one, other, make()]) {
      expect(() => sessions.verify(credential, true)).toThrow('The session has ended')
    }
  })

  it('ends ours, when a neighbour has set a second cookie of the name', async () => {
    const front = await startPortals()
    const cookie = await front.cookieOf('/publisher')
    const planted = `${cookie}; ${cookie.slice('Cookie: '.length).replace(/=.*/, '=planted')}`
    const answer = await front.call('POST', '/publisher/logout', [...ownForm, planted])
    expect([answer.status, answer.header('set-cookie')]).toEqual([303, cleared])
    expect(await front.security.tokens.list()).toEqual([])
  })

  it('keeps quiet about the fault of a store', async () => {
    const { tokenStore, breakDown } = storeWithout('remove', () => {
      throw new TypeError('a private reason')
    })
    const front = await startPortals({ options: { tokenStore } })
    const cookie = await front.cookieOf('/publisher')
    breakDown()
    const answer = await front.call('POST', '/publisher/logout', [...ownForm, cookie])
    expect([answer.status, answer.header('set-cookie')]).toEqual([503, cleared])
    expect(answer.body).not.toContain('a private reason')
  })
})
