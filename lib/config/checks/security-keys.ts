/**
 * Keys of WSO2's products that are about security and have no effect here: what an operator would otherwise rely on.
 *
 * @module
 */

import type { KeyPath } from '../values/key-path.js'

/** Keys, `*` for any name and `**` for everything below, and what holds here instead. */
const securityKeys: readonly (readonly [keys: string, instead: string])[] = [
  ['cors.** apim.cors.**', 'is for other APIs: the origins of the management API are those of [management_api.cors]'],
  [
    'catalinaValves.** catalina_valves.**',
    "believes no proxy here: which addresses of proxies count is Express' setting trust proxy",
  ],
  ['tomcat.header_security_filters.**', 'sets no header of the app: take helmet for them'],
  ['web_app.cookie_processor.**', 'changes no cookie: those of portals are Secure, HttpOnly and SameSite=Lax'],
  [
    'transport.blocking.** transport.passthru_https.** transport.passthru_http.** transport.netty.** transport.receiver.** transport.wss.** transport.ws.** apim.wss.**',
    'is for listeners and senders that do not run here: this server has the TLS of [internal_api_ssl_config] or [transport.https]',
  ],
  ['keystore.listener_profile.** keystore.ssl_profile.** keystore.tenant.**', 'is for listeners that do not run here'],
  [
    'internal_api_ssl_config.certificate_revocation_verifier.** intermediate_cert_validation.** x509.** mutual_tls.**',
    'checks no client certificate here: no list of revoked ones is asked',
  ],
  [
    'resource.** resource_access_control.** admin_service.** apim.platform_gateway.** prometheus_api.authorization_handler.**',
    'guards no path here: write [[management_api.authorization_handler.resources]]',
  ],
  ['authorization_manager.**', 'gives no permission: roles and administrators decide'],
  [
    'throttling.** throttle_properties.** apim.throttling.**',
    'limits no request here: logins are limited by [management_api.login_throttle], routes by a rate limiter of the app',
  ],
  [
    'authentication_policy.** event.default_listener.** identity_mgt.** account_recovery.** account.**',
    'locks no account here: logins are limited by [management_api.login_throttle]',
  ],
  ['recaptcha.** sso_login.**', 'asks no puzzle: logins are limited by [management_api.login_throttle]'],
  [
    'session.** session_data.**',
    'ends no session here: write [tomcat.global] session_timeout, or session_timeout and absolute_timeout of a [portal.<name>]',
  ],
  [
    'oauth.**',
    'has no effect on the authorization server of [oauth], which has one flow, code with PKCE, and opaque rules of its own',
  ],
  ['saml.** passive_sts.** fido.** federated.** sts.** authentication.**', 'signs nobody in here'],
  ['jit_provisioning.** outbound_provisioning_management.** scim.** scim2.**', 'makes no account here'],
  [
    'user_registration_admin_service.** user_info_recovery_admin_service.** user.** user_identifier.** user_store_mgt.**',
    'has no effect: users are added by administrators only',
  ],
  [
    'admin_console.authenticator.** admin_console.rest_api.**',
    'has no effect: people sign in with a name and a password at the login page',
  ],
  [
    'encryption.algorithm encryption.type encryption.internal_crypto_provider encryption.alias keystore.userstore_password_encryption.**',
    'changes nothing: secrets are decrypted with RSA-OAEP by the key of [keystore.internal], or AES-256-GCM by [encryption] key',
  ],
  ['secure_vault.** external_vault.** runtime_secrets.**', 'is not asked: $secret{} reads [secrets] only'],
  [
    'mi_super_admin.** server.identity_server_username server.identity_server_password bal_service_account.**',
    'makes no account',
  ],
  [
    'masking_pattern.** masking_logs.** audit.** http_access_log.**',
    "has no effect on the app's log, which gets no passwords and no tokens; security.events has what is for an audit trail",
  ],
  ['monitoring.jmx.** diagnostic_tool.**', 'is not served'],
  [
    'apim.oauth_config.** apim.token.** apim.jwt.** apim.jwt_authenitcation.** jwt.** identity.token_validation_policy',
    'is for tokens of API Manager, which open nothing here',
  ],
  [
    'request_parameters.** rest_api_authentication.**',
    'has no effect: credentials are read from the Authorization header only',
  ],
  [
    'tenant_mgt.** tenant_context.** multi_tenancy.**',
    'has no effect: there are no tenants, and each user is in one domain',
  ],
  [
    'system_roles.** system_applications.** idp_role_management.** sp_role_management.** application_mgt.**',
    'protects no role here',
  ],
]

const rules = securityKeys.flatMap(([keys, instead]) =>
  keys.split(' ').map((key) => ({ names: key.split('.'), instead })),
)

/** Why a key that nothing here reads has no effect on security, and what to do instead; `undefined` for any other key. */
export function securityNote(path: KeyPath): string | undefined {
  const names = path.filter((step) => typeof step === 'string')
  return rules.find((rule) => isMatch(names, rule.names))?.instead
}

function isMatch(names: readonly string[], pattern: readonly string[]): boolean {
  const isOpen = pattern.at(-1) === '**'
  const fixed = isOpen ? pattern.slice(0, -1) : pattern
  if (isOpen ? names.length < fixed.length : names.length !== fixed.length) return false
  return fixed.every((name, index) => name === '*' || name === names[index])
}
