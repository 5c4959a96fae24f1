import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../../../lib/config/load.js'
import { ConfigError } from '../../../../lib/core/errors.js'
import { problemsOf, warningsOf } from '../../problems-of.js'

const named = {
  internal_apis: { file_user_store: { enable: false } },
  datasource: [{ id: 'WSO2CarbonDB', url: 'jdbc:sqlite::memory:' }],
}
const withProperties = (properties: object, keys: object = {}) => ({
  ...named,
  user_store: { type: 'database', ...keys, properties },
})

/** Statements as WSO2's documents and dialogs write them; those with LOWER() are for names whose case does not count. */
const own: readonly (readonly [string, string])[] = [
  ['SelectUserSQL', 'SELECT * FROM UM_USER WHERE UM_USER_NAME=? AND UM_TENANT_ID=?'],
  [
    'SelectUserSQL',
    'SELECT UM_ID, UM_USER_NAME, UM_USER_PASSWORD,UM_SALT_VALUE, UM_REQUIRE_CHANGE, UM_CHANGED_TIME, UM_TENANT_ID FROM UM_USER WHERE UM_USER_NAME=? AND UM_TENANT_ID=?',
  ],
  ['SelectUserSQL', ' select *\n\tfrom um_user where UM_USER.UM_TENANT_ID = ? and ? = um_user_name ; '],
  ['SelectUserSQLCaseInsensitive', 'SELECT * FROM UM_USER WHERE LOWER(UM_USER_NAME)=LOWER(?) AND UM_TENANT_ID=?'],
  [
    'IsUserExistingSQLCaseInsensitive',
    'SELECT UM_ID FROM UM_USER WHERE LOWER(UM_USER_NAME)=LOWER(?) AND UM_TENANT_ID=?',
  ],
  ['GetUserIDFromUserNameSQL', 'SELECT UM_ID FROM UM_USER WHERE UM_USER_NAME=? AND UM_TENANT_ID=?'],
  [
    'UserFilterSQL',
    'SELECT UM_USER_NAME FROM UM_USER WHERE UM_USER_NAME LIKE ? AND UM_TENANT_ID=? ORDER BY UM_USER_NAME',
  ],
  [
    'UserFilterSQLCaseInsensitive',
    'SELECT UM_USER_NAME FROM UM_USER WHERE LOWER(UM_USER_NAME) LIKE LOWER(?) AND UM_TENANT_ID=? ORDER BY UM_USER_NAME',
  ],
  [
    'UserRoleSQL',
    'SELECT UM_ROLE_NAME FROM UM_USER_ROLE, UM_ROLE, UM_USER WHERE UM_USER.UM_USER_NAME=? AND UM_USER.UM_ID=UM_USER_ROLE.UM_USER_ID AND UM_ROLE.UM_ID=UM_USER_ROLE.UM_ROLE_ID AND UM_USER_ROLE.UM_TENANT_ID=? AND UM_ROLE.UM_TENANT_ID=? AND UM_USER.UM_TENANT_ID=?',
  ],
  [
    'GetUserListOfRoleSQL',
    'SELECT UM_USER_NAME FROM UM_USER_ROLE INNER JOIN UM_ROLE ON UM_ROLE.UM_ID=UM_USER_ROLE.UM_ROLE_ID INNER JOIN UM_USER ON UM_USER.UM_ID=UM_USER_ROLE.UM_USER_ID WHERE UM_ROLE.UM_ROLE_NAME=? AND UM_USER_ROLE.UM_TENANT_ID=? AND UM_ROLE.UM_TENANT_ID=? AND UM_USER.UM_TENANT_ID=?',
  ],
  ['IsRoleExistingSQL', 'SELECT UM_ID FROM UM_ROLE WHERE UM_ROLE_NAME=? AND UM_TENANT_ID=?'],
  [
    'GetRoleListSQL',
    "SELECT UM_ROLE_NAME, UM_TENANT_ID, UM_SHARED_ROLE FROM UM_ROLE WHERE UM_ROLE_NAME LIKE ? AND UM_TENANT_ID=? AND UM_SHARED_ROLE ='0' ORDER BY UM_ROLE_NAME",
  ],
  ['GetSharedRoleListSQL', "SELECT UM_ROLE_NAME FROM UM_ROLE WHERE UM_SHARED_ROLE ='1' ORDER BY UM_ROLE_NAM"],
  [
    'AddUserSQL',
    'INSERT INTO UM_USER (UM_USER_NAME, UM_USER_PASSWORD, UM_SALT_VALUE, UM_REQUIRE_CHANGE, UM_CHANGED_TIME, UM_TENANT_ID) VALUES (?, ?, ?, ?, ?, ?)',
  ],
  [
    'AddUserToRoleSQLCaseInsensitive',
    'INSERT INTO UM_USER_ROLE (UM_USER_ID, UM_ROLE_ID, UM_TENANT_ID) VALUES ((SELECT UM_ID FROM UM_USER WHERE LOWER(UM_USER_NAME)=LOWER(?) AND UM_TENANT_ID=?),(SELECT UM_ID FROM UM_ROLE WHERE UM_ROLE_NAME=? AND UM_TENANT_ID=?), ?)',
  ],
  ['AddUserToRoleSQL-mssql', 'INSERT INTO UM_USER_ROLE SELECT UU.UM_ID FROM UM_USER UU'],
  ['DeleteUserSQL', 'DELETE FROM UM_USER WHERE UM_USER_NAME = ? AND UM_TENANT_ID=?'],
  [
    'UpdateUserPasswordSQL',
    'UPDATE UM_USER SET UM_USER_PASSWORD= ?, UM_SALT_VALUE=?, UM_REQUIRE_CHANGE=?, UM_CHANGED_TIME=? WHERE UM_USER_NAME= ? AND UM_TENANT_ID=?',
  ],
  ['GetUserPropertyForProfileSQL', "SELECT UM_ATTR_VALUE FROM OUR_ATTRIBUTES WHERE OWNER = 'x'"],
  ['SelectUserSQL', ''],
]

