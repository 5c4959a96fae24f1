/**
 * Keys of `[user_store]`: the type of each, and the property of the Carbon user store that it sets. Every property can
 * be written as `[user_store.properties]` as well.
 *
 * @module
 */

/**
 * What each type of value is once it has been read. Numbers and flags may be in quotes, and an empty text leaves them unset,
 * and a pattern too. A markup is a text in which `&amp;` means `&`, because WSO2 writes it to an XML file as it is; a delay
 * is in milliseconds.
 */
export interface UserStoreValueTypes {
  readonly text: string
  readonly markup: string
  readonly pattern: string
  readonly flag: boolean
  readonly number: number
  readonly delay: number
}

/** The type of a key's value. */
export type UserStoreKeyType = keyof UserStoreValueTypes

/** Each key with its type and, where it has one, its property. */
export const userStoreKeys = {
  type: ['text'],
  class: ['text'],
  base_dn: ['text'],
  // Connection
  connection_url: ['markup', 'ConnectionURL'],
  connection_name: ['text', 'ConnectionName'],
  connection_password: ['text', 'ConnectionPassword'],
  anonymous_bind: ['flag', 'AnonymousBind'],
  connection_pooling_enabled: ['flag', 'ConnectionPoolingEnabled'],
  ldap_connection_timeout: ['number', 'LDAPConnectionTimeout'],
  read_timeout: ['number', 'ReadTimeout'],
  retry_attempts: ['number', 'RetryAttempts'],
  connection_retry_delay: ['delay', 'ConnectionRetryDelay'],
  ssl_certificate_validation_enabled: ['flag', 'SSLCertificateValidationEnabled'],
  // WSO2 has only the property.
  start_tls_enabled: ['flag', 'StartTLSEnabled'],
  // Not a key of WSO2, whose servers have a trust store.
  ca_file: ['text'],
  driver_name: ['text', 'driverName'],
  // The id of a [[datasource]], with or without `jdbc/` before it.
  data_source: ['text', 'dataSource'],
  kdc_enabled: ['flag', 'kdcEnabled'],
  // Users
  user_search_base: ['text', 'UserSearchBase'],
  user_name_attribute: ['text', 'UserNameAttribute'],
  user_name_search_filter: ['markup', 'UserNameSearchFilter'],
  user_name_list_filter: ['markup', 'UserNameListFilter'],
  user_dn_pattern: ['text', 'UserDNPattern'],
  display_name_attribute: ['text', 'DisplayNameAttribute'],
  user_entry_object_class: ['text', 'UserEntryObjectClass'],
  username_java_regex: ['pattern', 'UsernameJavaRegEx'],
  username_javascript_regex: ['text', 'UsernameJavaScriptRegEx'],
  username_java_regex_violation_error_msg: ['text', 'UsernameJavaRegExViolationErrorMsg'],
  case_insensitive_username: ['flag', 'CaseInsensitiveUsername'],
  use_case_sensitive_username_for_cache_keys: ['flag', 'UseCaseSensitiveUsernameForCacheKeys'],
  replace_escape_characters_at_user_login: ['flag', 'ReplaceEscapeCharactersAtUserLogin'],
  max_user_name_list_length: ['number', 'MaxUserNameListLength'],
  // Groups and roles
  read_groups: ['flag', 'ReadGroups'],
  write_groups: ['flag', 'WriteGroups'],
  group_search_base: ['text', 'GroupSearchBase'],
  group_name_attribute: ['text', 'GroupNameAttribute'],
  group_name_search_filter: ['markup', 'GroupNameSearchFilter'],
  group_name_list_filter: ['markup', 'GroupNameListFilter'],
  group_entry_object_class: ['text', 'GroupEntryObjectClass'],
  membership_attribute: ['text', 'MembershipAttribute'],
  member_of_attribute: ['text', 'MemberOfAttribute'],
  membership_attribute_range: ['number', 'MembershipAttributeRange'],
  // Not a key of WSO2, which does not follow groups in groups.
  nested_group_depth: ['number'],
  role_dn_pattern: ['text', 'RoleDNPattern'],
  back_links_enabled: ['flag', 'BackLinksEnabled'],
  // WSO2 maps this key to a property of the same spelling, which nothing reads; what was meant is EmptyRolesAllowed.
  empty_roles_allowed: ['flag', 'EmptyRolesAllowed'],
  rolename_java_regex: ['pattern', 'RolenameJavaRegEx'],
  rolename_javascript_regex: ['text', 'RolenameJavaScriptRegEx'],
  rolename_java_regex_violation_error_msg: ['text', 'RolenameJavaRegExViolationErrorMsg'],
  max_role_name_list_length: ['number', 'MaxRoleNameListLength'],
  user_roles_cache_enabled: ['flag', 'UserRolesCacheEnabled'],
  case_sensitive_authorization_rules: ['flag', 'CaseSensitiveAuthorizationRules'],
  // Passwords
  password_java_regex: ['pattern', 'PasswordJavaRegEx'],
  password_javascript_regex: ['text', 'PasswordJavaScriptRegEx'],
  password_java_regex_violation_error_msg: ['text', 'PasswordJavaRegExViolationErrorMsg'],
  password_digest: ['text', 'PasswordDigest'],
  store_salted_password: ['flag', 'StoreSaltedPassword'],
  password_hash_method: ['text', 'PasswordHashMethod'],
  // The rest
  read_only: ['flag', 'ReadOnly'],
  domain_name: ['text', 'DomainName'],
  disable: ['flag', 'Disabled'],
  scim_enabled: ['flag', 'SCIMEnabled'],
  is_bulk_import_supported: ['flag', 'IsBulkImportSupported'],
  multi_attribute_separator: ['text', 'MultiAttributeSeparator'],
  count_retriever_class: ['text', 'CountRetrieverClass'],
  notification_receivers_retrieval_class: ['text', 'NotificationReceiversRetrievalClass'],
} as const

/** A key of `[user_store]`. */
export type UserStoreKey = keyof typeof userStoreKeys

/** Values of `[user_store]`, by key. */
export type UserStoreValues = {
  readonly [Key in UserStoreKey]?: UserStoreValueTypes[(typeof userStoreKeys)[Key][0]] | undefined
}
