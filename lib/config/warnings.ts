/**
 * What does not stop the start but should be put right.
 *
 * @module
 */

import { nearest } from '../internal/near-miss.js'
import type { Config } from './config.js'
import type { Finding } from './findings.js'
import type { KeyPath } from './key-path.js'
import { builtInPortals } from './tables/portals.js'
import { isTree, type Tree, valueAt } from './tree.js'

/** Lists the warnings of a configuration that has no mistakes. `values` has the values of its placeholders. */
export function warningsOf(config: Config, values: Tree): Finding[] {
  return [
    ...authenticationWarnings(config),
    ...authorizationWarnings(config, values),
    ...accessWarnings(config, values),
    ...portalAccessWarnings(config),
    ...corsWarnings(config, values),
    ...portalWarnings(config, values),
    ...userStoreWarnings(config, values),
    ...controlPlaneWarnings(values),
    ...oauthWarnings(config),
  ]
}

const api = ['management_api']

function authenticationWarnings({ managementApi }: Config): Finding[] {
  const { isJwtEnabled, isBasicEnabled, loginThrottle } = managementApi
  const findings: Finding[] = []
  if (!isJwtEnabled && !isBasicEnabled) {
    const rule =
      'AUTHENTICATION IS OFF: nobody is asked who they are, every path that no rule protects is open to everybody, and ' +
      '/login, /logout, /users and /roles are not served; write enable = true'
    findings.push({ path: [...api, 'jwt_token_security_handler', 'enable'], rule })
  }
  if (!loginThrottle.isEnabled) {
    const rule = 'lets passwords be guessed as fast as they can be checked; write enable = true'
    findings.push({ path: [...api, 'login_throttle', 'enable'], rule })
  }
  return findings
}

function authorizationWarnings({ managementApi, fileUsers }: Config, values: Tree): Finding[] {
  const { isEnabled, resources, defaultPolicy, appliesToFileUsers } = managementApi.authorization
  const table = [...api, 'authorization_handler']
  const findings: Finding[] = []
  const isUsersOpen = defaultPolicy === 'authenticated' && !resources.some(({ path }) => /^\/(?:users)?$/i.test(path))
  if (isEnabled && isUsersOpen) {
    const rule = 'does not name /users, so that every user may read the list of users; add it'
    findings.push({ path: [...table, 'resources'], rule })
  }
  if (isEnabled && fileUsers.isEnabled && !appliesToFileUsers) {
    const rule = 'lets every user of the file pass the protected paths, administrator or not'
    findings.push({ path: [...table, 'apply_to_file_users'], rule })
  }
  if (!isEnabled && valueAt(values, [...table, 'resources']) !== undefined) {
    findings.push({ path: [...table, 'resources'], rule: 'protects nothing, because enable is false' })
  }
  return findings
}

function oauthWarnings({ oauth }: Config): Finding[] {
  if (!oauth?.issuer.startsWith('http:')) return []
  const rule =
    'is plain HTTP: for development on this machine only, because codes, tokens and cookies cross the network in the clear'
  return [{ path: ['oauth', 'issuer'], rule }]
}

function accessWarnings({ managementApi }: Config, values: Tree): Finding[] {
  const path = [...api, 'control_access', 'allow']
  if (managementApi.allowedNetworks?.length === 0) {
    return [{ path, rule: 'refuses everybody, because it is empty; name the networks that may call' }]
  }
  return [path, ['admin_console', 'control_access', 'allow'], ['web_app', 'control_access', 'allow']]
    .filter((allow) => valueAt(values, allow) !== undefined && !isOn(values, [...allow.slice(0, -1), 'enable']))
    .map((allow) => ({
      path: allow,
      rule: 'has no effect, because control_access is not enabled; write enable = true',
    }))
}

function portalAccessWarnings({ adminConsoleAddresses, webAppAddresses, servletFilters, portals }: Config): Finding[] {
  const lists: readonly [KeyPath, readonly string[] | undefined][] = [
    [['admin_console', 'control_access', 'allow'], adminConsoleAddresses],
    [['web_app', 'control_access', 'allow'], webAppAddresses],
    ...portals.map(({ name, allow }): [KeyPath, readonly string[] | undefined] => [['portal', name, 'allow'], allow]),
  ]
  const rule = 'refuses everybody, because it is empty; name the addresses that may call'
  const emptyLists = lists.filter(([, list]) => list?.length === 0).map(([path]) => ({ path, rule }))
  const emptyFilters = servletFilters.flatMap(({ allow, deny }, index) => {
    if (allow !== undefined || deny !== undefined) return []
    const rule = 'refuses everybody, because it has neither allow_ip_regex nor deny_ip_regex; write one of them'
    return [{ path: ['servlet_access_control_filter', index], rule }]
  })
  return [...emptyLists, ...emptyFilters]
}

function corsWarnings({ managementApi }: Config, values: Tree): Finding[] {
  const path = [...api, 'cors', 'allowed_origins']
  const written = valueAt(values, path)
  const count = typeof written === 'string' ? written.split(',').length : Array.isArray(written) ? written.length : 0
  if (managementApi.cors.allowedOrigins[0] !== '*' || count < 2) return []
  return [{ path, rule: 'allows every origin, because one of them is "*"; take it out, or leave only it' }]
}

