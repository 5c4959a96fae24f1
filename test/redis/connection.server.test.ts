import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClient, RESP_TYPES } from '@redis/client'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openAt, openLike } from '../../lib/redis/redis-connection.js'
import { certificatesIn } from '../helpers/database-server.js'
import { freePort } from '../helpers/free-port.js'
import { type RedisServer, redisCommand, startRedis, startSentinel } from '../helpers/redis.js'
import { createRecord, type OpenedStore, openStore, type StoreChanges } from '../helpers/redis-store.js'

const patience = { timeout: 20_000 }

let redis: RedisServer
let prefixes = 0

beforeAll(async () => {
  redis = await startRedis('--appendonly', 'yes')
})

afterAll(() => redis.stop())

const open = (changes: StoreChanges = {}, url = redis.url): Promise<OpenedStore> =>
  openStore(url, { keyPrefix: `connection-${prefixes++}`, ...changes })

/** Adds, finds, lists and removes. */
async function expectToWork({ store, link }: OpenedStore): Promise<void> {
  const record = createRecord(link.now())
  expect(await store.add(record, { startedAt: link.now() })).toBe(true)
  expect((await store.find(record.id))?.subject).toBe('alice')
  expect((await store.list()).map(({ id }) => id)).toContain(record.id)
  expect(await store.remove(record.id)).toBe(true)
  expect(await store.find(record.id)).toBeUndefined()
}

const warningsOf = ({ entries }: OpenedStore): string[] =>
  entries.filter(({ level }) => level === 'warn').map(({ message }) => message)

