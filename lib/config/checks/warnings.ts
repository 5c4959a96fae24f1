/**
 * What does not stop the start but should be put right.
 *
 * @module
 */

import { nearest } from '../../core/names.js'
import type { Config } from '../config.js'
import { builtInPortals } from '../schema/portals.js'
import type { KeyPath } from '../values/key-path.js'
import type { EditValue, TomlEdit } from '../values/toml-edits.js'
import { isTree, type Tree, valueAt } from '../values/tree.js'
import type { Finding } from './findings.js'
import { checkIdentityProviders } from './identity-provider-warnings.js'

/** `fix`: what puts it right; `idle` is for what is written and switches nothing. */
interface Warn {
  (path: KeyPath, rule: string, fix?: TomlEdit): void
  readonly idle: (path: KeyPath, rule: string, fix?: TomlEdit) => void
}

function set(path: KeyPath, value: EditValue): TomlEdit {
  return { kind: 'set', path, value }
}

/** Lists the warnings of a configuration that has no mistakes. `values` has the values of its placeholders. */
export function createWarnings(config: Config, values: Tree): Finding[] {
  const findings: Finding[] = []
  const warn: Warn = Object.assign(
    (path: KeyPath, rule: string, fix?: TomlEdit): void => {
      findings.push({ path, rule, fix })
    },
    {
      idle(path: KeyPath, rule: string, fix?: TomlEdit): void {
        findings.push({ path, rule, fix, isIdle: true })
      },
    },
  )
  checkManagementApi(config, values, warn)
  checkAddressLists(config, values, warn)
  checkPortals(config, values, warn)
  checkUserStores(config, values, warn)
  checkIdentityProviders(config, values, warn)
  if (isTree(values['dashboard_config'])) {
    warn.idle(['dashboard_config'], 'has no effect: Sallyport registers with no dashboard, and sends no heartbeats')
  }
  if (isTree(values['icp_config'])) checkIcp(config, warn)
  return findings
}

const api = ['management_api']
const handler = [...api, 'authorization_handler']

function checkManagementApi({ managementApi, fileUsers }: Config, values: Tree, warn: Warn): void {
  const { isJwtEnabled, isBasicEnabled, loginThrottle, cors, authorization } = managementApi
  if (!isJwtEnabled && !isBasicEnabled) {
    const rule =
      'AUTHENTICATION IS OFF: nobody is asked who they are, every path that no rule protects is open to everybody, and ' +
      '/login, /logout, /users and /roles are not served; write enable = true'
    const path = [...api, 'jwt_token_security_handler', 'enable']
    warn(path, rule, set(path, true))
  }
  if (!loginThrottle.isEnabled) {
    const rule = 'lets passwords be guessed as fast as they can be checked; write enable = true'
    const path = [...api, 'login_throttle', 'enable']
    warn(path, rule, set(path, true))
  }
  const { isEnabled, resources, defaultPolicy, applyToFileUsers } = authorization
  const isUsersOpen = defaultPolicy === 'authenticated' && !resources.some(({ path }) => /^\/(?:users)?$/i.test(path))
  if (isEnabled && isUsersOpen) {
    const path = [...handler, 'resources']
    const fix: TomlEdit = { kind: 'append', path, entry: { path: '/users' } }
    warn(path, 'does not name /users, so that every user may read the list of users; add it', fix)
  }
  if (isEnabled && fileUsers.isEnabled && !applyToFileUsers) {
    const rule = 'lets every user of the file pass the protected paths, administrator or not'
    const path = [...handler, 'apply_to_file_users']
    warn(path, rule, set(path, true))
  }
  if (!isEnabled && valueAt(values, [...handler, 'resources']) !== undefined) {
    const fix = set([...handler, 'enable'], true)
    warn.idle([...handler, 'resources'], 'protects nothing, because enable is false', fix)
  }
  const origins = [...api, 'cors', 'allowed_origins']
  const written = valueAt(values, origins)
  const count = typeof written === 'string' ? written.split(',').length : Array.isArray(written) ? written.length : 0
  if (cors.allowedOrigins[0] === '*' && count > 1) {
    const others = (typeof written === 'string' ? written.split(',') : (written as string[]))
      .map((origin) => origin.trim())
      .filter((origin) => origin !== '*')
    const fix = set(origins, typeof written === 'string' ? others.join(',') : others)
    warn(origins, 'allows every origin, because one of them is "*"; take it out, or leave only it', fix)
  }
}

/** A control plane calls only the runtimes that have sent it a heartbeat. */
function checkIcp({ icp, managementApi: { isJwtEnabled, isBasicEnabled } }: Config, warn: Warn): void {
  const noHeartbeat = 'Sallyport sends no heartbeats, so that no control plane finds it by itself'
  if (icp === undefined) {
    warn(['icp_config'], `has no effect without enabled = true; ${noHeartbeat}`)
  } else if (isJwtEnabled && !isBasicEnabled) {
    const rule = `makes an administrator of whoever has this secret, or reads it where ICP keeps it; ${noHeartbeat}`
    warn(['icp_config', 'secret'], rule)
  } else {
    warn(['icp_config'], 'has no effect, because the management API takes no tokens')
  }
}

