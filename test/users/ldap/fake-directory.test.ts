/** Answers that a real directory does not give on demand: Active Directory's, and those of one that is broken or evil. */

import { afterEach, describe, expect, it } from 'vitest'
import { type LdapUserStore, type LdapUserStoreOptions, ldapUserStore } from '../../../lib/ldap.js'
import { Directory } from '../../../lib/users/ldap/directory.js'
import { entry, type FakeLdap, type FakeRequest, request, result, startFakeLdap } from '../../helpers/fake-ldap.js'

const people = 'ou=People,dc=example,dc=org'
const groups = 'ou=Groups,dc=example,dc=org'
const aliceDn = `CN=Alice,${people}`
const password = 'alice-secret'

const bindDone = 0x61
const searchDone = 0x65
const extendedDone = 0x78
const success = 0

let fake: FakeLdap | undefined
let store: LdapUserStore | undefined

afterEach(async () => {
  store?.close()
  await fake?.stop()
})

function open(options: Partial<LdapUserStoreOptions> = {}): LdapUserStore {
  store = ldapUserStore({
    connectionUrl: fake!.url,
    connectionName: 'cn=service',
    connectionPassword: 'service-secret',
    userSearchBase: people,
    userNameAttribute: 'sAMAccountName',
    userNameSearchFilter: '(&(objectCategory=person)(sAMAccountName=?))',
    groupSearchBase: groups,
    readTimeoutMs: 300,
    ...options,
  })
  return store
}

const alice = { sAMAccountName: ['alice'], objectClass: ['user'], userAccountControl: ['512'], pwdLastSet: ['1'] }
const isUserBind = ({ tag, text }: FakeRequest): boolean => tag === request.bind && !text.includes('cn=service')
const isGroupSearch = ({ tag, text }: FakeRequest): boolean => tag === request.search && text.includes('groupOfNames')

/** A directory with one user, whose password is always right, and no group; `special` goes first. */
async function startWith(
  special: (asked: FakeRequest) => readonly Buffer[] | undefined | 'as usual',
  ...more: Parameters<typeof startFakeLdap> extends [unknown, ...infer Rest] ? Rest : never
): Promise<void> {
  fake = await startFakeLdap(
    (asked) => {
      const answer = special(asked)
      return answer === 'as usual' ? usualAnswer(asked) : answer
    },
    ...more,
  )
}

function usualAnswer(asked: FakeRequest): readonly Buffer[] {
  if (asked.tag === request.bind) return [result(asked.id, bindDone, success)]
  const found = isGroupSearch(asked) ? [] : [entry(asked.id, aliceDn, alice)]
  return [...found, result(asked.id, searchDone, success)]
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no failure',
    (error: unknown) => error,
  )

describe.each<[string, (asked: FakeRequest) => readonly Buffer[] | undefined]>([
  ['cuts the connection', () => undefined],
  ['says nothing', () => []],
  ['answers "busy"', ({ id }) => [result(id, bindDone, 51)]],
  ['answers "unavailable"', ({ id }) => [result(id, bindDone, 52)]],
])('a first server that takes connections and %s at a bind', (_how, answerBind) => {
  let now = 0
  let first: FakeLdap
  const openBoth = (options: Partial<LdapUserStoreOptions> = {}): LdapUserStore =>
    open({ connectionUrl: `${first.url} ${fake!.url}`, connectionRetryDelayMs: 2000, clock: () => now, ...options })

  afterEach(() => first.stop())

  it.each([true, false])('is left for the second by every login; connections kept: %s', async (keepConnections) => {
    await startWith(() => 'as usual')
    first = await startFakeLdap(answerBind)
    const users = openBoth({ keepConnections })
    for (let login = 0; login < 4; login++) {
      expect(await users.authenticate('alice', password)).toHaveProperty('account')
      now += 2001
    }
    expect(first.requests.some(isUserBind)).toBe(false)
  })

  it('costs one login where it is the user who binds there, and is used again when a search succeeds there', async () => {
    await startWith(() => 'as usual')
    let isBroken = true
    first = await startFakeLdap((asked) => {
      if (!isUserBind(asked) || !isBroken) return usualAnswer(asked)
      isBroken = false
      return answerBind(asked)
    })
    const users = openBoth({ keepConnections: false })
    expect(await failure(users.authenticate('alice', password))).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(await users.authenticate('alice', password)).toHaveProperty('account')
    expect(fake!.requests.some(isUserBind)).toBe(true)
    now += 2001
    const before = fake!.requests.length
    expect(await users.authenticate('alice', password)).toHaveProperty('account')
    expect(fake!.requests).toHaveLength(before)
  })
})

