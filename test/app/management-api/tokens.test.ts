import { describe, expect, it } from 'vitest'
import { bearer, document, type Front, fileUser, startFront, users } from '../../helpers/front.js'
import { secret } from '../../helpers/recorded-log.js'
import { oneSetUp, pairSetUps, twoSetUps } from '../../helpers/set-ups.js'

/** As the requirements have it, numbers and flags in quotes. */
const tokenStoreValues = {
  enable: true,
  token_store_config: { max_size: '200', clean_up_interval: '600', remove_oldest_token_on_overflow: 'true' },
  token_config: { expiry: '3600', algorithm: 'ES256' },
}

const refusingStore = {
  ...tokenStoreValues,
  token_store_config: { ...tokenStoreValues.token_store_config, remove_oldest_token_on_overflow: 'false' },
}

/** 201 users, so that no user holds more than half of the store. */
const manyUsers = Array.from({ length: 201 }, (_, index) => fileUser(`user${index}`, `password-${index}`))

function documentWith(jwt: Record<string, unknown>): object {
  return document({ jwt, internalApis: { users: manyUsers } })
}

/** A clock that tests put forward. */
function clockAt(now: number): { now: number; read: () => number } {
  const clock = { now, read: () => clock.now }
  return clock
}

/** Issues a token to each of the first 200 users, a second after the other. */
async function fill(front: Front, clock: { now: number }): Promise<string[]> {
  const tokens: string[] = []
  for (let index = 0; index < 200; index++) {
    clock.now += 1000
    const account = await front.security.users.find(`user${index}`)
    tokens.push(secret((await front.security.tokens.issue(account!)).token))
  }
  return tokens
}

async function statusesOf(front: Front, tokens: readonly string[]): Promise<number[]> {
  const statuses: number[] = []
  for (const token of tokens) statuses.push((await front.call('GET', '/whoami', [bearer(token)])).status)
  return statuses
}

// Covers: C12
describe.each(twoSetUps)('a full store of 200 tokens on $name', (setUp) => {
  it('puts out the token that was used longest ago at the 201st login, and no other', async () => {
    const clock = clockAt(Date.parse('2026-03-01T12:00:00Z'))
    const front = await startFront(setUp, { source: documentWith(tokenStoreValues), options: { clock: clock.read } })
    const tokens = await fill(front, clock)
    clock.now += 1000
    expect((await front.call('GET', '/whoami', [bearer(tokens[0]!)])).status).toBe(200)

    clock.now += 1000
    const newest = await front.login({ name: 'user200', password: 'password-200' })

    expect((await front.call('GET', '/whoami', [bearer(tokens[1]!)])).status).toBe(401)
    const others = [newest, ...tokens.filter((_, index) => index !== 1)]
    expect(new Set(await statusesOf(front, others))).toEqual(new Set([200]))
    expect(front.events.filter(({ name }) => name === 'eviction')).toEqual([
      { name: 'eviction', at: clock.now, tokenId: expect.any(String), subject: 'user1', kind: 'management' },
    ])
  })

  it('answers 503 at the 201st login where none is put out, and all 200 stay good', async () => {
    const clock = clockAt(Date.parse('2026-03-01T12:00:00Z'))
    const front = await startFront(setUp, { source: documentWith(refusingStore), options: { clock: clock.read } })
    const tokens = await fill(front, clock)
    const credentials = Buffer.from(`user200:${secret('password-200')}`).toString('base64')
    const answer = await front.call('GET', '/login', [`Authorization: Basic ${secret(credentials)}`])

    expect(answer.status).toBe(503)
    expect(answer.header('retry-after')).toMatch(/^[1-9]\d*$/)
    expect(answer.json()).toEqual({ Error: 'Max concurrent access limit exceeded', code: 'ERR_TOKEN_STORE_FULL' })
    expect(new Set(await statusesOf(front, tokens))).toEqual(new Set([200]))
  })
})

it('admits a login to a store that is full of expired tokens, even where none is put out', async () => {
  const clock = clockAt(Date.parse('2026-03-01T12:00:00Z'))
  const front = await startFront(oneSetUp, { source: documentWith(refusingStore), options: { clock: clock.read } })
  await fill(front, clock)
  clock.now += 3_600_000
  await front.login({ name: 'user200', password: 'password-200' })
  expect(front.events.filter(({ name }) => name === 'eviction')).toEqual([])
})

// Covers: C12
it('puts out a token of the user who floods the store, not one of another user', async () => {
  const clock = clockAt(Date.parse('2026-03-01T12:00:00Z'))
  const source = document({ jwt: { token_store_config: { max_size: 10 }, token_config: { algorithm: 'ES256' } } })
  const front = await startFront(oneSetUp, { source, options: { clock: clock.read } })
  const tokenOfAdmin = await front.login(users.admin)
  for (let count = 0; count < 30; count++) {
    clock.now += 1000
    await front.login(users.reader)
  }
  expect((await front.call('GET', '/whoami', [bearer(tokenOfAdmin)])).status).toBe(200)
})

// Covers: B10
describe.each(pairSetUps)('an expired token on $name', (setUp) => {
  it('is refused at the first request after expiry seconds, before any clean-up', async () => {
    const start = Date.parse('2026-03-01T12:00:00Z')
    const clock = clockAt(start)
    const front = await startFront(setUp, { options: { clock: clock.read } })
    const token = await front.login()
    clock.now = start + 3_599_999
    expect((await front.call('GET', '/whoami', [bearer(token)])).status).toBe(200)
    clock.now = start + 3_600_000
    const answer = await front.call('GET', '/whoami', [bearer(token)])
    expect(answer.status).toBe(401)
    expect(answer.header('www-authenticate')).toContain('error="invalid_token"')
    expect(front.handled).toEqual(['GET /whoami'])
    clock.now = start
    expect((await front.call('GET', '/whoami', [bearer(token)])).status, 'with the clock put back').toBe(401)
  })
})

// Covers: K07
describe('the clean-up timer', () => {
  /** Timers that are unrefed are not among the active resources, so the timers that are set are counted. */
  function intervalsOf(run: () => Promise<void>): Promise<{ started: number; ended: number }> {
    const original = { setInterval: globalThis.setInterval, clearInterval: globalThis.clearInterval }
    const live = new Set<unknown>()
    const counts = { started: 0, ended: 0 }
    globalThis.setInterval = ((...values: Parameters<typeof setInterval>) => {
      const timer = original.setInterval(...values)
      if (values[1] === 600_000) {
        live.add(timer)
        counts.started++
      }
      return timer
    }) as typeof setInterval
    globalThis.clearInterval = (timer) => {
      if (live.delete(timer)) counts.ended++
      original.clearInterval(timer)
    }
    return run()
      .finally(() => Object.assign(globalThis, original))
      .then(() => counts)
  }

  it('runs only while there are tokens', async () => {
    const front = await startFront(oneSetUp, { source: document({ jwt: tokenStoreValues }) })
    const counts = await intervalsOf(async () => {
      const first = await front.login()
      const second = await front.login()
      await front.call('GET', '/logout', [bearer(first)])
      await front.call('GET', '/logout', [bearer(second)])
    })
    expect(counts).toEqual({ started: 1, ended: 1 })
  })

  it('ends with close(), with tokens left in the store', async () => {
    const front = await startFront(oneSetUp, { source: document({ jwt: tokenStoreValues }) })
    const counts = await intervalsOf(async () => {
      await front.login()
      await front.security.close()
    })
    expect(counts).toEqual({ started: 1, ended: 1 })
  })
})
