/** Users in hundreds of groups, and groups with hundreds of members, at a real directory. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type LdapUserStore, type LdapUserStoreOptions, ldapUserStore } from '../../../lib/ldap.js'
import {
  folderEntry,
  groupEntry,
  type LdifEntry,
  type Slapd,
  service,
  startSlapd,
  suffix,
  userEntry,
} from '../../helpers/slapd.js'
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.js'

const people = `ou=People,${suffix}`
const groups = `ou=Groups,${suffix}`
const posix = `ou=Posix,${suffix}`
const password = 'alice-secret'
const dnOf = (name: string): string => groupEntry(name, [], groups)[0]
const userDn = (name: string): string => userEntry(name, '', people)[0]
const numbered = (count: number, name: string): string[] =>
  Array.from({ length: count }, (_, index) => `${name}${index}`)

const direct = numbered(400, 'direct')
const above = numbered(20, 'above')
const crowd = numbered(300, 'user')

/** A group that says, as directories with such an overlay do, which groups it is in; its other name is in `description`. */
function group(name: string, members: readonly string[], parents: readonly string[] = []): LdifEntry {
  const [dn, attributes] = groupEntry(name, members, groups)
  const memberOf = parents.length > 0 ? { memberOf: parents.map(dnOf) } : {}
  return [dn, { ...attributes, ...memberOf, description: `the ${name}` }]
}

const entries: readonly LdifEntry[] = [
  ...[people, groups, posix].map(folderEntry),
  userEntry('alice', password, people, { memberOf: direct.map(dnOf) }),
  ...crowd.map((name) => userEntry(name, `${name}-secret`, people)),
  ...direct.map((name, index) => group(name, [userDn('alice')], [above[index % above.length]!])),
  ...above.map((name, index) =>
    group(name, direct.filter((_, child) => child % above.length === index).map(dnOf), ['top']),
  ),
  group('top', above.map(dnOf), ['top of all']),
  group('top of all', [dnOf('top'), dnOf('loop')], ['loop']),
  group('loop', [dnOf('top of all')], ['top of all']),
  group('all', crowd.map(userDn)),
  [`cn=staff,${posix}`, { objectClass: 'posixGroup', cn: 'staff', gidNumber: '1', memberUid: crowd }],
]

describe('hundreds of groups', () => {
  let server: Slapd
  let proxy: TcpProxy
  let store: LdapUserStore | undefined
  const warnings: string[] = []
  const keep = (warning: Error): void => void warnings.push(warning.name)

  beforeAll(async () => {
    server = await startSlapd({ entries })
    proxy = await startTcpProxy(server.port)
    process.on('warning', keep)
  })

  afterEach(() => {
    store?.close()
    proxy.onData = undefined
  })

  afterAll(async () => {
    process.off('warning', keep)
    expect(warnings).toEqual([])
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
      ...options,
    })
    return store
  }

  /** Requests that are on their way to the directory. */
  function countRequests(): () => number {
    let count = 0
    proxy.onData = () => {
      count++
      return true
    }
    return () => count
  }

  const everyone = 'Internal/everyone'
  const sorted = (...names: readonly string[]): string[] => [everyone, ...names].sort()

  it.each([
    ['by their members, one level', { nestedGroupDepth: 0 }, sorted(...direct)],
    ['by their members, two levels', { nestedGroupDepth: 1 }, sorted(...direct, ...above)],
    [
      'by their members, all levels, in a circle',
      { nestedGroupDepth: 9 },
      sorted(...direct, ...above, 'top', 'top of all', 'loop'),
    ],
    ['by memberOf, one level', { nestedGroupDepth: 0, memberOfAttribute: 'memberOf' }, sorted(...direct)],
    ['by memberOf, two levels', { nestedGroupDepth: 1, memberOfAttribute: 'memberOf' }, sorted(...direct, ...above)],
    [
      'by memberOf, all levels, in a circle',
      { nestedGroupDepth: 9, memberOfAttribute: 'memberOf' },
      sorted(...direct, ...above, 'top', 'top of all', 'loop'),
    ],
    [
      'by memberOf, with names that only the groups tell',
      {
        memberOfAttribute: 'memberOf',
        groupNameAttribute: 'description',
        groupNameSearchFilter: '(description=?)',
      },
      sorted(...direct.map((name) => `the ${name}`)),
    ],
  ] as const)('are read %s, for 30 logins of one user at a time', async (_how, options, roles) => {
    const users = open(options)
    const requests = countRequests()
    const logIn = () => users.authenticate('alice', password, new AbortController().signal)
    const logins = await Promise.all(Array.from({ length: 30 }, logIn))
    for (const { account } of logins) expect(account?.roles).toEqual(roles)
    // A search, a bind and the bind of a connection for each login; the groups are read a few times over at most.
    expect(requests()).toBeLessThan(30 * 3 + 100)
  })

  it('that one login waits for are read on when another login has gone', async () => {
    const users = open({ nestedGroupDepth: 9 })
    const gone = new AbortController()
    let bound = 0
    proxy.onData = (bytes) => {
      if (bytes.includes('groupOfNames') && bound++ === 0) gone.abort(new Error('gone'))
      return true
    }
    const first = users.authenticate('alice', password, gone.signal).catch((error: Error) => error.message)
    const second = users.authenticate('alice', password)
    expect(await first).toBe('gone')
    expect((await second).account?.roles).toContain('top of all')
  })

  it('lose a member at once', async () => {
    const users = open({ readOnly: false, nestedGroupDepth: 9 })
    const before = users.find('alice')
    await users.changeRoles('alice', { added: [], removed: ['direct0'] })
    expect((await users.find('alice'))?.roles).not.toContain('direct0')
    await before
    await users.changeRoles('alice', { added: ['direct0'], removed: [] })
    expect((await users.find('alice'))?.roles).toContain('direct0')
  })

  it('are given and taken in one change', async () => {
    const users = open({ readOnly: false })
    const signal = new AbortController().signal
    await users.changeRoles('user0', { added: direct.slice(0, 40), removed: [] }, signal)
    expect((await users.find('user0'))?.roles).toHaveLength(42)
    await users.changeRoles('user0', { added: [], removed: direct.slice(0, 40) }, signal)
    expect((await users.find('user0'))?.roles).toEqual([everyone, 'all'])
  })

  it('have hundreds of members, as entries and as names', async () => {
    const signal = new AbortController().signal
    expect(await open({ maxUsers: 300 }).listMembers('all', signal)).toEqual([...crowd].sort())
    const names = open({
      maxUsers: 300,
      groupSearchBase: posix,
      membershipAttribute: 'memberUid',
      groupNameListFilter: '(objectClass=posixGroup)',
      groupNameSearchFilter: '(&(objectClass=posixGroup)(cn=?))',
    })
    expect(await names.listMembers('staff', signal)).toEqual([...crowd].sort())
  })
})
