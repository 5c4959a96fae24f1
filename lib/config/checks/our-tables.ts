/**
 * Keys of the tables that matter here, as far as nothing reads them: they are known, so that a misspelled one is not
 * taken for one of them. What is read is known by the readers in `tables/`.
 *
 * `*` stands for any name, `**` for everything below.
 *
 * @module
 */

const wso2Oauth = `
  access_token add_tenant_domain_to_access_token allow_additional_params_from_error_url
  allow_session_bound_tokens_after_idle_session_expiry allowed_scopes authorization_code authorize_all_scopes
  build_subject_identifier_from_sp_config callback client_id_validation_regex custom_authorization_header
  custom_grant_type custom_response_type custom_scope_handler custom_scope_validator custom_token_validator dcr
  dcrm default_requested_scopes drop_unregistered_scopes enable_jwt_token_validation_during_introspection
  enable_legacy_session_bound_token_behaviour enable_sha256 enable_system_level_internal_scope_management
  endpoints extensions filters grant_type handle_logout_gracefully hash_token_algorithm hash_tokens_and_secrets
  introspect introspection jwk_thumbprint_enable_sha256 jwks_endpoint jwt map_federated_users_to_local
  multiple_client_secrets mutualtls oidc opaque prompt_consent prompt_login_consent prompt_logout_consent
  public_client_support redirect_to_idp_error_page_on_error response_type revoked_token_headers_in_response
  scope_validator scopes show_display_name_in_consent_page signature_algorithm timestamp_skew token
  token_cleanup token_generation token_persistence token_renewal token_validation token_validator
  use_entityid_as_issuer_in_oidc_discovery use_spid_for_consent
`

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
    'ssl_profile.**',
    'userstore_password_encryption.**',
    ...['file_name', 'location', 'key_file', 'type', 'password', 'alias', 'key_password', 'key_alias'].map(
      (key) => `*.${key}`,
    ),
  ],
  truststore: ['algorithm'],
  secrets: ['**'],
  runtime_secrets: ['enable', '**'],
  internal_api_ssl_config: [
    'parameter.sslProtocol',
    'certificate_revocation_verifier.cache_size',
    'certificate_revocation_verifier.cache_delay',
  ],
  tomcat: ['session_config.**', 'header_security_filters.**'],
  // Of API Manager and Identity Server.
  metrics: ['**'],
  // Of the connection that a Micro Integrator makes to its control plane.
  icp_config: ['**'],
  // Of the Integration Control Plane.
  user_store: ['url', 'username', 'password', 'pool_options.**'],
  transport: ['http.**', '**'],
  server: ['**'],
  admin_console: ['rest_api.**', 'authenticator.**'],
  web_app: ['cookie_processor.**', 'listener.**', 'context.**', 'session_config.**'],
  // Discovery says where the end points of a provider are; the rest is about the dashboard's own pages.
  sso: [
    'authorization_endpoint',
    'authorization_request.**',
    'check_session_Iframe_endpoint',
    'end_session_endpoint',
    'introspection_endpoint',
    'jwks_endpoint',
    'override_well_known_endpoint',
    'registration_endpoint',
    'resource_server_URLs',
    'revocation_endpoint',
    'send_cookies_in_requests',
    'sign_in_redirect_URL',
    'sign_out_redirect_URL',
    'storage',
    'token_endpoint',
    'user_info_endpoint',
  ],
  oauth: wso2Oauth
    .trim()
    .split(/\s+/)
    .map((name) => `${name}.**`),
}

/** Keys that are better not there: what their owner should know, and do. */
export const riskyKeys: Readonly<Record<string, string>> = {
  'management_api_token_handler.enable':
    'is obsolete and switches nothing: write [management_api.jwt_token_security_handler] enable',
  'management_api.custom_handlers':
    'has no effect: handlers in Java do not run here. Put a middleware of your own after the management API instead',
}

