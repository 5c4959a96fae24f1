/** Logins at a real directory: whose they are, and whose they are not. */

import { Attribute, Change } from 'ldapts'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { StoreError } from '../../../lib/core/errors.js'
import { type LdapUserStore, type LdapUserStoreOptions, ldapUserStore } from '../../../lib/ldap.js'
import {
  dnValue,
  folderEntry,
  groupEntry,
  type LdifEntry,
  type Slapd,
  service,
  startSlapd,
  strictPolicy,
  suffix,
  userEntry,
  warningPolicy,
} from '../../helpers/slapd.js'
import { startTcpProxy } from '../../helpers/tcp-proxy.js'
import { hostileNames } from '../sql/hostile-names.js'

const people = `ou=People,${suffix}`
const partners = `ou=Partners,${suffix}`
const groups = `ou=Groups,${suffix}`
const posix = `ou=Posix,${suffix}`
const crowd = `ou=Crowd,${suffix}`
const hostile = `ou=Hostile,${suffix}`
const dnOf = (name: string, base = people): string => userEntry(name, '', base)[0]
const passwordOf = (name: string): string => `secret of ${name.trim()}`
const person = (name: string, more: LdifEntry[1] = {}, base = people): LdifEntry =>
  userEntry(name, passwordOf(name), base, more)
const strict = { pwdPolicySubentry: strictPolicy }

const parallelNames = Array.from({ length: 20 }, (_, number) => `user${number}`)

const entries: readonly LdifEntry[] = [
  ...[people, partners, groups, posix, crowd, hostile].map(folderEntry),
  folderEntry(`ou=Users,${hostile}`),
  folderEntry(`ou=Groups,${hostile}`),
  ...['alice', 'bob', 'carol'].map((name) => userEntry(name, `${name}-secret`, `ou=Users,${hostile}`)),
  groupEntry('operators', [dnOf('bob', `ou=Users,${hostile}`)], `ou=Groups,${hostile}`),
  person('alice', { mail: 'alice@example.org', memberOf: groupEntry('admin', [], groups)[0] }),
  person('Anna-Lena', { memberOf: groupEntry('gone', [], groups)[0] }),
  person('twin'),
  person('twin', {}, partners),
  person('partner', {}, partners),
  person('Olga', { employeeNumber: 'OP-Olga', labeledURI: 'urn:Staff:Olga' }),
  person('Casey', {}, people),
  person('casey', {}, partners),
  person('two names', { uid: ['two names', 'second'] }),
  person(' blanks '),
  person('locked', strict),
  person('warned', { pwdPolicySubentry: warningPolicy, pwdChangedTime: '20200101000000Z' }),
  person('barred', { ...strict, pwdAccountLockedTime: '000001010000Z' }),
  person('expired', { ...strict, pwdChangedTime: '20200101000000Z' }),
  person('reset', { ...strict, pwdReset: 'TRUE' }),
  [dnOf('bare'), { objectClass: 'inetOrgPerson', uid: 'bare', cn: 'bare', sn: 'bare' }],
  [dnOf('alias'), { objectClass: ['alias', 'extensibleObject'], uid: 'alias', aliasedObjectName: dnOf('alice') }],
  [
    `ou=Elsewhere,${people}`,
    { objectClass: ['referral', 'extensibleObject'], ou: 'Elsewhere', ref: `ldap://127.0.0.1:1/${people}` },
  ],
  ...parallelNames.map((name) => person(name)),
  ...Array.from({ length: 230 }, (_, number) => person(`one of many ${number}`, {}, crowd)),
  groupEntry('admin', [dnOf('alice')], groups),
  groupEntry('inner', [dnOf('alice'), groupEntry('outer', [], groups)[0]], groups),
  groupEntry('middle', [groupEntry('inner', [], groups)[0]], groups),
  groupEntry('outer', [groupEntry('middle', [], groups)[0]], groups),
  groupEntry('Internal/admin', [dnOf('alice')], groups),
  groupEntry('ghosts', [dnOf('ghost'), dnOf('partner', partners)], groups),
  [`cn=staff,${posix}`, { objectClass: 'posixGroup', cn: 'staff', gidNumber: '1', memberUid: ['alice', 'partner'] }],
]

