import { describe, expect, it, onTestFinished } from 'vitest'
import { StoreError } from '../../../lib/core/errors.js'
import { RedisOauthStore } from '../../../lib/oauth/redis-oauth-store.js'
import { openAt } from '../../../lib/redis/redis-connection.js'
import { RedisLink } from '../../../lib/redis/redis-link.js'
import { startCluster } from '../../helpers/cluster.js'
import { bearer } from '../../helpers/front.js'
import { recordedLog } from '../../helpers/recorded-log.js'
import { redisCommand } from '../../helpers/redis.js'
import { cut, isInSync, isReplicated, promote, type Replicated, startReplicated } from '../../helpers/redis-replica.js'
import { createRecord, type OpenedStore, openStore } from '../../helpers/redis-store.js'

const patience = { timeout: 40_000 }
const confirmed = { replicasToConfirm: 1 }
const tooFew = /^0 of 1 replicas have what was written in Redis$/

/** All connections are closed again and again from now on. */
function disconnect({ between }: Replicated): void {
  between.onData = () => false
  between.onAnswer = () => false
}

async function reconnect({ between, replica }: Replicated): Promise<void> {
  between.onData = undefined
  between.onAnswer = undefined
  await isInSync(replica)
}

const wasLost = ({ entries }: Pick<OpenedStore, 'entries'>): boolean =>
  entries.some(({ message }) => message.includes('was lost'))

/** Two codes of one grant. */
async function startOauth({ primary }: Replicated) {
  const { logger } = recordedLog()
  const link = new RedisLink({ ...confirmed, open: openAt({ url: primary.url }), logger })
  onTestFinished(() => link.close())
  const oauth = new RedisOauthStore({ link, maxEntries: 100, onEvict: () => undefined })
  await link.start()
  const entry = { subject: 'alice', payload: {}, expiresAt: link.now() + 600_000, consumedAt: undefined }
  const grant = { ...entry, model: 'Grant' as const, id: 'a grant', grantId: undefined }
  await oauth.put(grant)
  const codes = ['A', 'B'].map((letter) => letter.repeat(43))
  for (const id of codes) await oauth.put({ ...entry, model: 'AuthorizationCode', id, grantId: grant.id })
  return { link, oauth, grant, codes }
}

