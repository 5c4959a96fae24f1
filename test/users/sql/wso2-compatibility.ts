/** What a server of WSO2 and this store must agree on, whichever the engine is. */

import { beforeEach, describe, expect, it } from 'vitest'
import type { SqlDatabase, SqlQuery } from '../../../lib/sql/sql-database.js'
import { type SqlUserStoreOptions, sqlUserStore } from '../../../lib/users/sql/sql-user-store.js'
import { recordedLog } from '../../helpers/recorded-log.js'
import {
  emptyWso2,
  insertWso2Role,
  insertWso2User,
  startWso2,
  type Wso2User,
  wso2Digest,
  wso2Row,
} from './wso2-tables.js'

/** Runs the suite on a database that has WSO2's tables; they are emptied before each test. */
export function wso2Compatibility(name: string, databaseOf: () => SqlDatabase): void {
  describe(`${name} with the tables of WSO2`, () => {
    const query: SqlQuery = (sql, parameters) => databaseOf().query(sql, parameters)
    const storeWith = (options: Partial<SqlUserStoreOptions> = {}) =>
      sqlUserStore({ datasource: databaseOf(), ...options })
    const insert = (user: Wso2User): Promise<void> => insertWso2User(query, databaseOf().dialect, user)

    beforeEach(async () => {
      await emptyWso2(query)
      await startWso2(query)
      for (const role of ['admin', 'operators']) await insertWso2Role(query, role)
    })

    it('logs in the users whose digests WSO2 made', async () => {
      await insert({ name: 'admin', password: 'admin-secret', roles: ['admin', 'operators'] })
      const store = await storeWith()
      expect((await store.authenticate('admin', 'admin-secret')).account).toMatchObject({
        subject: 'admin',
        isAdmin: true,
        roles: ['Internal/everyone', 'admin', 'operators'],
      })
      expect(await store.authenticate('admin', 'admin-secreT')).toMatchObject({ failure: 'wrong-password' })
    })

    it.each([
      ['SHA-512', true, wso2Digest('right-secret', 'c2FsdA==', 'sha512')],
      ['SHA-1', true, wso2Digest('right-secret', 'c2FsdA==', 'sha1')],
      ['MD5', true, wso2Digest('right-secret', 'c2FsdA==', 'md5')],
      ['SHA-256', false, wso2Digest('right-secret', '')],
      ['PLAIN_TEXT', true, 'right-secretc2FsdA=='],
      ['PLAIN_TEXT', false, 'right-secret'],
    ])('reads %s, salted: %s', async (passwordDigest, storeSaltedPasswords, stored) => {
      await insert({ name: 'alice', password: '', stored, salt: storeSaltedPasswords ? 'c2FsdA==' : '' })
      const store = await storeWith({ passwordDigest, storeSaltedPasswords })
      expect(await store.authenticate('alice', 'right-secret')).toHaveProperty('account')
      expect(await store.authenticate('alice', 'wrong-secret')).toMatchObject({ failure: 'wrong-password' })
    })

    it.each([
      ['SHA-256', true, 'sha256'],
      ['SHA-512', true, 'sha512'],
      ['SHA-256', false, 'sha256'],
    ])('writes %s, salted: %s, as WSO2 reads it', async (passwordDigest, storeSaltedPasswords, algorithm) => {
      const store = await storeWith({ passwordDigest, storeSaltedPasswords })
      await store.add({ name: 'alice', password: 'first-secret', isAdmin: false })
      const first = (await wso2Row(query, 'alice'))!
      expect(first).toMatchObject({ password: wso2Digest('first-secret', String(first['salt']), algorithm) })
      expect(first['uuid']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      expect(first['salt']).toMatch(storeSaltedPasswords ? /^[A-Za-z0-9+/]{22}==$/ : /^$/)

      await store.setPassword('alice', 'second-secret')
      const second = (await wso2Row(query, 'alice'))!
      expect(second).toMatchObject({ password: wso2Digest('second-secret', String(second['salt']), algorithm) })
      expect(second['uuid']).toBe(first['uuid'])
      if (storeSaltedPasswords) expect(second['salt']).not.toBe(first['salt'])
    })

    it('never exchanges a digest at a login: WSO2 reads it too', async () => {
      await insert({ name: 'alice', password: 'right-secret' })
      const before = await wso2Row(query, 'alice')
      const store = await storeWith()
      expect(await store.authenticate('alice', 'right-secret')).toHaveProperty('account')
      expect(await wso2Row(query, 'alice')).toEqual(before)
    })

    it.each([
      [23, 'a day has not gone by', true],
      [25, 'a day has gone by', false],
    ])('takes a one-time password of %i hours: %s', async (changedHoursAgo, _why, isGood) => {
      await insert({ name: 'alice', password: 'right-secret', mustChange: true, changedHoursAgo })
      const store = await storeWith()
      const result = await store.authenticate('alice', 'right-secret')
      expect(result.failure).toBe(isGood ? undefined : 'disabled')
      expect(await store.authenticate('alice', 'wrong-secret')).toMatchObject({ failure: 'wrong-password' })
    })

    it('makes a one-time password a lasting one when it is changed', async () => {
      await insert({ name: 'alice', password: 'right-secret', mustChange: true, changedHoursAgo: 25 })
      const store = await storeWith()
      await store.setPassword('alice', 'lasting-secret')
      expect(await store.authenticate('alice', 'lasting-secret')).toHaveProperty('account')
    })

    it('takes no password at a login that WSO2 would not take', async () => {
      await insert({ name: 'alice', password: 'with a blank' })
      await insert({ name: 'bob', password: 'b'.repeat(31) })
      await insert({ name: 'ed', password: 'right-secret' })
      const store = await storeWith()
      expect(await store.authenticate('alice', 'with a blank')).toMatchObject({ failure: 'wrong-password' })
      expect(await store.authenticate('bob', 'b'.repeat(31))).toMatchObject({ failure: 'wrong-password' })
      expect(await store.authenticate('ed', 'right-secret')).toMatchObject({ failure: 'wrong-password' })
      const wide = await storeWith({ passwordPattern: '^[\\s\\S]{5,99}$', userNamePattern: '.{2,30}' })
      expect(await wide.authenticate('alice', 'with a blank')).toHaveProperty('account')
      expect(await wide.authenticate('bob', 'b'.repeat(31))).toHaveProperty('account')
      expect(await wide.authenticate('ed', 'right-secret')).toHaveProperty('account')
    })

    it('finds a name that WSO2 stored with separate accents, and calls it by the composed one', async () => {
      await insert({ name: 'rene\u0301e', password: 'right-secret' })
      const store = await storeWith()
      expect((await store.authenticate('ren\u00e9e', 'right-secret')).account?.subject).toBe('ren\u00e9e')
      expect(await store.authenticate('renee', 'right-secret')).toEqual({ failure: 'unknown-user' })
    })

    it('lets in nobody whose name two rows have, and says so once', async () => {
      await insert({ name: 'ren\u00e9e', password: 'right-secret' })
      await insert({ name: 'rene\u0301e', password: 'right-secret' })
      await insert({ name: 'alice', password: 'right-secret' })
      await insert({ name: 'Alice', password: 'other-secret' })
      const log = recordedLog()
      const store = await storeWith({ logger: log.logger })
      for (const name of ['ren\u00e9e', 'alice', 'Alice', 'ALICE']) {
        expect(await store.authenticate(name, 'right-secret')).toEqual({ failure: 'unknown-user' })
        expect(await store.find(name)).toBeUndefined()
      }
      expect(log.entries.map(({ level }) => level)).toEqual(['warn'])
      const byCase = await storeWith({ ignoreCase: false })
      expect((await byCase.authenticate('Alice', 'other-secret')).account?.subject).toBe('Alice')
    })

    it('does not see users and roles of another tenant', async () => {
      await insert({ name: 'alice', password: 'right-secret', roles: ['operators'] })
      await query('UPDATE UM_USER SET UM_TENANT_ID = 7')
        // The keys of some engines hold the tenant in place.
        .catch(async () => {
          await query('DELETE FROM UM_USER_ROLE')
          await query('UPDATE UM_USER SET UM_TENANT_ID = 7')
        })
      const store = await storeWith()
      expect(await store.authenticate('alice', 'right-secret')).toEqual({ failure: 'unknown-user' })
      expect(await store.list({})).toEqual([])
    })

    it('reads the roles that all stores share, and no role of another domain', async () => {
      await insert({ name: 'alice', password: 'right-secret' })
      await query(`INSERT INTO UM_DOMAIN (UM_DOMAIN_NAME, UM_TENANT_ID) VALUES ('OTHER', -1234)`)
      for (const [role, domain] of [
        ['ops', 'PRIMARY'],
        ['Application/shop', 'PRIMARY'],
        ['secret', 'OTHER'],
      ] as const) {
        await query('INSERT INTO UM_HYBRID_ROLE (UM_ROLE_NAME, UM_TENANT_ID) VALUES (?, -1234)', [role])
        await query(
          `INSERT INTO UM_HYBRID_USER_ROLE (UM_USER_NAME, UM_ROLE_ID, UM_TENANT_ID, UM_DOMAIN_ID)
            SELECT 'alice', r.UM_ID, -1234, d.UM_DOMAIN_ID FROM UM_HYBRID_ROLE r, UM_DOMAIN d
            WHERE r.UM_ROLE_NAME = ? AND d.UM_DOMAIN_NAME = ?`,
          [role, domain],
        )
      }
      const store = await storeWith()
      expect((await store.find('alice'))?.roles).toEqual(['Application/shop', 'Internal/everyone', 'Internal/ops'])
      expect(await store.listMembers('Internal/secret')).toEqual([])
    })

    it('takes the shared role for the one of administrators where the store has none, as WSO2 does', async () => {
      await insert({ name: 'alice', password: 'right-secret' })
      await query(`DELETE FROM UM_ROLE WHERE UM_ROLE_NAME = 'admin'`)
      const before = await storeWith()
      expect(await before.find('alice')).toMatchObject({ isAdmin: false })
      await before.addRole('Internal/admin')
      await before.changeRoles('alice', { added: ['Internal/admin'], removed: [] })
      const store = await storeWith()
      expect(await store.find('alice')).toMatchObject({ isAdmin: true })
      expect(store.adminRole).toBe('Internal/admin')
    })

    it('is no administrator by a role of the store that is called like a shared one', async () => {
      await insertWso2Role(query, 'Internal/admin')
      await insert({ name: 'alice', password: 'right-secret', roles: ['Internal/admin'] })
      const store = await storeWith({ adminRole: 'Internal/admin' })
      expect(await store.find('alice')).toMatchObject({ isAdmin: false, roles: ['Internal/everyone'] })
    })

    it('puts the domain before names and roles of a store that is not the primary one', async () => {
      await query(`INSERT INTO UM_DOMAIN (UM_DOMAIN_NAME, UM_TENANT_ID) VALUES ('SEC', -1234)`)
      await insert({ name: 'bob', password: 'right-secret', roles: ['admin', 'operators'] })
      const store = await storeWith({ domain: 'sec' })
      expect((await store.authenticate('SEC/bob', 'right-secret')).account).toMatchObject({
        subject: 'SEC/bob',
        roles: ['Internal/everyone', 'SEC/admin', 'SEC/operators'],
        isAdmin: true,
      })
      expect(await store.list({ pattern: 'SEC/b*' })).toEqual(['SEC/bob'])
      expect(await store.listMembers('SEC/operators')).toEqual(['SEC/bob'])
      await store.changeRoles('SEC/bob', { added: [], removed: ['SEC/operators'] })
      expect(await store.listMembers('SEC/operators')).toEqual([])
    })

    it('reads only shared roles without read_groups', async () => {
      await insert({ name: 'alice', password: 'right-secret', roles: ['admin'] })
      const store = await storeWith({ readGroups: false })
      expect(await store.find('alice')).toMatchObject({ isAdmin: false, roles: ['Internal/everyone'] })
      expect(await store.listRoles()).toEqual(['Internal/everyone'])
      await expect(store.addRole('testers')).rejects.toMatchObject({ code: 'read-only' })
    })

    it('changes only shared roles without write_groups', async () => {
      await insert({ name: 'alice', password: 'right-secret', roles: ['operators'] })
      const store = await storeWith({ writeGroups: false })
      const changes = [
        () => store.changeRoles('alice', { added: [], removed: ['operators'] }),
        () => store.addRole('testers'),
        () => store.removeRole('operators'),
      ]
      for (const change of changes) await expect(change()).rejects.toMatchObject({ code: 'read-only' })
      await store.addRole('Internal/testers')
      await store.changeRoles('alice', { added: ['Internal/testers'], removed: [] })
      expect((await store.find('alice'))?.roles).toEqual(['Internal/everyone', 'Internal/testers', 'operators'])
    })

    it('writes its domain where no server of WSO2 has started yet', async () => {
      await query('DELETE FROM UM_DOMAIN')
      const store = await storeWith()
      await store.add({ name: 'alice', password: 'right-secret', isAdmin: true })
      await store.addRole('Internal/testers')
      await store.changeRoles('alice', { added: ['Internal/testers'], removed: [] })
      expect((await store.find('alice'))?.roles).toContain('Internal/testers')
      expect(await query('SELECT UM_DOMAIN_NAME AS name, UM_TENANT_ID AS tenant FROM UM_DOMAIN')).toMatchObject([
        { name: 'PRIMARY', tenant: -1234 },
      ])
    })

    it('makes the role of administrators with the first of them, where scripts have just made the tables', async () => {
      await emptyWso2(query)
      const store = await storeWith()
      await store.add({ name: 'admin', password: 'admin-secret', isAdmin: true })
      await store.add({ name: 'second', password: 'second-secret', isAdmin: true })
      expect((await store.authenticate('admin', 'admin-secret')).account).toMatchObject({ isAdmin: true })
      expect(await store.listMembers('admin')).toEqual(['admin', 'second'])
      expect(await query('SELECT UM_ROLE_NAME AS name, UM_TENANT_ID AS tenant FROM UM_ROLE')).toEqual([
        { name: 'admin', tenant: -1234 },
      ])
    })

    it.each(['four', 'with a blank', 'b'.repeat(31)])(
      'refuses the password %j with the rule of WSO2',
      async (password) => {
        const store = await storeWith()
        const refusal = {
          code: 'invalid-password',
          message: expect.stringContaining('5 to 30 characters and no blanks'),
        }
        await expect(store.add({ name: 'alice', password, isAdmin: false })).rejects.toMatchObject(refusal)
        await store.add({ name: 'alice', password: 'fives', isAdmin: false })
        await expect(store.setPassword('alice', password)).rejects.toMatchObject(refusal)
      },
    )

    it('removes the shared roles of a user, so that the next one with the name has none', async () => {
      const store = await storeWith()
      await store.add({ name: 'alice', password: 'right-secret', isAdmin: false })
      await store.addRole('Internal/testers')
      await store.changeRoles('alice', { added: ['Internal/testers'], removed: [] })
      await store.remove('alice')
      await store.add({ name: 'alice', password: 'right-secret', isAdmin: false })
      expect((await store.find('alice'))?.roles).toEqual(['Internal/everyone'])
    })

    it('never lets the account for callers without a name log in', async () => {
      await insert({ name: 'wso2.anonymous.user', password: 'right-secret' })
      const store = await storeWith()
      expect(await store.authenticate('wso2.anonymous.user', 'right-secret')).toMatchObject({
        failure: 'wrong-password',
      })
    })

    it('lists so many users and roles as the configuration allows', async () => {
      for (let index = 0; index < 12; index++) {
        await insert({ name: `user${index + 10}`, password: 'right-secret' })
        await insertWso2Role(query, `role${index + 10}`)
      }
      const store = await storeWith({ maxUsers: 5, maxRoles: 4 })
      expect(await store.list({})).toEqual(['user10', 'user11', 'user12', 'user13', 'user14'])
      expect(await store.list({ pattern: '*21' })).toEqual(['user21'])
      expect(await store.listRoles()).toHaveLength(4)
    })

    it('removes a user with the attributes that WSO2 wrote', async () => {
      await insert({ name: 'alice', password: 'right-secret', roles: ['operators'] })
      await query(
        `INSERT INTO UM_USER_ATTRIBUTE (UM_ATTR_NAME, UM_ATTR_VALUE, UM_PROFILE_ID, UM_USER_ID, UM_TENANT_ID)
          SELECT 'mail', 'a@example.org', 'default', UM_ID, -1234 FROM UM_USER`,
      )
      const store = await storeWith()
      await store.remove('alice')
      expect(await query('SELECT UM_ID FROM UM_USER_ATTRIBUTE')).toEqual([])
      expect(await wso2Row(query, 'alice')).toBeUndefined()
    })

    it('knows the name and the e-mail address that WSO2 wrote', async () => {
      await insert({ name: 'alice', password: 'right-secret' })
      const store = await storeWith()
      const attribute = (name: string, value: string, profile = 'default') =>
        query(
          `INSERT INTO UM_USER_ATTRIBUTE (UM_ATTR_NAME, UM_ATTR_VALUE, UM_PROFILE_ID, UM_USER_ID, UM_TENANT_ID)
            SELECT '${name}', '${value}', '${profile}', UM_ID, -1234 FROM UM_USER`,
        )
      expect(await store.findProfile?.('alice')).toEqual({ name: undefined, email: undefined })
      await attribute('givenName', 'Alice')
      await attribute('sn', 'Liddell')
      await attribute('mail', 'alice@example.org')
      await attribute('mail', 'elsewhere@example.org', 'another')
      expect(await store.findProfile?.('alice')).toEqual({ name: 'Alice Liddell', email: 'alice@example.org' })
      await attribute('displayName', 'The Alice')
      expect(await store.findProfile?.('alice')).toMatchObject({ name: 'The Alice' })
      expect(await store.findProfile?.('nobody')).toBeUndefined()
    })

    it('has a version that other processes have too, and that tells two users with one plain password apart', async () => {
      await insert({ name: 'alice', password: '', stored: 'same-secret', salt: '' })
      await insert({ name: 'bob', password: '', stored: 'same-secret', salt: '' })
      const options = { passwordDigest: 'PLAIN_TEXT', storeSaltedPasswords: false }
      const [one, other] = [await storeWith(options), await storeWith(options)]
      expect((await one.find('alice'))?.version).toBe((await other.find('alice'))?.version)
      expect((await one.find('alice'))?.version).not.toBe((await one.find('bob'))?.version)
    })
  })
}