function portalWarnings({ portals, portalDefaults }: Config, values: Tree): Finding[] {
  const findings: Finding[] = []
  if (portalDefaults.allowsInsecureHttp) {
    const rule =
      'lets passwords and session cookies of the portals cross the network in the clear, for everybody on the way to read; ' +
      'serve the portals over HTTPS and take it out'
    findings.push({ path: ['portal', 'allow_insecure_http'], rule })
  }
  for (const { name, sessionTimeoutMs, absoluteTimeoutMs } of portals) {
    const near = builtInPortals.includes(name) ? undefined : nearest(name, builtInPortals)
    if (near !== undefined) {
      findings.push({
        path: ['portal', name],
        rule: `is a portal of its own, and says nothing of ${near}: is that meant?`,
      })
    }
    if (absoluteTimeoutMs < sessionTimeoutMs && valueAt(values, ['portal', name, 'absolute_timeout']) !== undefined) {
      const rule = 'is shorter than session_timeout, so that no session of this portal ever ends for being idle'
      findings.push({ path: ['portal', name, 'absolute_timeout'], rule })
    }
  }
  return findings
}

/** Tables of servers that this front could be shown on. */
function controlPlaneWarnings(values: Tree): Finding[] {
  const rule = 'has no effect: this front registers with no dashboard or control plane, and sends no heartbeats'
  return ['dashboard_config', 'icp_config']
    .filter((name) => isTree(values[name]))
    .map((name) => ({ path: [name], rule }))
}

/** Keys of `[user_store]` that matter for the users of the file as well. */
const sharedKeys = new Set(['recheck_interval', 'recheck_grace'])

function userStoreWarnings({ fileUsers, userStore }: Config, values: Tree): Finding[] {
  // That every login answers 503 has been said: nothing else matters then.
  if (userStore?.type === 'unavailable') return []
  if (!fileUsers.isEnabled) return namedStoreWarnings(values)
  const table = values['user_store']
  const hasUserStore = isTree(table) && Object.keys(table).some((key) => !sharedKeys.has(key))
  const name = hasUserStore ? 'user_store' : 'datasource'
  if (!hasUserStore && values[name] === undefined) return []
  const rule =
    'is not in effect: users come from [[internal_apis.users]]; to switch, write [internal_apis.file_user_store] enable = false'
  return [{ path: [name], rule }]
}

/** Properties that WSO2's stores have and ours do not, and what to do instead. */
const withoutEffect: Readonly<Record<string, string>> = {
  URLOfDNS: 'servers are not looked up in DNS; name them in connection_url, with a blank between two',
  PrimaryGroupId: 'the primary group of a user is no role; what a role opens needs a group that lists its members',
}

/** Carbon's dialogs write this for every directory. */
const followRule =
  'has no effect: no referral is followed, so that no password goes to a server that is not named here; ' +
  'make the other server a [[user_store.secondary]]'
/** The same, where they are switched on. */
const flagsWithoutEffect: Readonly<Record<string, string>> = {
  UserNameUniqueAcrossTenants: 'names of other tenants are not looked at when a user is added',
  SharedGroupEnabled: "roles that tenants share (UM_SHARED_USER_ROLE) are nobody's here",
}

/** Warnings about the directories and databases that are in effect. */
function namedStoreWarnings(values: Tree): Finding[] {
  const findings: Finding[] = []
  if (isOff(values, ['user_store', 'replace_escape_characters_at_user_login'])) {
    const rule = 'has no effect: names are always escaped before a directory sees them'
    findings.push({ path: ['user_store', 'replace_escape_characters_at_user_login'], rule })
  }
  const secondaries = valueAt(values, ['user_store', 'secondary'])
  const others = Array.isArray(secondaries) ? secondaries.map((_, index) => ['user_store', 'secondary', index]) : []
  for (const store of [['user_store'], ...others]) {
    const referral = [...store, 'properties', 'Referral']
    if (/^\s*follow\s*$/i.test(String(valueAt(values, referral)))) findings.push({ path: referral, rule: followRule })
    const isWritten = (key: string, property: string) =>
      valueAt(values, [...store, key]) !== undefined ||
      valueAt(values, [...store, 'properties', property]) !== undefined
    if (isWritten('connection_name', 'ConnectionName') && !isWritten('connection_password', 'ConnectionPassword')) {
      const rule = 'is not written, so that the directory is sent the password that WSO2 assumes, "admin"; write it'
      findings.push({ path: [...store, 'connection_password'], rule })
    }
    for (const [property, remedy] of Object.entries(withoutEffect)) {
      const path = [...store, 'properties', property]
      if (valueAt(values, path)) findings.push({ path, rule: `has no effect: ${remedy}` })
    }
    for (const [property, consequence] of Object.entries(flagsWithoutEffect)) {
      const path = [...store, 'properties', property]
      if (isOn(values, path)) findings.push({ path, rule: `has no effect: ${consequence}` })
    }
  }
  const superAdmin = ['super_admin', 'password']
  if (valueAt(values, superAdmin) && !isOff(values, ['super_admin', 'create_admin_account'])) {
    const rule =
      'makes no account: a password that stands in a file is none for an administrator. Where the store has none yet, run ' +
      '"sallyport users add NAME --admin" once, and take the password out of the file'
    findings.push({ path: superAdmin, rule })
  }
  return findings
}

function isOn(values: Tree, path: KeyPath): boolean {
  return String(valueAt(values, path)).toLowerCase() === 'true'
}

function isOff(values: Tree, path: KeyPath): boolean {
  return String(valueAt(values, path)).toLowerCase() === 'false'
}