it.each([2 ** 31, Number.MAX_SAFE_INTEGER])('a time limit of %d ms is not over at once', async (milliseconds) => {
  await startWith(() => 'as usual')
  const users = open({ readTimeoutMs: milliseconds, connectTimeoutMs: milliseconds, queueTimeoutMs: milliseconds })
  for (let login = 0; login < 5; login++) {
    expect(await users.authenticate('alice', password)).toHaveProperty('account')
  }
})

it('a service password that one server refuses is sent to no other', async () => {
  await startWith(() => 'as usual')
  const first = await startFakeLdap(({ id }) => [result(id, bindDone, 49)])
  const users = open({ connectionUrl: `${first.url} ${fake!.url}` })
  expect(await failure(users.authenticate('alice', password))).toMatchObject({ resultCode: 49 })
  expect(fake!.requests).toEqual([])
  await first.stop()
})

it('a bind of the service that was cut once stops logins for a moment, whatever ConnectionRetryDelay is', async () => {
  let now = 0
  let isFirst = true
  await startWith(() => {
    const answer = isFirst ? undefined : 'as usual'
    isFirst = false
    return answer
  })
  const users = open({ connectionRetryDelayMs: 120_000, clock: () => now })
  expect(await failure(users.authenticate('alice', password))).toMatchObject({ kind: 'connection' })
  now += 250
  expect(await users.authenticate('alice', password)).toHaveProperty('account')
})

describe('Active Directory', () => {
  it('has all groups of a user whose memberOf comes in parts', async () => {
    const dns = ['one', 'two', 'three'].map((name) => `CN=${name},${groups}`)
    await startWith((asked) => {
      const { id, tag, text } = asked
      if (tag !== request.search) return 'as usual'
      const isSecond = text.includes('range=2-*')
      const attributes = isSecond
        ? { 'memberOf;range=2-*': dns.slice(2) }
        : { ...alice, memberOf: [], 'memberOf;range=0-1': dns.slice(0, 2) }
      return [entry(id, aliceDn, attributes), result(id, searchDone, success)]
    })
    const { account } = await open({ memberOfAttribute: 'memberOf' }).authenticate('alice', password)
    expect(account?.roles).toEqual(['Internal/everyone', 'one', 'three', 'two'])
  })

  it('does not ask for the same part for ever', async () => {
    await startWith(({ id, tag }) => {
      if (tag !== request.search) return 'as usual'
      return [
        entry(id, aliceDn, { ...alice, 'memberOf;range=0-1': [`CN=one,${groups}`] }),
        result(id, searchDone, success),
      ]
    })
    const { account } = await open({ memberOfAttribute: 'memberOf' }).authenticate('alice', password)
    expect(account?.roles).toEqual(['Internal/everyone', 'one'])
  })

  describe('with groups in groups', () => {
    const dnOfGroup = (name: string): string => `CN=${name},${groups}`
    const memberOf: Readonly<Record<string, readonly string[]>> = {
      one: ['above', 'outside'],
      above: ['top'],
      top: ['above'],
    }
    const chain = ['one', 'above', 'top'].map((name) => ({ name, memberOf: memberOf[name]!.map(dnOfGroup) }))
    const isChainSearch = ({ text }: FakeRequest): boolean => text.includes('1.2.840.113556.1.4.1941')

    async function startChain(capabilities: readonly string[]): Promise<void> {
      await startWith((asked) => {
        const { id, tag, text } = asked
        if (tag !== request.search) return 'as usual'
        const done = result(id, searchDone, success)
        if (text.includes('supportedCapabilities'))
          return [entry(id, '', { supportedCapabilities: capabilities }), done]
        if (isChainSearch(asked)) {
          return [...chain.map(({ name, memberOf }) => entry(id, dnOfGroup(name), { cn: [name], memberOf })), done]
        }
        return [entry(id, aliceDn, { ...alice, memberOf: [dnOfGroup('one'), 'CN=Elsewhere,DC=other'] }), done]
      })
    }

    it.each([
      ['of its own class', { activeDirectory: true }, [], 0],
      ['that says so', {}, ['1.2.840.113556.1.4.800'], 1],
    ] as const)(
      '%s reads all of them in one search, as deep as is asked for',
      async (_what, options, capabilities, asked) => {
        await startChain(capabilities)
        const users = open({ ...options, nestedGroupDepth: 1 })
        expect((await users.authenticate('alice', password)).account?.roles).toEqual([
          'Internal/everyone',
          'above',
          'one',
        ])
        expect(fake!.requests.filter(isChainSearch)).toHaveLength(1)
        users.close()
        const deep = open({ ...options, nestedGroupDepth: 9, memberOfAttribute: 'memberOf' })
        for (const _ of [1, 2]) {
          const { account } = await deep.authenticate('alice', password)
          expect(account?.roles).toEqual(['Internal/everyone', 'above', 'one', 'top'])
        }
        expect(fake!.requests.filter(isChainSearch)).toHaveLength(3)
        expect(fake!.requests.filter(({ text }) => text.includes('supportedCapabilities'))).toHaveLength(2 * asked)
      },
    )

    it('is not asked so when it is another directory', async () => {
      await startChain([])
      await open({ nestedGroupDepth: 1 }).authenticate('alice', password)
      expect(fake!.requests.filter(isChainSearch)).toHaveLength(0)
    })
  })

  it('says of a disabled account that it is', async () => {
    await startWith(({ id, tag }) =>
      tag === request.search
        ? [entry(id, aliceDn, { ...alice, userAccountControl: ['514'] }), result(id, searchDone, success)]
        : 'as usual',
    )
    expect(await open().authenticate('alice', password)).toMatchObject({ failure: 'disabled' })
    expect(await open().find('alice')).toBeUndefined()
  })

  it.each([
    ['52e', 'wrong-password'],
    ['525', 'wrong-password'],
    ['530', 'disabled'],
    ['532', 'disabled'],
    ['533', 'disabled'],
    ['701', 'disabled'],
    ['773', 'disabled'],
    ['775', 'disabled'],
  ])('refuses a bind with data %s as %s', async (data, outcome) => {
    const message = `80090308: LdapErr: DSID-0C090446, comment: AcceptSecurityContext error, data ${data}, v2580`
    await startWith((asked) => (isUserBind(asked) ? [result(asked.id, bindDone, 49, message)] : 'as usual'))
    expect(await open().authenticate('alice', password)).toMatchObject({ failure: outcome })
  })

  it('has another version when the time of the password changes', async () => {
    let pwdLastSet = '1'
    await startWith(({ id, tag, text }) =>
      tag === request.search && !text.includes('groupOfNames')
        ? [entry(id, aliceDn, { ...alice, pwdLastSet: [pwdLastSet] }), result(id, searchDone, success)]
        : 'as usual',
    )
    const users = open()
    const before = await users.find('alice')
    expect((await users.find('alice'))?.version).toBe(before?.version)
    pwdLastSet = '2'
    expect((await users.find('alice'))?.version).not.toBe(before?.version)
  })
})

