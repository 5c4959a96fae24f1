/**
 * Options of a user store in a directory: the keys of `[user_store]`.
 *
 * @module
 */

import type { StorePatterns } from '../sql/store-rules.js'

/** Options of {@link ldapUserStore}. Each is named beside its key in `[user_store]`. */
export interface LdapUserStoreOptions extends StorePatterns {
  /**
   * `connection_url`: one or several with blanks between them, tried in this order.
   *
   * @example 'ldaps://one.example.org ldaps://two.example.org:1636'
   */
  readonly connectionUrl: string
  /** `connection_name`: whom searches and writes are done as. Absent only with `isAnonymous`. */
  readonly connectionName?: string | undefined
  /** `connection_password`. */
  readonly connectionPassword?: string | undefined
  /** `anonymous_bind`: searches are done without a bind when there is no `connectionName`. @defaultValue `false` */
  readonly isAnonymous?: boolean | undefined
  /** `StartTLSEnabled` of `[user_store.properties]`: TLS begins on the `ldap://` port. @defaultValue `false` */
  readonly startTls?: boolean | undefined
  /**
   * `Referral` of `[user_store.properties]` is `throw`: a search in which the directory refers to another server fails. No
   * referral is ever followed, so that no server is asked that nobody has named. @defaultValue `false`: it is left out
   */
  readonly refusesReferrals?: boolean | undefined
  /** Path of a PEM file with the authorities that servers are verified by. Absent: those that Node knows. */
  readonly caFile?: string | undefined
  /** `ssl_certificate_validation_enabled`. `false` has no effect but a warning. */
  readonly verifiesCertificate?: boolean | undefined
  /** `ldap_connection_timeout`, in milliseconds. 0 or less: the default. @defaultValue 5000 */
  readonly connectTimeoutMs?: number | undefined
  /** `read_timeout`, in milliseconds, for each request. 0 or less: the default. @defaultValue 5000 */
  readonly readTimeoutMs?: number | undefined
  /**
   * How long nobody tries after all servers have failed, in milliseconds. `connection_retry_delay` is two minutes with
   * WSO2; the default here is short, so that a restarted directory is used at once.
   *
   * @defaultValue 2000
   */
  readonly connectionRetryDelayMs?: number | undefined
  /** Connections for searches, and as many for binds. @defaultValue 10 */
  readonly maxConnections?: number | undefined
  /**
   * `connection_pooling_enabled`: a connection of a search is kept for the next one, for at most a minute without one. A bind
   * has always a connection of its own. @defaultValue `true`
   */
  readonly keepsConnections?: boolean | undefined
  /** Callers that may wait for a connection, for searches and for binds. @defaultValue 1000 */
  readonly maxWaiting?: number | undefined
  /** Milliseconds that a caller waits for a connection. @defaultValue 5000 */
  readonly queueTimeoutMs?: number | undefined

  /** `base_dn`: what the bases were made of, so that a mistake in it is told of this key. */
  readonly baseDn?: string | undefined
  /** `user_search_base`: one or several with `#` between them. */
  readonly userSearchBase: string
  /** `user_name_attribute`. @defaultValue `'uid'` */
  readonly userNameAttribute?: string | undefined
  /** `user_name_search_filter`, with `?` for the name. @defaultValue `'(&(objectClass=person)(uid=?))'` with the attribute above */
  readonly userNameSearchFilter?: string | undefined
  /** `user_name_list_filter`. @defaultValue `'(objectClass=person)'` */
  readonly userNameListFilter?: string | undefined
  /** `user_dn_pattern`, with `{0}` for the name: one or several with `#` between them. Users are not searched then. */
  readonly userDnPattern?: string | undefined
  /** `user_entry_object_class`, for users that are added: one or several with commas. @defaultValue `'identityPerson'` */
  readonly userEntryObjectClass?: string | undefined
  /** `case_insensitive_username`. @defaultValue `true` */
  readonly ignoresCase?: boolean | undefined
  /**
   * `LeadingOrTrailingSpaceAllowedInUserName` of `[user_store.properties]`: with `false` nobody logs in by a name with a blank at
   * an end. @defaultValue `true`
   */
  readonly allowsOuterBlanks?: boolean | undefined
  /** `replace_escape_characters_at_user_login`. `false` has no effect but a warning: names are always escaped. */
  readonly escapesNames?: boolean | undefined
  /** `max_user_name_list_length`. 0 or less: the default. @defaultValue 100 */
  readonly maxUsers?: number | undefined
  /** The directory is an Active Directory: passwords are written as `unicodePwd`, which it takes over TLS only. @defaultValue `false` */
  readonly isActiveDirectory?: boolean | undefined
  /**
   * Attributes that tell when a password was changed. What the directory shows of them makes the `version` of an account;
   * where it shows none, a changed password does not end tokens until they expire or are revoked.
   *
   * @defaultValue `pwdChangedTime`, `pwdLastSet`, `krbLastPwdChange` and `shadowLastChange`
   */
  readonly versionAttributes?: readonly string[] | undefined

  /** `read_groups`. @defaultValue `true` */
  readonly readsGroups?: boolean | undefined
  /** `write_groups`. @defaultValue `true` unless `isReadOnly` */
  readonly writesGroups?: boolean | undefined
  /** `group_search_base`: one or several with `#` between them. */
  readonly groupSearchBase?: string | undefined
  /** `group_name_attribute`. @defaultValue `'cn'` */
  readonly groupNameAttribute?: string | undefined
  /** `group_name_search_filter`, with `?` for the name. @defaultValue `'(&(objectClass=groupOfNames)(cn=?))'` with the attribute above */
  readonly groupNameSearchFilter?: string | undefined
  /** `group_name_list_filter`. @defaultValue `'(objectClass=groupOfNames)'` */
  readonly groupNameListFilter?: string | undefined
  /** `group_entry_object_class`, for roles that are added. @defaultValue `'groupOfNames'` */
  readonly groupEntryObjectClass?: string | undefined
  /** `membership_attribute`. `memberUid` holds names, all others distinguished names. @defaultValue `'member'` */
  readonly membershipAttribute?: string | undefined
  /** `member_of_attribute`: groups are read from the user's own entry. Absent: they are searched. */
  readonly memberOfAttribute?: string | undefined
  /** Groups in groups are followed so many levels up. 0: only the groups that a user is in directly. @defaultValue 0 */
  readonly nestedGroupDepth?: number | undefined
  /** `max_role_name_list_length`. 0 or less: the default. @defaultValue 100 */
  readonly maxRoles?: number | undefined

  /** `password_hash_method`: `PLAIN_TEXT`, `SHA` or `MD5`, for directories without RFC 3062. @defaultValue `'PLAIN_TEXT'` */
  readonly passwordHashMethod?: string | undefined
  /** `read_only`, or a store of the type `read_only_ldap`. @defaultValue `true` */
  readonly isReadOnly?: boolean | undefined
  /** `domain_name`. @defaultValue `'PRIMARY'` */
  readonly domain?: string | undefined
  /** `[super_admin] admin_role`. @defaultValue `'admin'` */
  readonly adminRole?: string | undefined
  /** `[super_admin] username`: a user who cannot be removed. Absent: nobody is protected. */
  readonly superAdmin?: string | undefined
  /** Milliseconds that never go back. @defaultValue `performance.now` */
  readonly now?: (() => number) | undefined
}