// Covers: J14
describe('with replicas_to_confirm = 1', () => {
  it('a revocation is answered when the replica has it, so that a fail-over loses none', async () => {
    const { primary, replica } = await startReplicated()
    let { url } = primary
    const { store, link } = await openStore(url, { ...confirmed, open: (options) => openAt({ url })(options) })
    const revoked = Array.from({ length: 20 }, () => createRecord(link.now()))
    const ended = createRecord(link.now(), { subject: 'bob' })
    const kept = createRecord(link.now(), { subject: 'carol' })
    for (const record of [...revoked, ended, kept]) await store.add(record)
    await isReplicated(primary, replica)

    await replica.signal('SIGSTOP')
    let answers = 0
    const revocations = [...revoked.map(({ id }) => store.remove(id)), store.removeBySubject('bob')]
    const counted = revocations.map((revocation) => revocation.then(() => answers++))
    // They are at the primary, and all else goes on.
    await expect.poll(() => redisCommand(primary.url, 'EXISTS', `${link.key('token')}:${ended.id}`)).toBe(0)
    expect((await store.find(kept.id))?.subject).toBe('carol')
    expect(answers).toBe(0)
    await replica.signal('SIGCONT')
    await Promise.all(counted)

    await primary.signal('SIGKILL')
    await promote(replica)
    // A process that knows of none of them.
    const other = await openStore(replica.url)
    for (const { id } of [...revoked, ended]) expect(await other.store.find(id)).toBeUndefined()
    expect((await other.store.find(kept.id))?.subject).toBe('carol')

    // The primary of before comes back as the replica, and confirms.
    url = replica.url
    await primary.start()
    await redisCommand(primary.url, 'REPLICAOF', '127.0.0.1', String(replica.port))
    const revoke = (): Promise<string> => store.remove(kept.id).then(() => 'confirmed', String)
    await expect.poll(revoke, patience).toBe('confirmed')
    expect(await redisCommand(primary.url, 'EXISTS', `${link.key('token')}:${kept.id}`)).toBe(0)
    expect(await other.store.find(kept.id)).toBeUndefined()
  })

  it.each([
    ['silent', ({ between }: Replicated) => cut(between)],
    ['gone', disconnect],
  ])(
    'a revocation fails within the time of a command while the replica is %s, and counts here and at the primary',
    async (_name, isolate) => {
      const servers = await startReplicated()
      const opened = await openStore(servers.primary.url, confirmed)
      const { store, link } = opened
      const other = await openStore(servers.primary.url)
      const records = Array.from({ length: 30 }, () => createRecord(link.now()))
      for (const record of records) await store.add(record)
      isolate(servers)
      const startedAt = performance.now()
      const outcomes = await Promise.allSettled(records.map(({ id }) => store.remove(id)))
      const elapsedMs = performance.now() - startedAt
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(StoreError) })
        expect((outcome as PromiseRejectedResult).reason.message).toMatch(tooFew)
      }
      // A second, and more for a busy machine. One wait for each would take twelve.
      expect(elapsedMs).toBeLessThanOrEqual(6000)
      await expect(store.removeBySubject('nobody')).rejects.toThrow(tooFew)
      for (const { id } of records) {
        for (const each of [store, other.store]) expect(await each.find(id)).toBeUndefined()
      }
      // A login needs no replica.
      expect(await store.add(createRecord(link.now()), { startedAt: link.now() })).toBe(true)
      expect(link.isProven).toBe(true)
      expect(wasLost(opened)).toBe(false)
    },
  )

  it('the client repeats a logout that was answered 503, until it is confirmed', async () => {
    const servers = await startReplicated()
    const [first, second] = await startCluster({ url: servers.primary.url, store: { replicas_to_confirm: 1 } })
    const token = await first.login()
    const get = async (front: typeof first, path: string): Promise<number> =>
      (await front.call('GET', path, [bearer(token)])).status
    for (const front of [first, second]) expect(await get(front, '/inbound')).toBe(200)
    disconnect(servers)
    expect(await get(first, '/logout')).toBe(503)
    expect(await get(first, '/inbound')).not.toBe(200)
    await expect.poll(() => get(second, '/inbound'), patience).toBe(401)
    await reconnect(servers)
    await expect.poll(() => get(first, '/logout'), patience).not.toBe(503)
    expect(await get(first, '/inbound')).toBe(401)
    expect((await first.call('GET', '/logout', [bearer(await first.login())])).status).toBe(200)
    for (const front of [first, second]) expect(wasLost(front)).toBe(false)
  })

  it('the use of a code and the end of a grant are confirmed too', async () => {
    const servers = await startReplicated()
    const { oauth, grant, codes } = await startOauth(servers)
    expect(await oauth.consume('AuthorizationCode', codes[0]!)).toBe(true)
    disconnect(servers)
    await expect(oauth.consume('AuthorizationCode', codes[1]!)).rejects.toThrow(tooFew)
    await expect(oauth.removeMembers(grant.id)).rejects.toThrow(tooFew)
    await expect(oauth.remove('Grant', grant.id)).rejects.toThrow(tooFew)
    await expect(oauth.remove('Grant', grant.id)).rejects.toThrow(tooFew)
    await reconnect(servers)
    expect(await oauth.remove('Grant', grant.id)).toEqual([])
  })

  it('a code is not used up while there are too few replicas; one whose use is not confirmed is', async () => {
    const servers = await startReplicated()
    const { link, oauth, codes } = await startOauth(servers)
    const consume = (): Promise<boolean> => oauth.consume('AuthorizationCode', codes[0]!)
    disconnect(servers)
    await expect(consume()).rejects.toThrow(tooFew)
    await reconnect(servers)
    let replicas = 1
    link.confirm = async () => {
      if (replicas-- === 0) throw new StoreError('the replica is gone')
    }
    await expect(consume()).rejects.toThrow('the replica is gone')
    replicas = 9
    expect(await consume()).toBe(false)
  })

  it('revocations are confirmed while the memory of Redis is full', async () => {
    const { primary } = await startReplicated()
    const { store, link } = await openStore(primary.url, confirmed)
    const record = createRecord(link.now())
    await store.add(record)
    await redisCommand(primary.url, 'CONFIG', 'SET', 'maxmemory', '1')
    expect(await store.remove(record.id)).toBe(true)
  })
})

describe('without replicas_to_confirm', () => {
  it('a revocation is answered while the replica stands still', async () => {
    const { primary, replica } = await startReplicated()
    const { store, link } = await openStore(primary.url)
    const record = createRecord(link.now())
    await store.add(record)
    await isReplicated(primary, replica)
    await replica.signal('SIGSTOP')
    expect(await store.remove(record.id)).toBe(true)
  })
})