describe('an answer', () => {
  it('that comes byte by byte is read', async () => {
    await startWith(
      () => 'as usual',
      (socket, bytes) => {
        for (const byte of bytes) socket.write(Buffer.of(byte))
      },
    )
    expect((await open().authenticate('alice', password)).account?.subject).toBe('alice')
  })

  it.each([1, 8, 10, 12, 14, 32, 34, 48, 50, 51, 52, 53, 80])(
    'to a bind with result code %i is no wrong password',
    async (code) => {
      await startWith((asked) => (isUserBind(asked) ? [result(asked.id, bindDone, code)] : 'as usual'))
      expect(await failure(open().authenticate('alice', password))).toMatchObject({ kind: 'result', resultCode: code })
    },
  )

  it.each([
    ['success of a search', ({ id }: FakeRequest) => [result(id, searchDone, success)]],
    ['success of another request', ({ id }: FakeRequest) => [result(id + 1, bindDone, success)]],
    ['a notice that the connection ends', () => [result(0, extendedDone, 52), result(1, bindDone, success)]],
    ['no LDAP', () => [Buffer.from('HTTP/1.1 200 OK\r\n\r\n')]],
    ['a part of one', ({ id }: FakeRequest) => [result(id, bindDone, success).subarray(0, -1)]],
    ['the end of the connection', () => undefined],
  ])('to a bind that is %s logs nobody in', async (_what, answer) => {
    await startWith((asked) => (isUserBind(asked) ? answer(asked) : 'as usual'))
    expect(await failure(open().authenticate('alice', password))).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  })

  it.each([1, 3, 10, 50, 51, 52, 80])(
    'to a search with result code %i is no missing user and no end of groups',
    async (code) => {
      await startWith(({ id, tag }) => (tag === request.search ? [result(id, searchDone, code)] : 'as usual'))
      for (const work of [
        open().authenticate('alice', password),
        open().listRoles(),
        Promise.resolve(open().find('alice')),
      ]) {
        expect(await failure(work)).toMatchObject({ kind: 'result', resultCode: code })
      }
    },
  )

  it('that is cut at the size limit after one entry is no single hit', async () => {
    await startWith((asked) =>
      asked.tag === request.search && !isGroupSearch(asked)
        ? [entry(asked.id, aliceDn, alice), result(asked.id, searchDone, 4)]
        : 'as usual',
    )
    expect(await open().authenticate('alice', password)).toEqual({ failure: 'unknown-user' })
    expect(await open().find('alice')).toBeUndefined()
  })

  it('that is cut after some groups is a failure', async () => {
    await startWith((asked) => (isGroupSearch(asked) ? [result(asked.id, searchDone, 4)] : 'as usual'))
    expect(await failure(open().authenticate('alice', password))).toMatchObject({ kind: 'result' })
    expect(await open().listRoles()).toEqual(['Internal/everyone'])
  })

  it('with another user is none', async () => {
    await startWith(({ id, tag }) =>
      tag === request.search
        ? [entry(id, `CN=Bob,${people}`, { ...alice, sAMAccountName: ['bob'] }), result(id, searchDone, success)]
        : 'as usual',
    )
    expect(await open().authenticate('alice', password)).toEqual({ failure: 'unknown-user' })
  })

  it.each([
    ['no name', {}],
    ['a name that is no text', { sAMAccountName: ['\xff\xfe'] }],
    ['a name with a control character', { sAMAccountName: ['alice\n'] }],
  ])('with an entry with %s is none', async (_what, more) => {
    await startWith(({ id, tag }) =>
      tag === request.search
        ? [entry(id, aliceDn, { objectClass: ['user'], ...more }), result(id, searchDone, success)]
        : 'as usual',
    )
    expect(await open().authenticate('alice', password)).toEqual({ failure: 'unknown-user' })
  })

  it('that a forger puts behind the one to StartTLS is not taken for one to the bind', async () => {
    await startWith(({ id, tag }) =>
      tag === request.extended
        ? [result(id, extendedDone, success), result(1, bindDone, success), result(2, bindDone, success)]
        : 'as usual',
    )
    const users = open({ startTls: true, connectTimeoutMs: 300 })
    expect(await failure(users.authenticate('alice', password))).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(fake!.requests.map(({ tag }) => tag)).toEqual([request.extended])
  })
})