/** Tables that older releases had, and where their keys are now. */
export const renamedTables: Readonly<Record<string, string>> = {
  'management_api.handler':
    'is a table of EI 7.0: move token_store_config and token_config below [management_api.jwt_token_security_handler], the ' +
    'users of user_store.users to [[internal_apis.users]], and the resources of the authorization handler to ' +
    '[[management_api.authorization_handler.resources]]',
}

/** Tables in which WSO2's products have more keys than are listed: only a near-miss of one of ours is a mistake in them. */
const sharedTables =
  /^(?:admin_console|authorization_manager|custom_keystore|datasource|keystore|oauth|realm_manager|sso|super_admin|tomcat|truststore|user_store|web_app)\b/

const ownTables = /^(?:(?:admin_console|web_app)\.control_access|tomcat\.[^.]+|oauth\.service_provider)\b/

/** Whether a table, by its dotted name, may have keys that nobody here knows. */
export function isSharedTable(name: string): boolean {
  return sharedTables.test(name) && !ownTables.test(name)
}

const microIntegrator = `
  analytics axis2 axis2_blocking_client axis2_transport bal_service_account blocking cluster_config clustering
  cpu_watcher custom_message_builders custom_message_formatters custom_transport dashboard_config dataservices
  encryption external_vault ftp_uploader health_check_api hot_deployment inbound integration jndi
  liveness_probe log4j2 log_pattern log_watcher masking_pattern mediation memory_watcher message_builders
  message_formatters mi_super_admin monitoring nhttp_properties opentelemetry opentracing passthru_http
  passthru_https passthru_properties prometheus_api readiness_probe registry secure_vault server server_config
  server_configuration service_catalog sftp_uploader statistics synapse_handlers synapse_properties system
  task_handling tasks telemetry traffic_analyzer transaction_counter transport transports
  zip_file_configuration
`

const apiManagerAndCarbon = `
  account account_recovery adaptive_authentication AdaptiveAuth admin_service apim application_mgt audit
  auth_configs authentication authentication_context authentication_policy authenticationendpoint broker cache
  cache_config carbon_health_check catalina catalina_valves catalinaValves cert_thumbprint claim_mappings
  claims client_apps common_auth_caller_path config_data config_endpoint configuration consent console
  cookies_to_invalidate correlation cors database database_configuration default_cache_timeout
  default_management_ui device_mgt diagnostic_tool email_sender email_templates entitlement error_page event
  event_handler event_listener event_processor event_publisher federated fido governance governance_data
  healthchecker http_access_log http_client http_proxy identity identity_data_source identity_data_store
  identity_datasource identity_mgt identity_mgt_account_suspension identity_util
  idp_role_management indexing intermediate_cert_validation jce_provider jit_provisioning jwt key_manager
  key_mgt legacy_authz_runtime legacy_feature log_correlation management_console_deprecation_banner
  masking_logs mediator message_builder message_formatter metrics multi_factor_authenticator multi_tenancy
  mutual_tls myaccount n_http organization outbound_provisioning_management output_adapter pagination
  passive_sts policy_editor_service preserve_previous_product_behaviour product qpid recaptcha recoveryendpoint
  remote_fetch remote_logging request_parameters resident_idp resource resource_access_control
  rest_api_authentication saml scim scim2 scim2_multi_attribute_filtering service_provider session session_data
  show_pending_user_information sp_role_management sso_login static_configuration sts system_applications
  system_roles tenant tenant_context tenant_mgt thread_pool throttle_properties throttling time tracer
  traffic_manager user user_filtering user_identifier user_info_recovery_admin_service user_mgt
  user_registration_admin_service user_store_mgt version_resources wsdl x509 xacml xml_input_factory
`

/**
 * Names at the root of a `deployment.toml` that are ignored without a word: those of the templates, defaults and documents of
 * WSO2's products (Micro Integrator 4.4 and 4.6, Integration Control Plane, API Manager 4.7, Identity Server 7;
 * github.com/wso2, Apache License 2.0).
 */
export const otherTables: ReadonlySet<string> = new Set(`${microIntegrator}${apiManagerAndCarbon}`.trim().split(/\s+/))
