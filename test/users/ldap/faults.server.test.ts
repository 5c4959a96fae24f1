/** What happens to logins when a real directory fails: never a wrong answer, and it heals by itself. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { StoreError } from '../../../lib/core/errors.js'
import { LdapError, type LdapUserStore, type LdapUserStoreOptions, ldapUserStore } from '../../../lib/ldap.js'
import { folderEntry, groupEntry, type Slapd, service, startSlapd, suffix, userEntry } from '../../helpers/slapd.js'
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.js'

const people = `ou=People,${suffix}`
const groups = `ou=Groups,${suffix}`
const names = Array.from({ length: 25 }, (_, number) => `user${number}`)
const passwordOf = (name: string): string => `${name}-secret`
const entries = [
  folderEntry(people),
  folderEntry(groups),
  groupEntry('admin', [], groups),
  ...names.map((name) => userEntry(name, passwordOf(name), people)),
]

/** A clock that tests move, so that nobody waits for the pause after a failure. */
let now = 0
const pauseMs = 2000

/** Tests that hold the directory wait so long. What is expected to be good must be done in it on a busy machine, too. */
const readTimeoutMs = 3000

describe('a directory that fails', () => {
  let server: Slapd
  let proxy: TcpProxy
  let store: LdapUserStore | undefined

  beforeAll(async () => {
    server = await startSlapd({ entries })
    proxy = await startTcpProxy(server.port)
  })

  afterEach(async () => {
    store?.close()
    proxy.onData = undefined
    await server.signal('SIGCONT')
  })

  afterAll(async () => {
    await proxy.stop()
    await server.stop()
  })

  function open(options: Partial<LdapUserStoreOptions> = {}): LdapUserStore {
    store = ldapUserStore({
      connectionUrl: `ldap://127.0.0.1:${proxy.port}`,
      connectionName: service.dn,
      connectionPassword: service.password,
      userSearchBase: people,
      groupSearchBase: groups,
      connectionRetryDelayMs: pauseMs,
      clock: () => now,
      ...options,
    })
    return store
  }

  const logIn = (users: LdapUserStore, name = 'user0', password = passwordOf(name)) =>
    users.authenticate(name, password)
  const failure = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'no failure',
      (error: unknown) => error,
    )
  const timesSent = (text: string): number => proxy.sent().toString('latin1').split(text).length - 1

  it('killed during a bind gives a failure of the store, and logs in after it is back', async () => {
    const users = open()
    let killed: Promise<void> | undefined
    proxy.onData = (bytes) => {
      if (bytes.includes(passwordOf('user0'))) killed ??= server.signal('SIGKILL')
      return killed === undefined
    }
    expect(await failure(logIn(users))).toBeInstanceOf(StoreError)
    await killed
    expect(await failure(logIn(users))).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', kind: 'connection' })
    proxy.onData = undefined
    await server.start()
    now += pauseMs
    expect(await logIn(users)).toHaveProperty('account')
  })

  it('stopped during a bind gives a failure after the read time-out, and the late answer goes to nobody', async () => {
    const users = open({ readTimeoutMs })
    expect(await logIn(users)).toHaveProperty('account')
    let isStopped = false
    proxy.onData = (bytes) => {
      if (bytes.includes(passwordOf('user1')) && !isStopped) {
        isStopped = true
        void server.signal('SIGSTOP')
      }
      return true
    }
    expect(await failure(logIn(users, 'user1'))).toMatchObject({ kind: 'timeout' })
    await server.signal('SIGCONT')
    now += pauseMs
    expect(await logIn(users, 'user1', 'wrong-secret')).toMatchObject({ failure: 'wrong-password' })
    expect(await logIn(users, 'user1')).toHaveProperty('account')
  })

  it('stopped is tried by nobody during the pause, and then by one alone', async () => {
    const users = open({ readTimeoutMs })
    await server.signal('SIGSTOP')
    expect(await failure(logIn(users))).toMatchObject({ kind: 'timeout' })
    const before = proxy.connections()
    await Promise.all(names.map((name) => failure(logIn(users, name))))
    expect(proxy.connections()).toBe(before)
    now += pauseMs
    const outcomes = await Promise.all(names.map((name) => failure(logIn(users, name))))
    expect(outcomes.every((outcome) => outcome instanceof StoreError)).toBe(true)
    expect(proxy.connections()).toBe(before + 1)
    await server.signal('SIGCONT')
    now += pauseMs
    expect(await logIn(users)).toHaveProperty('account')
  })

  it('that closes idle connections is asked once more, and each password is sent once', async () => {
    const users = open()
    expect(await logIn(users)).toHaveProperty('account')
    const opened = proxy.connections()
    let dropped = 0
    proxy.onData = (_bytes, connection) => {
      if (connection <= opened) dropped++
      return connection > opened
    }
    const before = timesSent(passwordOf('user3'))
    expect(await logIn(users, 'user3')).toHaveProperty('account')
    expect(dropped).toBe(1)
    expect(timesSent(passwordOf('user3'))).toBe(before + 1)
  })

  describe('whose idle connections a firewall has dropped without a word', () => {
    /** Logs ten users in at a time, and drops all connections that are open then. */
    async function openAndDrop(options: Partial<LdapUserStoreOptions> = {}) {
      const users = open({ readTimeoutMs, ...options })
      await Promise.all(names.slice(10, 20).map((name) => logIn(users, name)))
      const opened = proxy.connections()
      const swallowed: number[] = []
      proxy.onData = (_bytes, connection) => {
        if (connection > opened) return true
        swallowed.push(connection)
        return 'swallow'
      }
      return { users, swallowed }
    }

    it('logs everybody in who comes then, by searches that are done once more', async () => {
      const { users, swallowed } = await openAndDrop()
      const logins = await Promise.all(names.slice(10, 20).map((name) => logIn(users, name)))
      for (const login of logins) expect(login).toHaveProperty('account')
      expect(new Set(swallowed).size).toBeGreaterThan(0)
      const before = swallowed.length
      expect(await logIn(users)).toHaveProperty('account')
      expect(swallowed).toHaveLength(before)
    })

    it('uses none of them that has been idle for a minute', async () => {
      const { users, swallowed } = await openAndDrop()
      now += 60_000
      expect(await logIn(users)).toHaveProperty('account')
      expect(swallowed).toEqual([])
    })

    it('keeps none with ConnectionPoolingEnabled = false', async () => {
      const { users, swallowed } = await openAndDrop({ keepConnections: false })
      expect(await logIn(users)).toHaveProperty('account')
      expect(swallowed).toEqual([])
    })

    it('uses the one that was used last, so that the others grow old', async () => {
      const { users } = await openAndDrop()
      proxy.onData = undefined
      now += 50_000
      expect(await logIn(users)).toHaveProperty('account')
      now += 50_000
      const used = new Set<number>()
      const opened = proxy.connections()
      proxy.onData = (_bytes, connection) => {
        used.add(connection)
        return true
      }
      expect(await logIn(users)).toHaveProperty('account')
      expect([...used].filter((connection) => connection <= opened)).toHaveLength(1)
    })
  })

  it('that swallows a bind is not sent the password again', async () => {
    const users = open({ readTimeoutMs: 500 })
    proxy.onData = (bytes) => (bytes.includes('user6-swallowed') ? 'swallow' : true)
    expect(await failure(logIn(users, 'user6', 'user6-swallowed'))).toMatchObject({ kind: 'timeout' })
    expect(timesSent('user6-swallowed')).toBe(1)
  })

  it('that closes the connection of a bind is not sent the password again', async () => {
    const users = open()
    proxy.onData = (bytes) => !bytes.includes(passwordOf('user4'))
    expect(await failure(logIn(users, 'user4'))).toMatchObject({ kind: 'connection' })
    expect(timesSent(passwordOf('user4'))).toBe(1)
  })

  it('serves 500 logins at a time by 10 connections, each with its own answer', async () => {
    const crowd = await startTcpProxy(server.port)
    const users = open({ connectionUrl: `ldap://127.0.0.1:${crowd.port}`, maxConnections: 10, queueTimeoutMs: 60_000 })
    const logins = Array.from({ length: 500 }, async (_, index) => {
      const name = names[index % names.length]!
      const isRight = index % 4 !== 0
      const { account } = await logIn(users, name, passwordOf(isRight ? name : names[(index + 1) % names.length]!))
      expect([index, account?.subject]).toEqual([index, isRight ? name : undefined])
    })
    await Promise.all(logins)
    // Ten for searches and ten for binds; the proxy hears a little late that one is closed.
    expect(crowd.mostConnections()).toBeLessThanOrEqual(60)
    users.close()
    await crowd.stop()
  })

  it('refuses those who wait too long or are too many', async () => {
    const users = open({ maxConnections: 1, maxWaiting: 5, queueTimeoutMs: 100, readTimeoutMs })
    await server.signal('SIGSTOP')
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => failure(logIn(users))))
    await server.signal('SIGCONT')
    const kinds = outcomes.map((outcome) => (outcome as LdapError).kind)
    expect(kinds.filter((kind) => kind === 'overloaded')).toHaveLength(14)
    expect(kinds.filter((kind) => kind === 'timeout')).toHaveLength(6)
    now += pauseMs
    expect(await logIn(users)).toHaveProperty('account')
  })

  it('lets one who has gone leave the queue', async () => {
    const users = open({ maxConnections: 1 })
    const gone = new AbortController()
    const first = logIn(users)
    const second = failure(users.authenticate('user1', passwordOf('user1'), gone.signal))
    gone.abort(new Error('gone'))
    expect(await second).toMatchObject({ message: 'gone' })
    expect(await first).toHaveProperty('account')
  })

  it('is left for the next one of several, and a wrong password is asked of one alone', async () => {
    const users = open({ connectionUrl: `ldap://127.0.0.1:1 ldap://127.0.0.1:${proxy.port}` })
    expect(await logIn(users, 'user5')).toHaveProperty('account')
    const before = timesSent('never-right')
    expect(await logIn(users, 'user5', 'never-right')).toMatchObject({ failure: 'wrong-password' })
    expect(timesSent('never-right')).toBe(before + 1)
  })

  it('that refuses the service account is no wrong password', async () => {
    expect(await failure(logIn(open({ connectionPassword: 'wrong' })))).toMatchObject({
      kind: 'result',
      resultCode: 49,
    })
  })

  it('is not asked any more after close', async () => {
    const users = open()
    await logIn(users)
    users.close()
    expect(await failure(logIn(users))).toBeInstanceOf(LdapError)
  })

  describe('over TLS', () => {
    it.each([
      ['ldaps:// with its authority', () => ({ connectionUrl: server.tlsUrl, caFile: server.caFile })],
      [
        'StartTLS with its authority',
        () => ({ connectionUrl: `ldap://localhost:${server.port}`, caFile: server.caFile, startTls: true }),
      ],
    ])('is used by %s', async (_what, options) => {
      const users = open(options())
      expect(users.warnings.map(({ key }) => key)).not.toContain('user_store.connection_url')
      expect(await logIn(users)).toHaveProperty('account')
      expect(await logIn(users, 'user0', 'wrong-secret')).toMatchObject({ failure: 'wrong-password' })
    })

    it.each([
      ['ldaps:// without its authority', () => ({ connectionUrl: server.tlsUrl })],
      [
        'ldaps:// without its authority, unverified',
        () => ({ connectionUrl: server.tlsUrl, verifyCertificate: false }),
      ],
      [
        'ldaps:// at another name',
        () => ({ connectionUrl: `ldaps://127.0.0.1:${server.tlsPort}`, caFile: server.caFile }),
      ],
      ['StartTLS without its authority', () => ({ connectionUrl: `ldap://localhost:${server.port}`, startTls: true })],
      ['StartTLS at another name', () => ({ startTls: true, caFile: server.caFile })],
    ])('is refused by %s, before any bind', async (_what, options) => {
      const before = proxy.sent().length
      expect(await failure(logIn(open(options())))).toMatchObject({ kind: 'connection' })
      expect(proxy.sent().subarray(before).includes('secret')).toBe(false)
    })

    it('is verified although the environment says otherwise', async () => {
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
      try {
        expect(await failure(logIn(open({ connectionUrl: server.tlsUrl })))).toMatchObject({ kind: 'connection' })
      } finally {
        delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      }
    })

    it('is refused after it has started again with another certificate', async () => {
      const users = open({ connectionUrl: server.tlsUrl, caFile: server.caFile })
      expect(await logIn(users)).toHaveProperty('account')
      await server.signal('SIGKILL')
      server.changeCertificate()
      await server.start()
      expect(await failure(logIn(users))).toMatchObject({ kind: 'connection' })
    })
  })

  it('that refuses StartTLS is sent no password', async () => {
    const plain = await startSlapd({ entries, hasTls: false })
    const recorder = await startTcpProxy(plain.port)
    try {
      const users = open({ connectionUrl: `ldap://localhost:${recorder.port}`, startTls: true })
      expect(await failure(logIn(users))).toMatchObject({ message: 'The directory refuses StartTLS.' })
      expect(await failure(Promise.resolve(users.find('user0')))).toBeInstanceOf(StoreError)
      expect(recorder.sent().toString('latin1')).toContain('1.3.6.1.4.1.1466.20037')
      expect(recorder.sent().includes('cn=service')).toBe(false)
      expect(recorder.sent().includes('secret')).toBe(false)
    } finally {
      await recorder.stop()
      await plain.stop()
    }
  })
})
