/**
 * What does not stop the start but should be put right.
 *
 * @module
 */

import type { Config } from './config.js'
import type { Finding } from './findings.js'
import type { KeyPath } from './key-path.js'
import { isTree, type Tree, valueAt } from './tree.js'

/** Lists the warnings of a configuration that has no mistakes. `values` has the values of its placeholders. */
export function warningsOf(config: Config, values: Tree): Finding[] {
  return [
    ...authenticationWarnings(config),
    ...authorizationWarnings(config, values),
    ...accessWarnings(config, values),
    ...corsWarnings(config, values),
    ...userStoreWarnings(config, values),
    ...sslWarnings(values),
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
  const { isEnabled, resources, appliesToFileUsers } = managementApi.authorization
  const table = [...api, 'authorization_handler']
  const findings: Finding[] = []
  if (isEnabled && !resources.some(({ path }) => path === '/' || path.toLowerCase() === '/users')) {
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

function corsWarnings({ managementApi }: Config, values: Tree): Finding[] {
  const path = [...api, 'cors', 'allowed_origins']
  const written = valueAt(values, path)
  const count = typeof written === 'string' ? written.split(',').length : Array.isArray(written) ? written.length : 0
  if (managementApi.cors.allowedOrigins[0] !== '*' || count < 2) return []
  return [{ path, rule: 'allows every origin, because one of them is "*"; take it out, or leave only it' }]
}

/** Keys of `[user_store]` that matter for the users of the file as well. */
const sharedKeys = new Set(['recheck_interval', 'recheck_grace'])

function userStoreWarnings({ fileUsers }: Config, values: Tree): Finding[] {
  if (!fileUsers.isEnabled) {
    const isUnescaped = isOff(values, ['user_store', 'replace_escape_characters_at_user_login'])
    const rule = 'has no effect: names are always escaped before a directory sees them'
    return isUnescaped ? [{ path: ['user_store', 'replace_escape_characters_at_user_login'], rule }] : []
  }
  const table = values['user_store']
  const hasUserStore = isTree(table) && Object.keys(table).some((key) => !sharedKeys.has(key))
  const name = hasUserStore ? 'user_store' : 'datasource'
  if (!hasUserStore && values[name] === undefined) return []
  const rule =
    'is not in effect: users come from [[internal_apis.users]]; to switch, write [internal_apis.file_user_store] enable = false'
  return [{ path: [name], rule }]
}

/** TLS 1.0 and 1.1 are withdrawn (RFC 8996), and so is every SSL. */
const withdrawnProtocol = /^(?:SSLv?\d.*|TLSv?1(?:\.[01])?)$/i

function sslWarnings(values: Tree): Finding[] {
  const table = ['internal_api_ssl_config', 'parameter']
  const protocols = valueAt(values, [...table, 'httpsProtocols'])
  const clients = valueAt(values, [...table, 'sslVerifyClient'])
  const findings: Finding[] = []
  if (typeof protocols === 'string' && protocols.split(',').some((name) => withdrawnProtocol.test(name.trim()))) {
    const rule = 'names versions of TLS that are withdrawn (RFC 8996); leave only TLSv1.2 and TLSv1.3'
    findings.push({ path: [...table, 'httpsProtocols'], rule })
  }
  if (typeof clients === 'string' && /^(?:require|optional|true)/i.test(clients)) {
    findings.push({
      path: [...table, 'sslVerifyClient'],
      rule: 'has no effect yet: no client is asked for a certificate',
    })
  }
  return findings
}

function isOn(values: Tree, path: KeyPath): boolean {
  return String(valueAt(values, path)).toLowerCase() === 'true'
}

function isOff(values: Tree, path: KeyPath): boolean {
  return String(valueAt(values, path)).toLowerCase() === 'false'
}
