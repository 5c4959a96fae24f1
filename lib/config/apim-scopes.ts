/**
 * Scopes that the portals of WSO2 API Manager ask for at each sign-in. Which of them a release asks for differs: what it asks
 * for beside these is left out.
 *
 * @module
 */

/** The one scope of a portal that is for administrators alone. */
export const apimAdminScope = 'apim:admin'

/** By portal. */
export const apimScopes: Readonly<Record<string, readonly string[]>> = {
  devportal: apim(
    'admin api_key app_import_export app_manage app_update store_settings sub_alert_manage sub_manage subscribe',
  ),
  publisher: [
    ...apim(
      'admin api_create api_delete api_generate_key api_import_export api_list_view api_manage api_mediation_policy_manage',
    ),
    ...apim('api_metadata_view api_product_import_export api_publish api_view app_import_export'),
    ...apim('client_certificates_add client_certificates_manage client_certificates_update client_certificates_view'),
    ...apim('comment_manage comment_view comment_write common_operation_policy_manage common_operation_policy_view'),
    ...apim('document_create document_manage'),
    ...apim(
      'ep_certificates_add ep_certificates_manage ep_certificates_update ep_certificates_view external_services_discover',
    ),
    ...apim('gateway_policy_manage gateway_policy_view llm_provider_read'),
    ...apim('mcp_server_create mcp_server_delete mcp_server_manage mcp_server_publish mcp_server_view'),
    ...apim('mediation_policy_create mediation_policy_manage mediation_policy_view monetization_usage_publish'),
    ...apim('policies_import_export pub_alert_manage publisher_settings shared_scope_manage'),
    ...apim(
      'subscription_approval_manage subscription_approval_view subscription_block subscription_manage subscription_view',
    ),
    ...apim('threat_protection_policy_create threat_protection_policy_manage tier_manage tier_view'),
    'service_catalog:service_view',
    'service_catalog:service_write',
  ],
}

function apim(names: string): readonly string[] {
  return names.split(' ').map((name) => `apim:${name}`)
}