describe('a connection over TLS', () => {
  async function startTls(): Promise<{
    url: (host: string) => string
    ca: string
    server: RedisServer
    files: string
  }> {
    const port = await freePort()
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const { ca, certificate, key } = certificatesIn(server.folder)
    const settings = [
      'tls-cert-file',
      certificate,
      'tls-key-file',
      key,
      'tls-ca-cert-file',
      ca,
      'tls-auth-clients',
      'no',
    ]
    await redisCommand(server.url, 'CONFIG', 'SET', ...settings, 'tls-port', String(port))
    const url = (host: string): string => `rediss://${host}:${port}`
    return { url, ca: readFileSync(ca, 'utf8'), server, files: server.folder }
  }

  it('works with the authority that signed the certificate, and is refused with the reason without it', async () => {
    const { url, ca } = await startTls()
    await expectToWork(await open({ open: openAt({ url: url('localhost'), ca }) }))
    const refused = open({ open: openAt({ url: url('localhost') }) })
    await expect(refused).rejects.toThrow(/there is no connection to Redis: .*(?:certificate|self-signed)/)
  })

  it('is refused for a certificate of another host', async () => {
    const { url, ca } = await startTls()
    await expect(open({ open: openAt({ url: url('127.0.0.1'), ca }) })).rejects.toThrow(/altnames|does not match/)
  })

  it('is refused for a certificate that has expired, and for a server without TLS', async () => {
    const { url, ca, server, files } = await startTls()
    const { makeCertificate } = await import('../helpers/make-certificate.js')
    const { chownSync, statSync, writeFileSync } = await import('node:fs')
    const issuer = {
      certificate: new X509Certificate(ca),
      key: createPrivateKey(readFileSync(join(files, 'ca.key'))),
    }
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const hour = 3_600_000
    const expired = makeCertificate({
      commonName: 'localhost',
      hostNames: ['localhost'],
      key: privateKey,
      issuer,
      notBefore: new Date(Date.now() - 2 * hour),
      notAfter: new Date(Date.now() - hour),
    })
    const names = { certificate: join(files, 'expired.pem'), key: join(files, 'expired.key') }
    writeFileSync(names.certificate, expired.toString())
    writeFileSync(names.key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const { uid, gid } = statSync(files)
    for (const name of Object.values(names)) chownSync(name, uid, gid)
    const settings = ['tls-cert-file', names.certificate, 'tls-key-file', names.key]
    await redisCommand(server.url, 'CONFIG', 'SET', ...settings)
    await expect(open({ open: openAt({ url: url('localhost'), ca }) })).rejects.toThrow(/certificate has expired/)
    const plain = openAt({ url: `rediss://localhost:${server.port}`, ca })
    await expect(open({ open: plain })).rejects.toThrow(/there is no connection to Redis/)
  })
})

/** What the link and the stores need, and nothing else. */
const neededRights = [
  ...['+info', '+client|tracking', '+script|load', '+evalsha', '+eval', '+time'],
  ...['+get', '+set', '+del', '+incr', '+pexpire', '+pttl'],
  ...['+zadd', '+zcard', '+zrange', '+zrangebyscore', '+zrem', '+zremrangebyrank', '+zrevrange', '+zscore'],
]

describe('an ACL user', () => {
  async function addUser(...rights: readonly string[]): Promise<{ username: string; password: string }> {
    const user = { username: `app-${prefixes++}`, password: 'only for this test' }
    await redisCommand(
      redis.url,
      'ACL',
      'SETUSER',
      user.username,
      'on',
      `>${user.password}`,
      '~{connection-*',
      ...rights,
    )
    onTestFinished(async () => void (await redisCommand(redis.url, 'ACL', 'DELUSER', user.username)))
    return user
  }

  it('needs few commands, and the keys of its prefix', async () => {
    const user = await addUser(...neededRights)
    const opened = await open({ open: openAt({ url: redis.url, ...user }) })
    await expectToWork(opened)
    expect(await opened.store.removeBySubject('alice')).toBe(0)
    await opened.link.publish('alice')
    expect(opened.link.isTracking).toBe(true)
    expect(warningsOf(opened)).toEqual([])
  })

  it('needs WAIT besides where replicas confirm', async () => {
    const user = await addUser(...neededRights)
    const changes = { open: openAt({ url: redis.url, ...user }), replicasToConfirm: 1 }
    await expect(open(changes)).rejects.toThrow(/NOPERM.*'wait'/)
    await redisCommand(redis.url, 'ACL', 'SETUSER', user.username, '+wait')
    const opened = await open(changes)
    expect(warningsOf(opened)).toEqual([expect.stringMatching(/^Redis has 0 replicas.* until 1 have it/)])
  })

  it('may stand in the URL, and its password elsewhere', async () => {
    const { username, password } = await addUser(...neededRights)
    const url = redis.url.replace('redis://', `redis://${username}@`)
    await expectToWork(await open({ open: openAt({ url, password }) }))
    const other = redis.url.replace('redis://', 'redis://nobody:wrong@')
    await expectToWork(await open({ open: openAt({ url: other, username, password }) }))
  })

  it('without CLIENT TRACKING reads through each time, with one warning', async () => {
    const user = await addUser(...neededRights, '-client|tracking')
    const keyPrefix = `connection-${prefixes++}`
    const opened = await open({ open: openAt({ url: redis.url, ...user }), keyPrefix })
    const other = await open({ keyPrefix })
    await expectToWork(opened)
    const record = createRecord(opened.link.now())
    await other.store.add(record)
    for (let count = 0; count < 5; count++) expect(await opened.store.find(record.id)).toBeDefined()
    await other.store.remove(record.id)
    expect(await opened.store.find(record.id)).toBeUndefined()
    await redisCommand(redis.url, 'CLIENT', 'KILL', 'USER', user.username)
    await expect
      .poll(() => opened.entries.filter(({ message }) => message === 'connected to Redis').length, patience)
      .toBe(2)
    expect(
      warningsOf(opened).filter((message) => message.includes('does not tell this process of changes')),
    ).toHaveLength(1)
  })

  it.each([
    ['is switched off', ['off'], ['on'], /WRONGPASS|NOAUTH/],
    ['gets another password', ['resetpass', '>another one'], ['resetpass', '>only for this test'], /WRONGPASS/],
    ['loses its rights', ['nocommands'], [...neededRights], /NOPERM/],
  ] as const)('that %s fails with the reason, and works again afterwards', async (_name, changes, back, reason) => {
    const user = await addUser(...neededRights)
    const opened = await open({ open: openAt({ url: redis.url, ...user }) })
    await redisCommand(redis.url, 'ACL', 'SETUSER', user.username, ...changes)
    await redisCommand(redis.url, 'CLIENT', 'KILL', 'USER', user.username)
    await expect.poll(() => warningsOf(opened).some((message) => reason.test(message)), patience).toBe(true)
    expect(() => opened.store.assertReady()).toThrow(/Redis/)
    await redisCommand(redis.url, 'ACL', 'SETUSER', user.username, ...back)
    await expect.poll(() => opened.link.isProven, patience).toBe(true)
    await expectToWork(opened)
    expect(JSON.stringify(opened.entries)).not.toContain(user.password)
  })
})

describe('a client of the app', () => {
  it.each([
    ['by URL', {}],
    ['that wants bytes', { commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } }],
    ['that has its own cache', { clientSideCache: { ttl: 0, maxEntries: 10 } }],
    [
      'that speaks RESP2, with a time-out, a name and a database',
      { RESP: 2, database: 3, name: 'app', pingInterval: 50 },
    ],
  ] as const)('%s lends its settings, and keeps its connection', async (_name, options) => {
    const client = createClient({ url: redis.url, socket: { socketTimeout: 300 }, ...options } as never)
    client.on('error', () => undefined)
    await client.connect()
    onTestFinished(() => client.destroy())
    const opened = await open({ open: openLike(client as never) })
    expect(opened.link.isTracking).toBe(true)
    await expectToWork(opened)
    await opened.store.close()
    expect(client.isOpen).toBe(true)
  })
})