/** Each would find other users or roles, or write others. */
const others: readonly (readonly [string, string])[] = [
  ['SelectUserSQL', 'SELECT * FROM UM_USER WHERE UM_USER_NAME=? AND UM_TENANT_ID=? AND UM_ACTIVE=1'],
  ['SelectUserSQL', 'SELECT * FROM UM_USER WHERE UM_USER_NAME=? AND UM_TENANT_ID=? AND UM_REQUIRE_CHANGE=UM_TENANT_ID'],
  ['SelectUserSQL', 'SELECT * FROM UM_USER WHERE UM_USER_NAME=? AND UM_TENANT_ID=? OR UM_ID=?'],
  ['SelectUserSQL', 'SELECT * FROM UM_USER WHERE UM_USER_NAME=?'],
  ['SelectUserSQL', 'SELECT * FROM UM_USER WHERE UM_USER_ID=? AND UM_TENANT_ID=?'],
  ['SelectUserSQL', 'SELECT * FROM STAFF WHERE UM_USER_NAME=? AND UM_TENANT_ID=?'],
  ['SelectUserSQL', 'SELECT * FROM UM_USER U WHERE UM_USER_NAME=? AND UM_TENANT_ID=?'],
  ['SelectUserSQL', 'SELECT * FROM UM_USER, STAFF WHERE UM_USER_NAME=? AND UM_TENANT_ID=?'],
  ['SelectUserSQL', 'SELECT UM_ID, MAIL FROM UM_USER WHERE UM_USER_NAME=? AND UM_TENANT_ID=?'],
  ['SelectUserSQL', 'SELECT * FROM UM_USER WHERE UM_USER_NAME=TRIM(?) AND UM_TENANT_ID=?'],
  ['SelectUserSQL', 'SELECT * FROM UM_USER WHERE UM_USER_NAME=? AND UM_TENANT_ID=? LIMIT 1'],
  ['SelectUserSQL', "SELECT * FROM UM_USER WHERE UM_USER_NAME=? AND UM_TENANT_ID=? AND UM_SALT_VALUE<>''"],
  ['SelectUserSQL', 'SELECT * FROM UM_USER WHERE UM_USER_NAME=? AND UM_TENANT_ID=? -- AND x'],
  ['selectUserSql', 'SELECT 1'],
  ['SelectUserSQL', 'CALL FIND_USER(?, ?)'],
  [
    'SelectUserSQLCaseInsensitive',
    'SELECT * FROM UM_USER WHERE LOWER(UM_USER_NAME)=LOWER(?) AND UM_TENANT_ID=? AND EXPIRES > NOW()',
  ],
  ['SelectUserSQL-postgresql', 'SELECT * FROM UM_USER WHERE UM_USER_NAME=? AND UM_TENANT_ID=? AND ACTIVE'],
  ['IsUserExistingSQL', 'SELECT UM_ID FROM UM_USER WHERE UM_USER_NAME=? AND UM_TENANT_ID=? AND ACTIVE'],
  [
    'UserFilterSQL',
    "SELECT UM_USER_NAME FROM UM_USER WHERE UM_USER_NAME LIKE ? AND UM_USER_NAME NOT LIKE 'svc%' AND UM_TENANT_ID=?",
  ],
  ['UserRoleSQL', 'SELECT UM_ROLE_NAME FROM OUR_ROLES WHERE UM_USER_NAME=? AND UM_TENANT_ID=?'],
  ['GetUserListOfRoleSQL', 'SELECT UM_USER_NAME FROM UM_USER WHERE UM_ROLE_NAME=?'],
  ['IsRoleExistingSQL', "SELECT UM_ID FROM UM_ROLE WHERE UM_ROLE_NAME=? AND UM_TENANT_ID=? AND UM_SHARED_ROLE='0'"],
  ['GetRoleListSQL', 'SELECT UM_ROLE_NAME FROM UM_ROLE WHERE UM_ROLE_NAME LIKE ? AND UM_TENANT_ID=?'],
  ['AddUserSQL', "INSERT INTO UM_USER (UM_USER_NAME, ORIGIN) VALUES (?, 'wso2')"],
  ['DeleteUserSQL', 'UPDATE UM_USER SET DELETED = TRUE WHERE UM_USER_NAME = ? AND UM_TENANT_ID=?'],
  ['UpdateUserPasswordSQL', 'CALL SET_PASSWORD(?, ?, ?, ?, ?, ?)'],
]

