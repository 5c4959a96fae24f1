import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type OpenClient, openAt } from '../../../lib/redis/redis-connection.js'
import { startCluster } from '../../helpers/cluster.js'
import { basic, bearer, type Front, users } from '../../helpers/front.js'
import { redisCommand, startSentinel } from '../../helpers/redis.js'
import { cut, isInSync, isReplicated, promote, startNode, startReplicated } from '../../helpers/redis-replica.js'
import { createRecord, openStore } from '../../helpers/redis-store.js'

const patience = { timeout: 40_000 }

const isIn = async (front: Front, token: string): Promise<number> =>
  (await front.call('GET', '/inbound', [bearer(token)])).status

// Covers: J14
describe('a fail-over', () => {
  it('by a sentinel is found, and revives nothing', async () => {
    const lasting = ['--appendonly', 'yes']
    const primary = await startNode(...lasting)
    const replica = await startNode('--replicaof', `127.0.0.1 ${primary.port}`, ...lasting)
    await isInSync(replica)
    const sentinel = await startSentinel(primary.port)
    onTestFinished(() => sentinel.stop())
    const knowsReplica = async (): Promise<boolean> => {
      const info = await redisCommand(`redis://127.0.0.1:${sentinel.port}`, 'INFO', 'sentinel')
      return String(info).includes('slaves=1')
    }
    await expect.poll(knowsReplica, patience).toBe(true)
    const store = { sentinel: { master_name: 'primary', nodes: [`127.0.0.1:${sentinel.port}`] }, max_staleness: '1s' }
    const [first, second] = await startCluster({ url: 'redis://by-sentinel', store })
    const kept = await first.login()
    const revoked = await first.login()
    for (const token of [kept, revoked]) expect(await isIn(second, token)).toBe(200)
    // A machine that stood still for a while may have had its fail-over already.
    expect(await redisCommand(primary.url, 'INFO', 'replication')).toContain('role:master')
    await isReplicated(primary, replica)

    let lastAdmittedAt = 0
    let isOver = false
    const watching = (async () => {
      while (!isOver) {
        const sentAt = performance.now()
        if ((await isIn(second, revoked)) === 200) lastAdmittedAt = sentAt
        await delay(5)
      }
    })()
    expect((await first.call('GET', '/logout', [bearer(revoked)])).status).toBe(200)
    const acknowledgedAt = performance.now()
    await primary.signal('SIGKILL')
    const canLogIn = async (front: Front): Promise<number> =>
      (await front.call('GET', '/login', [basic('admin', users.admin.password)])).status
    for (const front of [first, second]) await expect.poll(() => canLogIn(front), patience).toBe(200)
    // The one of before comes back: it is made a replica, and nobody follows it.
    await primary.start()
    await delay(1500)
    isOver = true
    await watching
    expect(lastAdmittedAt - acknowledgedAt).toBeLessThanOrEqual(1000)
    for (const front of [first, second]) {
      await expect.poll(() => isIn(front, kept), patience).toBe(200)
      expect(await isIn(front, revoked)).toBe(401)
    }
  })

  it('that lost a revocation revives no token: it is executed again', async () => {
    const { primary, replica, between } = await startReplicated()
    let { url } = primary
    const open: OpenClient = (options) => openAt({ url })(options)
    const { store, link } = await openStore(url, { open })
    const other = await openStore(url, { open })
    const revoked = createRecord(link.now(), { subject: 'bob' })
    const ended = createRecord(link.now())
    for (const record of [revoked, ended]) await store.add(record)
    await isReplicated(primary, replica)
    cut(between)
    await store.remove(revoked.id)
    await store.removeBySubject('alice')
    await promote(replica)
    expect(await redisCommand(replica.url, 'EXISTS', `${link.key('token')}:${revoked.id}`)).toBe(1)
    url = replica.url
    await primary.signal('SIGKILL')
    const find = (opened: typeof store, id: string): Promise<unknown> =>
      (async () => opened.find(id))().catch(() => 'not yet')
    for (const { id } of [revoked, ended]) {
      await expect.poll(() => find(store, id), patience).toBeUndefined()
      await expect.poll(() => find(other.store, id), patience).toBeUndefined()
    }
    expect(await redisCommand(replica.url, 'EXISTS', `${link.key('token')}:${ended.id}`)).toBe(0)
  })

  it('that lost news tells every process that the rights of all may have changed', async () => {
    const { primary, replica, between } = await startReplicated()
    let { url } = primary
    const open: OpenClient = (options) => openAt({ url })(options)
    const { store } = await openStore(url, { open })
    const other = await openStore(url, { open })
    const heard: (string | undefined)[] = []
    other.store.onAccountChange((subject) => void heard.push(subject))
    cut(between)
    await store.publishAccountChange('alice')
    await expect.poll(() => heard).toEqual(['alice'])
    await promote(replica)
    url = replica.url
    await primary.signal('SIGKILL')
    await expect.poll(() => heard, patience).toContain(undefined)
    // The same number as that of the entry that was lost.
    const publish = (): Promise<string> =>
      store.publishAccountChange('bob').then(
        () => 'told',
        () => 'not yet',
      )
    await expect.poll(publish, patience).toBe('told')
    await expect.poll(() => heard.at(-1), patience).toBe('bob')
  })

  it('has changes of rights told again that only the primary of before has heard of', async () => {
    const { primary, replica, between } = await startReplicated()
    let { url } = primary
    const { store } = await openStore(url, { open: (options) => openAt({ url })(options) })
    cut(between)
    await redisCommand(replica.url, 'REPLICAOF', 'NO', 'ONE')
    const other = await openStore(replica.url)
    const heard: (string | undefined)[] = []
    other.store.onAccountChange((subject) => void heard.push(subject))
    await store.publishAccountChange('alice')
    expect(heard).toEqual([])
    url = replica.url
    await primary.signal('SIGKILL')
    await expect.poll(() => heard, patience).toEqual(['alice'])
  })

  it('from a primary that was cut off, and knows it by min-replicas-to-write, keeps a bound', async () => {
    const settings = ['--min-replicas-to-write', '1', '--min-replicas-max-lag', '1', '--repl-ping-replica-period', '1']
    const { primary, replica, between } = await startReplicated(...settings)
    let url = primary.url
    const isolated = await openStore(url, { open: openAt({ url: primary.url }) })
    const { store, link } = await openStore(url, { open: (options) => openAt({ url })(options) })
    expect(isolated.entries.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      'Redis keeps nothing over a restart, which ends every token: set appendonly yes',
    ])
    const record = createRecord(link.now())
    await store.add(record)
    expect(await isolated.store.find(record.id)).toBeDefined()
    await isReplicated(primary, replica)
    cut(between)
    await promote(replica)
    url = replica.url
    const moved = await openStore(url)
    expect(await moved.store.remove(record.id)).toBe(true)
    const acknowledgedAt = performance.now()
    let lastAdmittedAt = 0
    const find = async (): Promise<unknown> => {
      const askedAt = performance.now()
      try {
        if ((await isolated.store.find(record.id)) !== undefined) lastAdmittedAt = askedAt
      } catch (error) {
        return String(error)
      }
      return 'admitted'
    }
    await expect.poll(find, patience).toMatch(/NOREPLICAS|there is no connection to Redis/)
    console.info(`a primary that was cut off: last admission ${(lastAdmittedAt - acknowledgedAt).toFixed(0)} ms later`)
    // The lease, the greatest lag, and two seconds.
    expect(lastAdmittedAt - acknowledgedAt).toBeLessThanOrEqual(4000)
  })
})
