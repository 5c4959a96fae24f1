/**
 * Options of a user store in a directory.
 *
 * @module
 */

import type { ObserveQuery } from '../../core/query-observer.js'
import type { StorePatterns } from '../store-rules.js'

/** Options of {@link ldapUserStore}, each with its key in `[user_store]`. Numbers of 0 or less are the default. */
export interface LdapUserStoreOptions extends StorePatterns {
  /** `connection_url`: one or several with blanks between them, tried in this order. */
  readonly connectionUrl: string
  /** `connection_name`: whom searches and writes are done as. Absent only with `bindAnonymously`. */
  readonly connectionName?: string | undefined
  /** `connection_password` */
  readonly connectionPassword?: string | undefined
  /** `anonymous_bind`: searches are done without a bind when there is no `connectionName`. @defaultValue `false` */
  readonly bindAnonymously?: boolean | undefined
  /** `StartTLSEnabled`: TLS starts on the `ldap://` port. @defaultValue `false` */
  readonly startTls?: boolean | undefined
  /** `Referral` is `throw`: a search with a referral fails, instead of leaving it out. None is followed. @defaultValue `false` */
  readonly refuseReferrals?: boolean | undefined
  /** PEM file with the authorities that servers are verified by. @defaultValue those that Node knows */
  readonly caFile?: string | undefined
  /** `ssl_certificate_validation_enabled`. `false` has no effect but a warning. */
  readonly verifyCertificate?: boolean | undefined
  /** `ldap_connection_timeout`. @defaultValue 5000 */
  readonly connectTimeoutMs?: number | undefined
  /** `read_timeout`, for each request. @defaultValue 5000 */
  readonly readTimeoutMs?: number | undefined
  /** `connection_retry_delay`: how long a server that failed comes last. @defaultValue 2000 */
  readonly connectionRetryDelayMs?: number | undefined
  /** Connections for searches, and as many for binds. @defaultValue 10 */
  readonly maxConnections?: number | undefined
  /** `connection_pooling_enabled`: a connection of a search is kept for the next, at most a minute. @defaultValue `true` */
  readonly keepConnections?: boolean | undefined
  /** Callers that may wait for a connection, for searches and for binds. @defaultValue 1000 */
  readonly maxWaiting?: number | undefined
  /** How long a caller waits for a connection. @defaultValue 5000 */
  readonly queueTimeoutMs?: number | undefined

  /** `base_dn`: what the bases were made of, so that a mistake in it is reported for this key. */
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
  readonly ignoreCase?: boolean | undefined
  /** `LeadingOrTrailingSpaceAllowedInUserName`: `false` refuses a name with a blank at an end. @defaultValue `true` */
  readonly allowOuterBlanks?: boolean | undefined
  /** `replace_escape_characters_at_user_login`. `false` has no effect but a warning: names are always escaped. */
  readonly escapeNames?: boolean | undefined
  /** `max_user_name_list_length`. @defaultValue 100 */
  readonly maxUsers?: number | undefined
  /** Passwords are written as `unicodePwd`, which an Active Directory takes over TLS only. @defaultValue `false` */
  readonly activeDirectory?: boolean | undefined
  /**
   * Attributes that change with the password. Where a directory shows none, a changed password does not end tokens.
   *
   * @defaultValue `pwdChangedTime`, `pwdLastSet`, `krbLastPwdChange` and `shadowLastChange`
   */
  readonly versionAttributes?: readonly string[] | undefined

  /** `read_groups`. @defaultValue `true` */
  readonly readGroups?: boolean | undefined
  /** `write_groups`. @defaultValue `true` */
  readonly writeGroups?: boolean | undefined
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
  /** Levels of groups in groups. @defaultValue 0: only the groups that a user is in directly */
  readonly nestedGroupDepth?: number | undefined
  /** `max_role_name_list_length`. @defaultValue 100 */
  readonly maxRoles?: number | undefined

  /** `password_hash_method`: `PLAIN_TEXT`, `SHA` or `MD5`, for directories without RFC 3062. @defaultValue `'PLAIN_TEXT'` */
  readonly passwordHashMethod?: string | undefined
  /** `read_only`, or a store of the type `read_only_ldap`. @defaultValue `true` */
  readonly readOnly?: boolean | undefined
  /** `domain_name`. @defaultValue `'PRIMARY'` */
  readonly domain?: string | undefined
  /** `[super_admin] admin_role`. @defaultValue `'admin'` */
  readonly adminRole?: string | undefined
  /** `[super_admin] username`: a user who cannot be removed. @defaultValue none */
  readonly superAdmin?: string | undefined
  /** Told of each search, bind and write: how long it took with waiting and connecting, and why the directory failed. */
  readonly observe?: ObserveQuery | undefined
  /** A monotonic clock, in milliseconds. @defaultValue `performance.now` */
  readonly clock?: (() => number) | undefined
}
