import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Caller } from '../../lib/admin-api/resource.js'
import { createUserAdministration, type UserAdministration } from '../../lib/admin-api/user-administration.js'
import { reportUserChanges } from '../../lib/admin-api/user-changes.js'
import { StoreError } from '../../lib/core/errors.js'
import { createAuthCore, createKeyRing } from '../../lib/middleware.js'
import { MemoryUserStore } from '../helpers/memory-user-store.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { deferred } from '../users/deferred.js'

const keys = createKeyRing({ algorithm: 'ES256' })
const caller = { auth: { subject: 'root', roles: ['admin'], isAdmin: true }, address: '127.0.0.1' } as unknown as Caller

async function setUp() {
  const store = new MemoryUserStore({
    users: {
      root: { password: 'root-password', roles: ['admin'] },
      carol: { password: 'carol-password', roles: [] },
      bob: { password: 'bob-password', roles: [] },
    },
    roles: ['viewers'],
  })
  const { logger } = recordedLog()
  const core = await createAuthCore({ users: store, keys: await keys, throttle: false, logger })
  const revokeUser = vi.spyOn(core.tokens, 'revokeUser')
  return { store, revokeUser, users: createUserAdministration({ ...core, store: reportUserChanges(store, core) }) }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
})

const changes: readonly (readonly [
  'remove' | 'setDisabled' | 'changeRoles',
  (users: UserAdministration) => Promise<void>,
])[] = [
  ['remove', (users) => users.remove(caller, 'carol')],
  ['setDisabled', (users) => users.setDisabled(caller, 'carol', true)],
  ['changeRoles', (users) => users.changeRoles(caller, 'carol', { added: ['viewers'], removed: [] })],
]

describe.each(changes)('a store that gives no answer, at %s', (method, change) => {
  it('holds up the next change for a while only, and the user loses tokens', async () => {
    const { store, users, revokeUser } = await setUp()
    const held = vi.spyOn(store, method).mockReturnValueOnce(deferred().promise)
    const first = change(users).catch((error: unknown) => error)
    const next = users.remove(caller, 'bob')
    await vi.waitFor(() => expect(held).toHaveBeenCalled())
    await vi.advanceTimersByTimeAsync(20_000)
    expect(await first).toBeInstanceOf(StoreError)
    await next
    expect(held.mock.calls.length).toBe(method === 'remove' ? 2 : 1)
    expect(revokeUser.mock.calls.map(([subject]) => subject)).toEqual(['carol', 'bob'])
  })

  it('changes nothing when it comes back to life after that', async () => {
    const { store, users } = await setUp()
    const { promise, resolve } = deferred<Awaited<ReturnType<MemoryUserStore['find']>>>()
    const answer = await store.find('carol')
    vi.spyOn(store, 'find').mockImplementation((name) =>
      name === 'carol' ? promise : MemoryUserStore.prototype.find.call(store, name),
    )
    const write = vi.spyOn(store, method)
    const first = change(users).catch((error: unknown) => error)
    await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1))
    await vi.advanceTimersByTimeAsync(20_000)
    expect(await first).toBeInstanceOf(StoreError)
    resolve(answer)
    await vi.advanceTimersByTimeAsync(0)
    await new Promise(setImmediate)
    expect(write).not.toHaveBeenCalled()
  })
})
