/**
 * Names at the root of a `deployment.toml` that are none of our business, whatever is in them: what the configuration templates
 * and defaults of WSO2's products name (Micro Integrator 4.4 and 4.6, Integration Control Plane, API Manager 4.7, Identity
 * Server 7; github.com/wso2, Apache License 2.0), and what their documents have besides.
 *
 * @module
 */

const microIntegrator = `
  analytics axis2 axis2_blocking_client axis2_transport bal_service_account blocking cluster_config clustering
  cpu_watcher custom_message_builders custom_message_formatters custom_transport dashboard_config dataservices
  encryption external_vault ftp_uploader health_check_api hot_deployment icp_config inbound integration jndi
  liveness_probe log4j2 log_pattern log_watcher masking_pattern mediation memory_watcher message_builders
  message_formatters mi_super_admin monitoring nhttp_properties opentelemetry opentracing passthru_http
  passthru_https passthru_properties prometheus_api readiness_probe registry secure_vault server server_config
  server_configuration service_catalog sftp_uploader sso statistics synapse_handlers synapse_properties system
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
  identity_datasource identity_mgt identity_mgt_account_suspension identity_provider identity_util
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

/** Root tables and keys that are ignored without a word. */
export const otherTables: ReadonlySet<string> = new Set(`${microIntegrator}${apiManagerAndCarbon}`.trim().split(/\s+/))