describe('a bind', () => {
  it.each([
    ['', password],
    [aliceDn, ''],
  ])('as %j with %j is not even sent', async (dn, given) => {
    await startWith(() => 'as usual')
    const directory = new Directory({
      servers: [{ host: '127.0.0.1', port: Number(new URL(fake!.url).port), isTls: false }],
      ca: undefined,
      startTls: false,
      refuseReferrals: false,
      service: undefined,
      connectTimeoutMs: 300,
      readTimeoutMs: 300,
      retryDelayMs: 1,
      maxConnections: 1,
      maxWaiting: 1,
      queueTimeoutMs: 300,
      maxIdleMs: 0,
      now: () => 0,
    })
    expect(await directory.bind(dn, given)).toBe('wrong-password')
    expect(fake!.requests).toEqual([])
    directory.close()
  })
})

describe('a search', () => {
  it('has limits of size and time, and follows no alias', async () => {
    await startWith(() => 'as usual')
    await open().find('alice')
    const [, search] = fake!.requests
    // derefAliases never, sizeLimit 10, timeLimit 1, typesOnly false (RFC 4511 section 4.5.1).
    expect(search!.text).toContain('\x0a\x01\x00\x02\x01\x0a\x02\x01\x01\x01\x01\x00')
  })

  it('is done without a bind when nobody in particular may search', async () => {
    await startWith(() => 'as usual')
    await open({ connectionName: '', connectionPassword: '', bindAnonymously: true }).find('alice')
    expect(fake!.requests.map(({ tag }) => tag)).toEqual([request.search, request.search])
  })

  it('never shows a password in an error', async () => {
    await startWith((asked) => (isUserBind(asked) ? undefined : 'as usual'))
    const error = (await failure(open().authenticate('alice', password))) as Error
    expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain('secret')
  })
})
