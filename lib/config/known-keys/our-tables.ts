/**
 * Keys of the tables that matter here, as far as nothing reads them: they are known, so that a misspelled one is not
 * taken for one of them. What is read is known by the readers in `tables/`.
 *
 * `*` stands for any name, `**` for everything below.
 *
 * @module
 */

const keyStoreKeys = ['file_name', 'location', 'key_file', 'type', 'password', 'alias', 'key_password', 'key_alias']

/** Keys that are not read, by table. */
export const unreadKeys: Readonly<Record<string, readonly string[]>> = {
  management_api: ['custom_handlers.**'],
  super_admin: ['password', 'create_admin_account', 'add_admin'],
  authorization_manager: [
    'class',
    'admin_role_management_permissions',
    'enable_authorization_cache',
    'get_all_roles_user_enable',
    'properties.*',
  ],
  realm_manager: ['properties.*', 'add_admin', 'admin_role', 'admin_user', 'everyone_role'],
  datasource: ['driver', 'jmx_enable', 'description', 'pool_options.**'],
  keystore: [
    '*.provider',
    'primary.provider',
    'internal.provider',
    'tls.provider',
    'listener_profile.**',
    ...keyStoreKeys.map((key) => `*.${key}`),
  ],
  custom_keystore: keyStoreKeys.map((key) => `*.${key}`),
  truststore: [...keyStoreKeys, 'algorithm'],
  secrets: ['**'],
  runtime_secrets: ['enable', '**'],
  internal_api_ssl_config: [
    'parameter.sslProtocol',
    ...keyStoreKeys.flatMap((key) => [`key_store.${key}`, `trust_store.${key}`]),
    'certificate_revocation_verifier.cache_size',
    'certificate_revocation_verifier.cache_delay',
  ],
  tomcat: ['session_config.**'],
  transport: ['**'],
  server: ['**'],
  admin_console: ['rest_api.**', 'authenticator.**'],
  web_app: ['cookie_processor.**', 'listener.**', 'context.**', 'session_config.**'],
  oauth: [
    'authorize_all_scopes',
    'custom_authorization_header',
    'custom_grant_type.**',
    'custom_response_type.**',
    'endpoints.**',
    'extensions.**',
    'filters.**',
    'grant_type.**',
    'mutualtls.**',
    'oidc.**',
    'response_type.**',
    'token_cleanup.**',
    'token_generation.**',
    'token_renewal.**',
    'token_validation.**',
    'signature_algorithm',
    'timestamp_skew',
    'scopes.**',
    'authorization_code.**',
    'dcr.**',
    'use_spid_for_consent',
    'hash_tokens_and_secrets',
  ],
}

/** Keys that are better not there: what their owner should know, and do. */
export const riskyKeys: Readonly<Record<string, string>> = {
  'management_api_token_handler.enable':
    'is obsolete and switches nothing: write [management_api.jwt_token_security_handler] enable',
  'management_api.custom_handlers':
    'has no effect: handlers in Java do not run here. Put a middleware of your own after the management API instead',
}

/** Tables that have more keys than are listed: only a near-miss of a listed key is a mistake in them. */
export const openTables: ReadonlySet<string> = new Set(['tomcat'])