describe('a statement in [user_store.properties]', () => {
  it.each(own)("%s = %j is one of WSO2's own, and is taken", (name, statement) => {
    expect(problemsOf(withProperties({ [name]: statement }))).toEqual({})
  })

  it.each(others)('%s = %j is refused, because it is not run', (name, statement) => {
    expect(problemsOf(withProperties({ [name]: statement }))).toEqual({
      [`user_store.properties.${name}`]: expect.stringContaining(
        "is another statement than WSO2's own, and is not run",
      ),
    })
  })

  it('is none of the directories', () => {
    const user_store = { type: 'read_only_ldap', base_dn: 'dc=x', properties: { SelectUserSQL: 'SELECT 1' } }
    expect(problemsOf({ ...named, user_store })).toEqual({})
  })

  it('is refused in a secondary store as well', () => {
    const secondary = [{ type: 'database', domain_name: 'sales', properties: { SelectUserSQL: 'SELECT 1' } }]
    expect(problemsOf(withProperties({}, { secondary }))).toHaveProperty([
      'user_store.secondary[0].properties.SelectUserSQL',
    ])
  })

  describe('in a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-jdbc-'))
    afterAll(() => rmSync(folder, { recursive: true }))

    it('is refused with its place', async () => {
      const file = join(folder, 'deployment.toml')
      writeFileSync(
        file,
        `[internal_apis.file_user_store]\nenable = false\n\n[user_store]\ntype = "database"\n\n[user_store.properties]\nReadGroups = true\n  SelectUserSQL = "SELECT * FROM UM_USER WHERE UM_USER_NAME=? AND UM_TENANT_ID=? AND ACTIVE"\n\n[[datasource]]\nid = "WSO2CarbonDB"\nurl = "jdbc:sqlite::memory:"\n`,
      )
      const error = await loadConfig(file).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(ConfigError)
      expect((error as ConfigError).problems).toMatchObject([{ position: { file, line: 9, column: 3 } }])
    })
  })
})

describe('another property of a database', () => {
  it.each([
    ['IsEmailUserName', 'false'],
    ['IsEmailUserName', false],
    ['DomainCalculation', 'default'],
    ['MultiTenantRealmConfigBuilder', 'org.wso2.carbon.user.core.config.multitenancy.SimpleRealmConfigBuilder'],
    ['TenantManager', 'org.wso2.carbon.user.core.tenant.JDBCTenantManager'],
    ['UserNameUniqueAcrossTenants', 'false'],
    ['SharedGroupEnabled', false],
    ['validationQuery', 'SELECT 1'],
    ['UserRolesCacheEnabled', 'true'],
  ])('%s = %j changes nothing, and is taken in silence', (name, value) => {
    const source = withProperties({ [name]: value })
    expect(problemsOf(source)).toEqual({})
    expect(warningsOf(source)).toEqual({})
  })

  it.each([
    ['IsEmailUserName', 'true'],
    ['IsEmailUserName', true],
    ['DomainCalculation', 'custom'],
    ['url', 'jdbc:postgresql://elsewhere/users'],
  ])('%s = %j would be another user, and is refused', (name, value) => {
    expect(Object.keys(problemsOf(withProperties({ [name]: value })))).toEqual([`user_store.properties.${name}`])
  })

  it('url is overruled by a data source, as with WSO2', () => {
    const properties = { url: 'jdbc:postgresql://elsewhere/users', dataSource: 'jdbc/WSO2CarbonDB' }
    expect(problemsOf(withProperties(properties))).toEqual({})
  })

  it.each(['UserNameUniqueAcrossTenants', 'SharedGroupEnabled'])('%s is told of as without effect', (name) => {
    expect(warningsOf(withProperties({ [name]: 'true' }))).toEqual({
      [`user_store.properties.${name}`]: expect.stringContaining('has no effect'),
    })
  })
})
