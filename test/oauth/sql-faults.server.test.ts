import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { StoreError } from '../../lib/core/errors.js'
import { SqlOauthStore } from '../../lib/oauth/sql-oauth-store.js'
import { SqlLink } from '../../lib/sql/sql-link.js'
import type { LoginAttempt, LoginThrottle } from '../../lib/users/throttle/login-throttle.js'
import { createSqlThrottle } from '../../lib/users/throttle/sql-throttle.js'
import { type SqlEngine, sqlEngines } from '../helpers/sql-engines.js'
import type { Order } from './fixtures/oauth-process.js'
import { entry, idFor, type OauthStoreStage } from './oauth-store-contract.js'

const logger = { info() {}, warn() {}, error() {} }
const fixture = fileURLToPath(new URL('fixtures/oauth-process.ts', import.meta.url))

/** Of a statement or a transaction. What is held longer has to be given up. */
const timeoutMs = 2000

interface Opened {
  readonly link: SqlLink
  readonly store: SqlOauthStore
  readonly throttle: LoginThrottle
  readonly stage: OauthStoreStage
  readonly keyPrefix: string
}

describe.each(sqlEngines)('$name that fails', ({ start }) => {
  let engine: SqlEngine
  let count = 0

  beforeAll(async () => {
    engine = await start()
  })
  afterAll(() => engine?.server.stop())

  /** One process, with a grant that has 50 codes. */
  async function open(): Promise<Opened> {
    const keyPrefix = `faults-${count++}`
    const link = new SqlLink({ database: await engine.open({ timeoutMs }), keyPrefix, logger })
    onTestFinished(() => link.close())
    const store = new SqlOauthStore({ link, maxEntries: 100, onEvict() {} })
    const throttle = createSqlThrottle({ link, logger })
    await link.start()
    const stage: OauthStoreStage = { store, evicted: [], now: Date.now, pass() {} }
    const expiresAt = Date.now() + 600_000
    await store.put(entry(stage, 'Grant', 'grant', { expiresAt }))
    for (const code of codes) await store.put(entry(stage, 'AuthorizationCode', code, { expiresAt }))
    return { link, store, throttle, stage, keyPrefix }
  }

  const codes = Array.from({ length: 50 }, (_, index) => `code ${index}`)

  /** Uses all codes at a time: what each use came to. */
  function useAll({ store }: Opened): Promise<readonly (boolean | 'failed')[]> {
    return Promise.all(codes.map((code) => outcome(store.consume('AuthorizationCode', idFor(code)))))
  }

  /** Anything but an answer or a {@link StoreError} fails the test. */
  async function outcome<T>(work: Promise<T>): Promise<T | 'failed'> {
    try {
      return await work
    } catch (error) {
      expect(error).toBeInstanceOf(StoreError)
      return 'failed'
    }
  }

  async function recovery({ store }: Opened): Promise<void> {
    await expect.poll(() => outcome(store.find('Grant', 'grant'))).toMatchObject({ model: 'Grant' })
  }

  async function logIn(throttle: LoginThrottle, isRight: boolean): Promise<unknown> {
    const admission = await throttle.start('alice', '192.0.2.1')
    if (!admission.isAllowed) return 'throttled'
    const attempt: LoginAttempt = admission
    return outcome(Promise.resolve(isRight ? attempt.succeed('alice') : attempt.fail('alice')))
  }

  it('answers although every connection was cut off', async () => {
    const opened = await open()
    await useAll(opened)
    await engine.cutOff()
    const finds = await Promise.all(
      codes.map((code) => outcome(Promise.resolve(opened.store.find('AuthorizationCode', idFor(code))))),
    )
    expect(finds.filter((found) => found === 'failed' || found?.consumedAt === undefined)).toEqual([])
    await engine.cutOff()
    await opened.store.put(entry(opened.stage, 'Session', 'session'))
    await engine.cutOff()
    expect(await opened.throttle.start('alice', '192.0.2.1')).toMatchObject({ isAllowed: true })
  })

  it('takes each code once when it is killed in the middle, whatever was answered', async () => {
    const opened = await open()
    const uses = codes.map((code) => opened.store.consume('AuthorizationCode', idFor(code)))
    const using = Promise.all(uses.map(outcome))
    await Promise.any(uses)
    await engine.server.signal('SIGKILL')
    const first = await using
    await engine.server.start()
    await recovery(opened)
    const second = await useAll(opened)
    for (const [index, use] of first.entries()) {
      // One that failed was taken or not.
      if (use !== 'failed') expect([index, use, second[index]]).toEqual([index, true, false])
      else expect(second[index]).not.toBe('failed')
    }
    expect(await useAll(opened)).toEqual(codes.map(() => false))
    const found = await opened.store.find('AuthorizationCode', idFor('code 49'))
    expect(found?.consumedAt).toBeGreaterThan(0)
  })

  it('gives up in time while another session holds a table, takes nothing, and goes on', async () => {
    const opened = await open()
    const unlock = await engine.lockTable('sallyport_oauth')
    expect(await useAll(opened)).toEqual(codes.map(() => 'failed'))
    expect(await outcome(opened.store.put(entry(opened.stage, 'Session', 'session')))).toBe('failed')
    await unlock()
    await recovery(opened)
    expect(await useAll(opened)).toEqual(codes.map(() => true))
  })

  it('counts for one process while another session holds the table of the throttle', async () => {
    const { link } = await open()
    const throttle = createSqlThrottle({ link, logger, maxFailures: 1 })
    const unlock = await engine.lockTable('sallyport_throttle')
    const logins = [await logIn(throttle, false), await logIn(throttle, true)]
    await unlock()
    expect(logins).toEqual([undefined, 'throttled'])
  })

  it('is asked nothing while it takes no writes, and goes on where it does', async () => {
    const opened = await open()
    const allowWrites = await engine.forbidWrites()
    const find = () => outcome(Promise.resolve(opened.store.find('AuthorizationCode', idFor('code 0'))))
    await expect.poll(find).toBe('failed')
    expect(await useAll(opened)).toEqual(codes.map(() => 'failed'))
    expect(await logIn(opened.throttle, false)).toBe(undefined)
    await allowWrites()
    await recovery(opened)
    expect(await useAll(opened)).toEqual(codes.map(() => true))
  })

  it('answers in time while it stands still, and goes on', async () => {
    const opened = await open()
    const resume = await engine.hold()
    try {
      expect(await useAll(opened)).toEqual(codes.map(() => 'failed'))
      expect(await logIn(opened.throttle, true)).not.toBe('throttled')
    } finally {
      resume()
    }
    await recovery(opened)
    // What the server was asked before it stood still may have been done.
    const uses = [await useAll(opened), await useAll(opened)]
    expect(uses[1]).toEqual(codes.map(() => false))
  })

  /** A process of its own, over the same data. */
  async function startProcess(keyPrefix: string) {
    const child = spawn(process.execPath, ['--unhandled-rejections=strict', '--import', 'tsx', fixture], {
      env: { ...process.env, DATASOURCE: JSON.stringify({ ...engine.datasource, timeoutMs }), PREFIX: keyPrefix },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child, 'message')
    return async (order: Order): Promise<unknown> => {
      const answer = once(child, 'message')
      child.send(order)
      return (await answer)[0]
    }
  }

  it('gives one of 100 exchanges of a code that two processes make at a time', async () => {
    const { keyPrefix } = await open()
    const processes = [await startProcess(keyPrefix), await startProcess(keyPrefix)]
    for (const code of codes.slice(0, 5)) {
      const good = await Promise.all(processes.map((tell) => tell({ consume: idFor(code), times: 50 })))
      expect(good.toSorted()).toEqual([0, 1])
    }
  })

  it('takes the lock from a process that stands still in the middle of a step', async () => {
    const { keyPrefix, store, stage } = await open()
    const tell = await startProcess(keyPrefix)
    expect(await tell({ hold: 'oauth:Session' })).toBe('held')
    const put = (): Promise<unknown> => outcome(store.put(entry(stage, 'Session', 'session')))
    expect(await put()).toBe('failed')
    await expect.poll(put).toBe(undefined)
  })
})
