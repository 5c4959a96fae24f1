import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBreakGlass } from '../../../lib/users/login/break-glass.js'
import { hashPassword } from '../../../lib/users/passwords/password-hash.js'
import type { UserStore } from '../../../lib/users/user-store.js'

const password = 'Break-the-glass-1'
const context = { address: '127.0.0.1', origin: undefined }
let passwordHash: string

beforeAll(async () => {
  passwordHash = await hashPassword(password)
})

/** A store that never answers and takes no notice of its signal. */
const deaf: UserStore = { authenticate: () => new Promise(() => {}), find: () => new Promise(() => {}), close() {} }

describe('a primary store that hangs', () => {
  let now = 0

  // Timers are moved by hand; the hash of a password is computed on threads, which go on.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => vi.useRealTimers())

  const breakGlassOn = (primary: UserStore) =>
    createBreakGlass({
      userName: 'emergency',
      passwordHash,
      allowedNetworks: ['127.0.0.1'],
      primary,
      clock: () => now,
    })

  it.each([
    ['a login', (users: UserStore) => users.authenticate('alice', 'a-password')],
    ['a look-up', async (users: UserStore) => users.find('alice')],
  ])('counts as unreachable from the begin of %s', async (_what, call) => {
    now = 0
    const breakGlass = await breakGlassOn(deaf)
    const waiting = expect(call(breakGlass.primary)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    await vi.advanceTimersByTimeAsync(19_999)
    now = 30_000
    expect(await breakGlass.authenticate('emergency', password, context)).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    await waiting
    now = 29_999
    expect(await breakGlass.authenticate('emergency', password, context)).toBeUndefined()
    now = 30_000
    expect(await breakGlass.authenticate('emergency', password, context)).toMatchObject({
      account: { subject: 'BREAK-GLASS/emergency', isAdmin: true },
    })
  })

  it('says nothing when the client has gone before it could answer', async () => {
    now = 0
    const breakGlass = await breakGlassOn(deaf)
    const gone = new AbortController()
    const waiting = breakGlass.primary.authenticate('alice', 'a-password', gone.signal)
    gone.abort(new Error('gone'))
    await expect(waiting).rejects.toThrow('gone')
    now = 30_000
    expect(await breakGlass.authenticate('emergency', password, context)).toBeUndefined()
  })

  it('is told by its signal that nobody waits any more', async () => {
    const signals: (AbortSignal | undefined)[] = []
    const store: UserStore = {
      ...deaf,
      find: (_name, signal) => {
        signals.push(signal)
        return new Promise(() => {})
      },
    }
    const { primary } = await breakGlassOn(store)
    const waiting = Promise.resolve(primary.find('alice')).catch(() => {})
    await vi.advanceTimersByTimeAsync(20_000)
    await waiting
    expect(signals.map((signal) => signal?.aborted)).toEqual([true])
  })
})