describe('sentinels', () => {
  it('are asked which primary the latest fail-over has made: one that was cut off does not decide', async () => {
    const old = await startRedis()
    onTestFinished(() => old.stop())
    const epochs = ['sentinel config-epoch primary 3', 'sentinel leader-epoch primary 3', 'sentinel current-epoch 3']
    const sentinels = [
      await startSentinel(old.port),
      await startSentinel(redis.port, ...epochs),
      await startSentinel(redis.port, ...epochs),
    ]
    onTestFinished(async () => {
      for (const sentinel of sentinels) await sentinel.stop()
    })
    const nodes = sentinels.map(({ port }) => `127.0.0.1:${port}`)
    for (let count = 0; count < 5; count++) {
      const opened = await open({ open: openAt({ url: 'redis://nowhere', sentinel: { name: 'primary', nodes } }) })
      await expectToWork(opened)
      expect(opened.store).toBeDefined()
      await opened.store.close()
    }
    expect(await redisCommand(old.url, 'DBSIZE')).toBe(0)
    const unknown = openAt({ url: 'redis://nowhere', sentinel: { name: 'another', nodes } })
    await expect(open({ open: unknown })).rejects.toThrow(/no sentinel names the primary "another": .*No such master/)
  })
})

describe('a server that is loading its data', () => {
  it('is no server yet, and is taken up when it is one', async () => {
    const slow = ['--key-load-delay', '10000', '--loading-process-events-interval-bytes', '1024']
    const server = await startRedis(...slow)
    onTestFinished(() => server.stop())
    const opened = await open({}, server.url)
    const { store, link } = opened
    const records = Array.from({ length: 190 }, () => createRecord(link.now()))
    await Promise.all(records.map((record) => store.add(record)))
    await redisCommand(server.url, 'SAVE')
    await server.signal('SIGKILL')
    const starting = server.start()
    await expect.poll(() => warningsOf(opened).some((message) => message.includes('LOADING')), patience).toBe(true)
    const { id } = records[0]!
    await expect((async () => store.find(id))()).rejects.toThrow(/Redis/)
    await starting
    const find = (): Promise<unknown> => (async () => (await store.find(id))?.id)().catch(() => 'not yet')
    await expect.poll(find, patience).toBe(id)
  })
})