function checkAddressLists(config: Config, values: Tree, warn: Warn): void {
  const { managementApi, adminConsoleAddresses, webAppAddresses, servletFilters, portals } = config
  const lists: readonly (readonly [table: string, list: readonly string[] | undefined])[] = [
    ['management_api', managementApi.allowedNetworks],
    ['admin_console', adminConsoleAddresses],
    ['web_app', webAppAddresses],
  ]
  const refusesAll = (otherwise: string) =>
    `refuses everybody, because it is empty; write who may call, such as allow = ["10.0.0.0/8", "127.0.0.1"], or ${otherwise}`
  for (const [table, list] of lists) {
    const path = [table, 'control_access', 'allow']
    if (list?.length === 0) warn(path, refusesAll('enable = false for everybody'))
    if (list !== undefined || valueAt(values, path) === undefined) continue
    const fix = set([table, 'control_access', 'enable'], true)
    warn.idle(path, 'has no effect, because control_access is not enabled; write enable = true', fix)
  }
  for (const { name, allow } of portals) {
    if (allow?.length === 0) warn(['portal', name, 'allow'], refusesAll('leave the key out for everybody'))
  }
  for (const [index, { allow, deny }] of servletFilters.entries()) {
    if (allow !== undefined || deny !== undefined) continue
    const rule = 'refuses everybody, because it has neither allow_ip_regex nor deny_ip_regex; write one of them'
    warn(['servlet_access_control_filter', index], rule)
  }
}

function checkPortals({ portals, portalDefaults, oauth }: Config, values: Tree, warn: Warn): void {
  if (portalDefaults.allowInsecureHttp) {
    const rule =
      'lets passwords and session cookies of the portals cross the network in the clear, for everybody on the way to read; ' +
      'serve the portals over HTTPS and take it out'
    const path = ['portal', 'allow_insecure_http']
    warn(path, rule, set(path, false))
  }
  for (const { name, sessionTimeoutMs, absoluteTimeoutMs } of portals) {
    const near = builtInPortals.includes(name) ? undefined : nearest(name, builtInPortals)
    if (near !== undefined)
      warn(['portal', name], `is a portal of its own, and says nothing of ${near}: is that meant?`)
    const path = ['portal', name, 'absolute_timeout']
    if (absoluteTimeoutMs >= sessionTimeoutMs || valueAt(values, path) === undefined) continue
    warn(path, 'is shorter than session_timeout, so that no session of this portal ever ends for being idle')
  }
  if (oauth?.issuer.startsWith('http:')) {
    const rule =
      'is plain HTTP: for development on this machine only, because codes, tokens and cookies cross the network in the clear'
    warn(['oauth', 'issuer'], rule)
  }
}

/** Keys of `[user_store]` that matter for the users of the file as well. */
const sharedKeys = new Set(['recheck_interval', 'recheck_grace'])

function checkUserStores({ fileUsers, userStore, sharedStore }: Config, values: Tree, warn: Warn): void {
  // That every login answers 503 has been reported: nothing else matters then.
  if (userStore?.type === 'unavailable') return
  if (!fileUsers.isEnabled) {
    checkNamedStores(values, warn)
    return
  }
  const table = values['user_store']
  const isWritten = isTree(table) && Object.keys(table).some((key) => !sharedKeys.has(key))
  const name = isWritten ? 'user_store' : 'datasource'
  if (!isWritten && (values[name] === undefined || sharedStore?.type === 'sql')) return
  const rule =
    'is not in effect: users come from [[internal_apis.users]]; to switch, write [internal_apis.file_user_store] enable = false'
  warn.idle([name], rule)
}

/** Properties that WSO2's stores follow and ours do not: the values that are harmless, and what to do instead. */
const withoutEffect: readonly (readonly [property: string, asked: RegExp, remedy: string])[] = [
  [
    'Referral',
    /^\s*follow\s*$/i,
    'no referral is followed, so that no password goes to a server that is not named here; ' +
      'make the other server a [[user_store.secondary]]',
  ],
  ['URLOfDNS', /./, 'servers are not looked up in DNS; name them in connection_url, with a blank between two'],
  [
    'PrimaryGroupId',
    /./,
    'the primary group of a user is no role; what a role opens needs a group that lists its members',
  ],
  ['UserNameUniqueAcrossTenants', /^true$/i, 'names of other tenants are not looked at when a user is added'],
  ['SharedGroupEnabled', /^true$/i, 'roles that tenants share (UM_SHARED_USER_ROLE) are not read'],
]

function checkNamedStores(values: Tree, warn: Warn): void {
  const escaping = ['user_store', 'replace_escape_characters_at_user_login']
  if (isOff(values, escaping))
    warn.idle(escaping, 'has no effect: names are always escaped before a directory sees them')
  const secondaries = valueAt(values, ['user_store', 'secondary'])
  const others = Array.isArray(secondaries) ? secondaries.map((_, index) => ['user_store', 'secondary', index]) : []
  for (const store of [['user_store'], ...others]) {
    const isWritten = (key: string, property: string) =>
      [[key], ['properties', property]].some((path) => valueAt(values, [...store, ...path]) !== undefined)
    if (isWritten('connection_name', 'ConnectionName') && !isWritten('connection_password', 'ConnectionPassword')) {
      const rule = 'is not written, so that the directory is sent the password that WSO2 assumes, "admin"; write it'
      warn([...store, 'connection_password'], rule)
    }
    for (const [property, asked, remedy] of withoutEffect) {
      const path = [...store, 'properties', property]
      if (asked.test(String(valueAt(values, path) ?? ''))) warn.idle(path, `has no effect: ${remedy}`)
    }
  }
  const password = ['super_admin', 'password']
  if (valueAt(values, password) && !isOff(values, ['super_admin', 'create_admin_account'])) {
    const rule =
      'makes no account: a password that stands in a file is none for an administrator. Where the store has none yet, run ' +
      '"npx sallyport users add NAME --admin" once, and take the password out of the file'
    warn.idle(password, rule)
  }
}

function isOff(values: Tree, path: KeyPath): boolean {
  return String(valueAt(values, path)).toLowerCase() === 'false'
}