describe('a login at a directory', () => {
  let server: Slapd
  let store: LdapUserStore | undefined

  beforeAll(async () => {
    server = await startSlapd({ entries })
  })

  afterEach(() => store?.close())
  afterAll(() => server.stop())

  function open(options: Partial<LdapUserStoreOptions> = {}): LdapUserStore {
    store = ldapUserStore({
      connectionUrl: server.url,
      connectionName: service.dn,
      connectionPassword: service.password,
      userSearchBase: people,
      groupSearchBase: groups,
      ...options,
    })
    return store
  }

  const subjectOf = async (name: string, password: string, options?: Partial<LdapUserStoreOptions>) =>
    (await open(options).authenticate(name, password)).account?.subject

  it('knows the name and the e-mail address of a user', async () => {
    const { findProfile } = open()
    expect(await findProfile?.('alice')).toEqual({ name: 'alice', email: 'alice@example.org' })
    expect(await findProfile?.('Anna-Lena')).toEqual({ name: 'Anna-Lena', email: undefined })
    expect(await findProfile?.('nobody')).toBeUndefined()
  })

  describe('by name', () => {
    it.each([
      ['alice', 'alice'],
      ['ALICE', 'alice'],
      ['anna-lena', 'Anna-Lena'],
      [' blanks ', ' blanks '],
      ['two names', 'two names'],
      ['second', 'two names'],
    ])('gives %j the subject %j, as the directory spells it', async (name, subject) => {
      expect(await subjectOf(name, passwordOf(subject))).toBe(subject)
    })

    it.each([
      ['\uff41\uff4c\uff49\uff43\uff45', 'full width letters'],
      ['alice ', 'a blank behind'],
      [' alice', 'a blank before'],
      ['al\u00adice', 'an invisible character'],
      ['al\u0131ce', 'another i'],
      ['blanks', 'no blanks where there are some'],
      ['two  names', 'two blanks inside'],
      ['*', 'any name'],
      ['al*', 'the begin of one'],
      ['alice)(uid=*', 'a filter'],
      ['alice)(objectClass=*))(&(uid=x', 'another filter'],
      ['alice,ou=People', 'a part of a distinguished name'],
      ['alice\0', 'NUL'],
      ['alice\\00', 'what NUL is written as'],
      ['cn=alice', 'another attribute'],
    ])('takes %j for nobody: %s', async (name) => {
      const both = [open(), open({ userDnPattern: `uid={0},${people}` })]
      for (const each of both) {
        for (const password of [passwordOf('alice'), passwordOf('blanks'), passwordOf('two names')]) {
          expect(await each.authenticate(name, password)).toEqual({ failure: 'unknown-user' })
        }
        expect(await each.find(name)).toBeUndefined()
        each.close()
      }
    })

    it('compares with the attribute that the filter names, and the subject is the user name', async () => {
      const options = {
        userNameSearchFilter: '(&amp;(objectClass=person)\n  (|(uid=?)(mail=?@example.org) (cn=nobody)) )',
      }
      expect(await subjectOf('alice', passwordOf('alice'), options)).toBe('alice')
      const byMail = { userNameSearchFilter: '(mail=?)' }
      expect(await subjectOf('alice@example.org', passwordOf('alice'), byMail)).toBe('alice')
      expect(await subjectOf('*@example.org', passwordOf('alice'), byMail)).toBeUndefined()
      expect(await open(byMail).find('alice')).toMatchObject({ subject: 'alice' })
      expect(await open(byMail).find('alice@example.org')).toBeUndefined()
    })

    it.each([
      ['(employeeNumber=OP-?)', 'Olga', 'Olga'],
      ['(employeeNumber=op-?)', 'Olga', 'Olga'],
      ['(employeeNumber=OP-?)', 'olga', undefined],
      ['(labeledURI=urn:Staff:?)', 'Olga', 'Olga'],
      ['(labeledURI=urn:staff:?)', 'Olga', undefined],
      ['(employeeNumber=O\\50-?)', 'Olga', 'Olga'],
      ['(uid:caseExactMatch:=?)', 'Olga', 'Olga'],
    ])('finds by %s for %j, where letter case counts, %j', async (userNameSearchFilter, name, subject) => {
      expect(await subjectOf(name, passwordOf('Olga'), { userNameSearchFilter, ignoreCase: false })).toBe(subject)
    })

    it('tells two names that differ in letter case apart where it counts, and takes them for nobody where not', async () => {
      const bases = { userSearchBase: `${people}#${partners}` }
      const exact = open({ ...bases, ignoreCase: false })
      for (const name of ['Casey', 'casey']) {
        expect((await exact.authenticate(name, passwordOf(name))).account?.subject).toBe(name)
        expect((await exact.find(name))?.subject).toBe(name)
      }
      expect(await exact.authenticate('Casey', passwordOf('casey'))).toMatchObject({ failure: 'wrong-password' })
      exact.close()
      expect(await open(bases).authenticate('Casey', passwordOf('Casey'))).toEqual({ failure: 'unknown-user' })
    })

    it('refuses a name that two entries have, over all bases', async () => {
      const both = { userSearchBase: `${people} # ${partners}` }
      expect(await subjectOf('twin', passwordOf('twin'))).toBe('twin')
      expect(await subjectOf('partner', passwordOf('partner'), both)).toBe('partner')
      expect(await open(both).authenticate('twin', passwordOf('twin'))).toEqual({ failure: 'unknown-user' })
      const patterns = { userDnPattern: `uid={0},${people}#uid={0},${partners}` }
      expect(await subjectOf('partner', passwordOf('partner'), patterns)).toBe('partner')
      expect(await open(patterns).authenticate('twin', passwordOf('twin'))).toEqual({ failure: 'unknown-user' })
    })

    it('takes one entry that two bases have for one', async () => {
      expect(await subjectOf('alice', passwordOf('alice'), { userSearchBase: `${people}#OU=people, ${suffix}` })).toBe(
        'alice',
      )
    })

    it('asks no other server that the directory refers to, and fails where Referral is throw', async () => {
      const other = await startTcpProxy(server.port)
      const referral = {
        objectClass: ['referral', 'extensibleObject'],
        ou: 'Far',
        ref: `ldap://127.0.0.1:${other.port}/x`,
      }
      await server.manage((client) => client.add(`ou=Far,${partners}`, referral))
      const far = { userSearchBase: partners }
      try {
        expect(await subjectOf('partner', passwordOf('partner'), far)).toBe('partner')
        const strict = open({ ...far, refuseReferrals: true })
        const refers = { message: 'The directory refers to another server, which is not asked.' }
        await expect(strict.authenticate('partner', passwordOf('partner'))).rejects.toMatchObject(refers)
        await expect(strict.list({})).rejects.toMatchObject(refers)
        const beyond = open({ userSearchBase: `ou=Far,${partners}` })
        await expect(beyond.authenticate('partner', passwordOf('partner'))).rejects.toMatchObject(refers)
        const pattern = open({ userDnPattern: `uid={0},ou=Far,${partners}` })
        await expect(pattern.authenticate('partner', passwordOf('partner'))).rejects.toMatchObject(refers)
        expect(other.connections()).toBe(0)
      } finally {
        await other.stop()
      }
    })

    it('takes a name with a blank at an end for nobody where that is not allowed', async () => {
      const users = open({ allowOuterBlanks: false })
      expect(await users.authenticate(' blanks ', passwordOf('blanks'))).toEqual({ failure: 'unknown-user' })
      expect((await users.authenticate('two names', passwordOf('two names'))).account?.subject).toBe('two names')
    })

    it('follows neither an alias nor a referral', async () => {
      const filter = { userNameSearchFilter: '(uid=?)' }
      expect(await open(filter).authenticate('alias', passwordOf('alice'))).toEqual({ failure: 'unknown-user' })
      const pattern = { userDnPattern: `uid={0},${people}` }
      expect(await open(pattern).authenticate('alias', passwordOf('alice'))).toEqual({ failure: 'unknown-user' })
      const referred = open({ userSearchBase: `ou=Elsewhere,${people}` })
      await expect(referred.authenticate('alice', passwordOf('alice'))).rejects.toBeInstanceOf(StoreError)
    })
  })

  describe('with a password', () => {
    it.each(['', '\0', 'alice-secret\0', 'x'.repeat(2000)])(
      'refuses %j although the server takes none for a name',
      async (password) => {
        expect(await open().authenticate('alice', password)).toMatchObject({ failure: 'wrong-password' })
        expect(await open().authenticate('bare', password)).toMatchObject({ failure: 'wrong-password' })
      },
    )

    it('refuses a user without a password', async () => {
      expect(await open().authenticate('bare', 'any-secret')).toMatchObject({ failure: 'wrong-password' })
    })

    it('tells a locked account after three wrong passwords, and keeps its sessions', async () => {
      for (let count = 0; count < 3; count++) {
        expect(await open().authenticate('locked', 'wrong-secret')).toMatchObject({ failure: 'wrong-password' })
      }
      expect(await open().authenticate('locked', passwordOf('locked'))).toMatchObject({ failure: 'disabled' })
      expect(await open().find('locked')).toMatchObject({ subject: 'locked' })
    })

    it.each(['barred', 'expired', 'reset'])('takes a user whose password is %s for disabled', async (name) => {
      expect(await open().authenticate(name, passwordOf(name))).toMatchObject({ failure: 'disabled' })
    })

    it.each([
      ['barred', undefined],
      ['reset', undefined],
      ['expired', 'expired'],
    ])('finds for %s %j', async (name, subject) => {
      expect((await open().find(name))?.subject).toBe(subject)
    })

    it('lets a user in whom it warns that the password will expire', async () => {
      expect(await open().authenticate('warned', passwordOf('warned'))).toHaveProperty('account.subject', 'warned')
    })

    it('answers 200 at a time, each with its own account', async () => {
      const users = open({ queueTimeoutMs: 60_000 })
      const logins = Array.from({ length: 200 }, async (_, index) => {
        const name = parallelNames[index % 20]!
        const isRight = index % 3 !== 0
        const { account } = await users.authenticate(
          name,
          passwordOf(isRight ? name : parallelNames[(index + 1) % 20]!),
        )
        expect([index, account?.subject]).toEqual([index, isRight ? name : undefined])
      })
      await Promise.all(logins)
    })
  })

  describe('reads roles', () => {
    const rolesOf = async (options: Partial<LdapUserStoreOptions>) =>
      (await open(options).authenticate('alice', passwordOf('alice'))).account?.roles

    it('of groups with the user as a member, and none that belongs to all stores', async () => {
      expect(await rolesOf({})).toEqual(['Internal/everyone', 'admin', 'inner'])
    })

    it('of groups in groups that hold one another, as deep as is asked for', async () => {
      expect(await rolesOf({ nestedGroupDepth: 1 })).toEqual(['Internal/everyone', 'admin', 'inner', 'middle'])
      expect(await rolesOf({ nestedGroupDepth: 9 })).toEqual(['Internal/everyone', 'admin', 'inner', 'middle', 'outer'])
    })

    it('from the entry of the user itself, and only of groups below the base', async () => {
      const { account } = await open({ memberOfAttribute: 'memberOf' }).authenticate('alice', passwordOf('alice'))
      expect(account).toMatchObject({ roles: ['Internal/everyone', 'admin'], isAdmin: true })
      const elsewhere = { memberOfAttribute: 'memberOf', groupSearchBase: posix }
      expect(await rolesOf(elsewhere)).toEqual(['Internal/everyone'])
    })

    it('of no group that is gone', async () => {
      const options = { memberOfAttribute: 'memberOf', nestedGroupDepth: 1 }
      const { account } = await open(options).authenticate('Anna-Lena', passwordOf('Anna-Lena'))
      expect(account?.roles).toEqual(['Internal/everyone'])
    })

    it('from the entry of each group where its name tells another attribute', async () => {
      const options = {
        memberOfAttribute: 'memberOf',
        groupNameAttribute: 'member',
        groupNameSearchFilter: '(member=?)',
      }
      expect(await rolesOf(options)).toEqual(['Internal/everyone', dnOf('alice')])
    })

    it('of posixGroup, whose members are names', async () => {
      const options = {
        groupSearchBase: `${groups}#${posix}`,
        membershipAttribute: 'memberUid',
        groupNameListFilter: '(objectClass=posixGroup)',
        groupNameSearchFilter: '(&(objectClass=posixGroup)(cn=?))',
        userSearchBase: `${people}#${partners}`,
        readOnly: false,
      }
      expect(await rolesOf(options)).toEqual(['Internal/everyone', 'staff'])
      expect(await open(options).listMembers('staff')).toEqual(['alice', 'partner'])
      expect(await open(options).list({ role: 'staff', pattern: 'p*' })).toEqual(['partner'])
      await expect(open(options).addRole('others')).rejects.toMatchObject({ code: 'read-only' })
      await open(options).changeRoles('Anna-Lena', { added: ['staff'], removed: [] })
      expect(await open(options).listMembers('staff')).toEqual(['Anna-Lena', 'alice', 'partner'])
      await open(options).changeRoles('Anna-Lena', { added: [], removed: ['staff'] })
    })

    it('not at all when groups are not read', async () => {
      const none = { readGroups: false, groupSearchBase: undefined, readOnly: false }
      expect(await rolesOf(none)).toEqual(['Internal/everyone'])
      expect(await open(none).listRoles()).toEqual(['Internal/everyone'])
      expect(await open(none).listMembers('admin')).toBeUndefined()
      const change = { added: ['admin'], removed: [] }
      await expect(open(none).changeRoles('alice', change)).rejects.toMatchObject({ code: 'read-only' })
    })

    it('with the domain of the store before them', async () => {
      const { account } = await open({ domain: 'corp' }).authenticate('CORP/alice', passwordOf('alice'))
      expect(account).toMatchObject({ subject: 'CORP/alice', isAdmin: true })
      expect(account?.roles).toEqual(['CORP/admin', 'CORP/inner', 'Internal/everyone'])
    })

    it('and compares the role of administrators letter by letter', async () => {
      const { account } = await open({ adminRole: 'Admin' }).authenticate('alice', passwordOf('alice'))
      expect(account?.isAdmin).toBe(false)
    })
  })

  describe('lists', () => {
    it('at most as many users as are asked for, over pages and bases', async () => {
      expect(await open({ maxUsers: 3, userSearchBase: suffix }).list({ pattern: 'user*' })).toEqual([
        'user0',
        'user1',
        'user10',
      ])
      expect(await open({ maxUsers: 0 }).list({ pattern: 'user1?' })).toHaveLength(10)
    })

    it('more users than come in one page', async () => {
      expect(await open({ userSearchBase: crowd, maxUsers: 300 }).list({})).toHaveLength(230)
    })

    it('no member that is gone, or is not below the base', async () => {
      expect(await open().listMembers('ghosts')).toEqual([])
    })

    it('at most as many roles as are asked for', async () => {
      expect(await open({ maxRoles: 2 }).listRoles()).toHaveLength(2)
    })
  })

  describe('of an account that changes', () => {
    it('has another version after a new entry has its name', async () => {
      const users = open({ readOnly: false, userEntryObjectClass: 'inetOrgPerson' })
      await users.add({ name: 'again', password: 'again-secret', isAdmin: false })
      const before = await users.find('again')
      await users.remove('again')
      await users.add({ name: 'again', password: 'again-secret', isAdmin: false })
      expect((await users.find('again'))?.version).not.toBe(before?.version)
      await users.remove('again')
    })

    it('has the same version after logins, wrong ones too', async () => {
      const users = open()
      const before = await users.find('user0')
      await users.authenticate('user0', 'wrong-secret')
      await users.authenticate('user0', passwordOf('user0'))
      expect((await users.find('user0'))?.version).toBe(before?.version)
    })
  })

  describe('writes', () => {
    const writable = { readOnly: false } as const

    it('leave nothing behind when the directory refuses the password', async () => {
      const users = open({ ...writable, passwordPattern: '.+' })
      const added = users.add({ name: 'short', password: 'abc', isAdmin: false })
      await expect(added).rejects.toMatchObject({ code: 'invalid-password' })
      expect(await users.find('short')).toBeUndefined()
    })

    it('leave nothing behind when there is no role of administrators', async () => {
      const users = open({ ...writable, adminRole: 'masters' })
      const added = users.add({ name: 'dave', password: 'dave-secret', isAdmin: true })
      await expect(added).rejects.toMatchObject({ code: 'role-not-found' })
      expect(await users.find('dave')).toBeUndefined()
    })

    it('undo the first role when the directory does not give the second', async () => {
      const users = open({
        ...writable,
        groupSearchBase: `${groups}#${posix}`,
        groupNameSearchFilter: '(cn=?)',
        groupNameListFilter: '(cn=*)',
      })
      await users.changeRoles('user3', { added: ['middle'], removed: [] })
      const change = users.changeRoles('user3', { added: ['inner', 'staff'], removed: ['middle'] })
      await expect(change).rejects.toBeInstanceOf(StoreError)
      expect((await users.find('user3'))?.roles).toEqual(['Internal/everyone', 'middle'])
      await users.changeRoles('user3', { added: [], removed: ['middle'] })
    })

    it('give a new user no rights that are left of another one', async () => {
      const fixed = open({ ...writable, writeGroups: false, userEntryObjectClass: 'inetOrgPerson' })
      const ghost = { name: 'ghost', password: 'ghost-secret', isAdmin: false }
      await expect(fixed.add(ghost)).rejects.toMatchObject({ code: 'protected' })
      expect(await fixed.find('ghost')).toBeUndefined()
      const users = open(writable)
      await users.add(ghost)
      expect((await users.find('ghost'))?.roles).toEqual(['Internal/everyone'])
      await users.remove('ghost')
    })

    it('refuse an object class that the directory does not know, as a failure of the store', async () => {
      const users = open({ ...writable, userEntryObjectClass: 'nothing' })
      const added = users.add({ name: 'dave', password: 'dave-secret', isAdmin: false })
      await expect(added).rejects.toBeInstanceOf(StoreError)
    })

    it('refuse changes of roles where groups are not written', async () => {
      const users = open({ ...writable, writeGroups: false })
      const change = { added: ['inner'], removed: [] }
      await expect(users.changeRoles('user0', change)).rejects.toMatchObject({ code: 'read-only' })
      await expect(users.addRole('others')).rejects.toMatchObject({ code: 'read-only' })
    })

    it('store passwords as hashes', async () => {
      await open(writable).setPassword('user1', 'other-secret')
      const stored = await server.manage(async (client) => {
        const { searchEntries } = await client.search(dnOf('user1'), { scope: 'base', attributes: ['userPassword'] })
        return String(searchEntries[0]?.['userPassword'])
      })
      expect(stored).toMatch(/^\{SSHA\}/)
      await open({ ...writable, passwordPattern: '.+' }).setPassword('user1', passwordOf('user1'))
    })

    it('end no session of others by a role that is taken from the last who had it', async () => {
      const users = open(writable)
      await users.addRole('testers')
      await users.changeRoles('user2', { added: ['testers'], removed: [] })
      await server.manage((client) => {
        const modification = new Attribute({ type: 'member', values: [dnOf('user2')] })
        return client.modify(`cn=testers,${groups}`, new Change({ operation: 'replace', modification }))
      })
      await users.changeRoles('user2', { added: [], removed: ['testers'] })
      expect(await users.listMembers('testers')).toEqual([])
      await users.removeRole('testers')
    })
  })

  hostileNames(
    'a directory',
    async (patterns) => {
      const { close, ...users } = open({
        ...patterns,
        readOnly: false,
        userSearchBase: `ou=Users,${hostile}`,
        groupSearchBase: `ou=Groups,${hostile}`,
      })
      await server.manage(async (client) => {
        const { searchEntries } = await client.search(`ou=Users,${hostile}`, { scope: 'one', attributes: ['uid'] })
        const added = searchEntries.filter(({ uid }) => !['alice', 'bob', 'carol'].includes(String(uid)))
        for (const { dn } of added) await client.del(dn)
      })
      return { ...users, close: async () => close() }
    },
    false,
  )

  it('escapes names in the test helper as in no other way', () => {
    expect(dnValue('a,b')).toBe('\\61\\2c\\62')
  })
})
