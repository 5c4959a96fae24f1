import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createRecord, idsFor, start } from '../../../lib/testing/contract-stage.js'
import { tokenStoreContract } from '../../../lib/testing.js'
import { getExpiry, type TokenRecord } from '../../../lib/tokens/token-store.js'
import { oauthStoreContract } from '../../oauth/oauth-store-contract.js'
import { MortalFiles } from './mortal-files.js'
import { newSnapshotFile, type SnapshotStage, type SnapshotStageOptions, startSnapshot } from './stage.js'

tokenStoreContract({ describe, it }, 'SnapshotTokenStore', async ({ clock, ...store }) => {
  const { tokens } = await startSnapshot({ clock, store })
  return tokens
})

describe('SnapshotOauthStore', () => {
  oauthStoreContract(async (options) => (await startSnapshot(options)).oauth)
})

type Work = (stage: SnapshotStage, pass: (ms: number) => void, files: MortalFiles) => Promise<unknown>

/** Does some work, ends the process, and starts the next one `pauseMs` later. */
async function restart(
  work: Work,
  { isKilled = false, pauseMs = 0, ...options }: SnapshotStageOptions & { isKilled?: boolean; pauseMs?: number } = {},
): Promise<SnapshotStage & { readonly now: () => number }> {
  let now = start
  const clock = (): number => now
  const [file, files] = [newSnapshotFile(), new MortalFiles()]
  const first = await startSnapshot({ file, clock, files, ...options })
  const pass = (ms: number): void => {
    now += ms
  }
  await work(first, pass, files)
  if (!isKilled) await first.close()
  const remains = await files.remains(file)
  now += pauseMs
  return { ...(await startSnapshot({ file: remains, clock, ...options })), now: clock }
}

const session = (name: string, fields: Partial<TokenRecord> = {}): TokenRecord =>
  createRecord(name, {
    kind: 'portal',
    audience: 'publisher',
    idleTimeoutMs: 60_000,
    expiresAt: start + 600_000,
    ...fields,
  })

