import { beforeAll, describe, expect, it } from 'vitest'
import { hashPassword } from '../../../lib/users/passwords/password-hash.js'
import { basic, bearer } from '../../helpers/front.js'
import { type ManagedFront, people, startManagedFront } from '../../helpers/managed-front.js'
import { storeFailure } from '../../helpers/memory-user-store.js'
import { secret } from '../../helpers/recorded-log.js'
import { oneSetUp } from '../../helpers/set-ups.js'

const password = secret('Break-the-glass-1')
let hash: string

beforeAll(async () => {
  hash = await hashPassword(password)
})

let now = Date.now()

async function start(more: Record<string, unknown> = {}): Promise<ManagedFront> {
  const break_glass = { enable: true, user: 'emergency', password: hash, allow: ['127.0.0.1'], ...more }
  const options = { clock: () => now }
  return startManagedFront(oneSetUp, { document: { managementApi: { break_glass } }, options })
}

const login = async (front: ManagedFront, headers: readonly string[] = [], name = 'emergency', text = password) =>
  front.call('GET', '/login', [basic(name, text), ...headers])

/** Lets the store fail for so long that the account opens. */
async function fail(front: ManagedFront, seconds = 30): Promise<void> {
  front.store.failure = storeFailure()
  expect((await login(front)).status).toBe(503)
  now += seconds * 1000
}

async function tokenOf(front: ManagedFront): Promise<string> {
  const answer = await login(front)
  expect(answer.status).toBe(200)
  return secret(answer.json<{ AccessToken: string }>().AccessToken)
}

const callerWith = async (front: ManagedFront, token: string) => front.call('GET', '/configs', [bearer(token)])

describe('the account for emergencies', () => {
  it('works once the store has been unreachable for 30 seconds, as an administrator, and is an error in the log', async () => {
    const front = await start()
    const seen: unknown[] = []
    front.security.events.on('breakGlassUsed', (event) => seen.push(event))
    await fail(front)
    const answer = await callerWith(front, await tokenOf(front))
    expect(answer.json()).toMatchObject({ auth: { subject: 'BREAK-GLASS/emergency', isAdmin: true } })
    expect(seen).toEqual([{ at: now, address: '127.0.0.1', subject: 'BREAK-GLASS/emergency' }])
    const { level } = front.entries.find(({ fields }) => fields['event'] === 'breakGlassUsed')!
    expect(level).toBe('error')
  })

  it('takes its whole subject for a name', async () => {
    const front = await start()
    await fail(front)
    expect((await login(front, [], 'BREAK-GLASS/emergency')).status).toBe(200)
  })

  it('is unknown while the store answers', async () => {
    const front = await start()
    expect((await login(front)).status).toBe(401)
  })

  it.each([29, 6 * 60])('stays shut %i seconds after a single failure', async (seconds) => {
    const front = await start()
    await fail(front, seconds)
    expect((await login(front)).status).toBe(503)
  })

  it('stays shut when the store answered meanwhile', async () => {
    const front = await start()
    await fail(front, 29)
    front.store.failure = undefined
    expect((await login(front)).status).toBe(401)
    front.store.failure = storeFailure()
    expect((await login(front)).status).toBe(503)
    now += 5000
    expect((await login(front)).status).toBe(503)
  })

  it('stays shut to other addresses, to browsers, and to other names', async () => {
    const elsewhere = await start({ allow: ['10.0.0.0/8'] })
    await fail(elsewhere)
    expect((await login(elsewhere)).status).toBe(503)
    const front = await start()
    await fail(front)
    expect((await login(front, ['Origin: http://front.test'])).status).toBe(503)
    expect((await login(front, [], 'root', people.root.password)).status).toBe(503)
  })

  it('has its password guessed as slowly as any other', async () => {
    const front = await start()
    await fail(front)
    const guesses = Array.from({ length: 6 }, () => login(front, [], 'emergency', 'a-wrong-guess'))
    expect((await Promise.all(guesses)).map(({ status }) => status).sort()).toEqual([401, 401, 401, 401, 401, 429])
  })

  it('ends when the store is back', async () => {
    const front = await start()
    await fail(front)
    const token = await tokenOf(front)
    expect((await callerWith(front, token)).status).toBe(200)
    front.store.failure = undefined
    await front.login(people.root)
    expect((await callerWith(front, token)).status).toBe(401)
  })

  it('ends when the store is back, though nobody else asks it', async () => {
    const front = await start()
    await fail(front)
    const token = await tokenOf(front)
    front.store.failure = undefined
    now += 61_000
    expect((await callerWith(front, token)).status).toBe(401)
  })

  it('ends after 15 minutes, though other tokens live for an hour', async () => {
    const front = await start()
    await fail(front)
    const token = await tokenOf(front)
    now += 15 * 60_000 - 1
    expect((await callerWith(front, token)).status).toBe(200)
    now += 1
    expect((await callerWith(front, token)).status).toBe(401)
  })
})