describe('a restart', () => {
  it('keeps each field of a record but its account', async () => {
    const record = session('a', { parent: createRecord('parent').id, lastAccessAt: start + 5 })
    const account = { version: '1', roles: [], isAdmin: true, hasEnded: false, checkedAt: start }
    const { tokens } = await restart(({ tokens }) => Promise.resolve(tokens.add({ ...record, account })))
    const found = (await tokens.find(record.id))!
    for (const field of Object.keys(record) as (keyof TokenRecord)[]) expect(found[field], field).toEqual(record[field])
    expect(found.account).toBeUndefined()
  })

  it('drops what has expired meanwhile', async () => {
    const work: Work = async ({ tokens, oauth }) => {
      await tokens.add(createRecord('a'))
      await tokens.add(createRecord('b', { expiresAt: start + 60_001 }))
      for (const id of ['a', 'b']) {
        const expiresAt = start + (id === 'a' ? 60_000 : 60_001)
        await oauth.put({ model: 'Grant', id, subject: 'alice', payload: {}, expiresAt, grantId: undefined })
      }
    }
    const { tokens, oauth } = await restart(work, { pauseMs: 60_000 })
    expect((await tokens.list()).map(({ id }) => id)).toEqual(idsFor('b'))
    expect(await tokens.find(createRecord('a').id)).toBeUndefined()
    expect(await oauth.find('Grant', 'a')).toBeUndefined()
    expect(await oauth.find('Grant', 'b')).toBeDefined()
  })

  it('keeps the order of use, which decides what is evicted', async () => {
    const work: Work = async ({ tokens }, pass) => {
      await tokens.add(session('s', { lastAccessAt: start - 1 }))
      for (const [index, name] of ['a', 'b', 'c'].entries()) {
        await tokens.add(createRecord(name, { subject: name, lastAccessAt: start + index }))
        pass(1)
      }
      await tokens.touch(createRecord('a').id, start + 3)
    }
    const { tokens } = await restart(work, { store: { maxSize: 3 } })
    expect((await tokens.list()).map(({ id }) => id)).toEqual(idsFor('a', 'c', 'b', 's'))
    await tokens.add(createRecord('d', { subject: 'd' }))
    expect(await tokens.find(createRecord('b').id)).toBeUndefined()
  })

  it('brings back nothing that was evicted, or has been idle for too long and was refused', async () => {
    const work: Work = async ({ tokens, oauth }, pass) => {
      for (const name of ['a', 'b', 'c']) await tokens.add(createRecord(name, { subject: name }))
      await tokens.add(session('d'))
      pass(60_000)
      await tokens.remove(session('d').id)
      for (const id of ['a', 'b', 'c']) {
        const expiresAt = start + 600_000
        await oauth.put({ model: 'Grant', id, subject: id, payload: {}, expiresAt, grantId: undefined })
        await oauth.put({ model: 'RefreshToken', id: `of ${id}`, subject: id, payload: {}, expiresAt, grantId: id })
      }
    }
    const { tokens, oauth } = await restart(work, { isKilled: true, store: { maxSize: 2 }, maxEntries: 2 })
    expect(await tokens.find(createRecord('a').id)).toBeUndefined()
    expect(await tokens.find(session('d').id)).toBeUndefined()
    expect(await oauth.find('RefreshToken', 'of a')).toBeUndefined()
    expect(await oauth.find('RefreshToken', 'of c')).toBeDefined()
  })

  it('brings back nothing that ended by idleness before a crash, also where it was never refused', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const intervalMs = 10_000
    const work: Work = async ({ tokens }, pass, files) => {
      await tokens.add(session('a'))
      await tokens.add(session('b', { idleTimeoutMs: 120_000 }))
      for (let count = 0; count < 7; count++) {
        pass(intervalMs)
        vi.advanceTimersByTime(intervalMs)
        await files.untilQuiet()
      }
    }
    const { tokens } = await restart(work, { isKilled: true, intervalMs })
    expect((await tokens.list()).map(({ id }) => id)).toEqual([session('b').id])
  })

  it('counts idle time on', async () => {
    const work: Work = async ({ tokens }, pass) => {
      await tokens.add(session('a'))
      pass(50_000)
    }
    expect(await (await restart(work, { pauseMs: 9999 })).tokens.find(session('a').id)).toBeDefined()
    expect(await (await restart(work, { pauseMs: 10_000 })).tokens.find(session('a').id)).toBeUndefined()
  })

  it('ends no session early whose last uses are not known, and none later than the interval says', async () => {
    const work: Work = async ({ tokens }, pass) => {
      await tokens.add(session('a'))
      await tokens.add(createRecord('b', { kind: 'sso', expiresAt: start + 600_000 }))
      pass(50_000)
      await tokens.touch(session('a').id, start + 50_000)
      // The last sign of life.
      await tokens.add(session('c', { issuedAt: start + 50_000, lastAccessAt: start + 50_000 }))
      pass(4000)
    }
    const { tokens } = await restart(work, { isKilled: true, pauseMs: 2000, intervalMs: 5000 })
    expect(getExpiry((await tokens.find(session('a').id))!)).toBe(start + 50_000 + 5000 + 60_000)
    // A sign-on is asked for its password earlier rather than later.
    expect((await tokens.find(createRecord('b').id))!.lastAccessAt).toBe(start)
  })

  it('keeps the use of the account for emergencies', async () => {
    const account = { subject: 'BREAK-GLASS/admin', roles: [], isAdmin: true, version: '1' }
    const use = { account, at: start }
    const write: Work = ({ breakGlass }) => breakGlass.write(use, 60_000)
    expect(await (await restart(write, { isKilled: true })).breakGlass.take()).toMatchObject(use)
    expect(await (await restart(write, { pauseMs: 60_000 })).breakGlass.take()).toBeUndefined()
    const take: Work = async (stage, pass, files) => {
      await write(stage, pass, files)
      await stage.breakGlass.take()
    }
    expect(await (await restart(take, { isKilled: true })).breakGlass.read()).toBeUndefined()
  })

  it('needs no more than its files: a second one after it finds the same', async () => {
    const file = newSnapshotFile()
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      const { tokens, close } = await startSnapshot({ file, clock: () => start })
      expect((await tokens.list()).length).toBe(index)
      await tokens.add(createRecord(name))
      await close()
      await expect(tokens.add(createRecord('late'))).rejects.toThrow('the snapshot was closed')
      await expect(tokens.removeBySubject('alice')).rejects.toThrow('the snapshot was closed')
    }
  })
})
