/**
 * What the configuration says of portals, and of who may call them.
 *
 * @module
 */

/** `[portal]`: what holds for every portal. */
export interface PortalDefaults {
  /** `origins`: further origins that the portals are reached by, where a proxy rewrites `Host`. @defaultValue none */
  readonly origins: readonly string[]
  /** `allow_insecure_http`: whether people may sign in over plain HTTP. @defaultValue `false` */
  readonly allowsInsecureHttp: boolean
  /** `cookie_prefix`: what the names of the cookies begin with, after `__Host-`. @defaultValue `'sallyport'` */
  readonly cookiePrefix: string
  /** `max_sessions`: sessions of all portals together that are kept at the same time. @defaultValue 10 000 */
  readonly maxSessions: number
}

/** One portal: `[portal.<name>]`, with the time-outs of `[tomcat]`. */
export interface PortalConfig {
  /** The argument of `security.portal`: up to 64 letters, digits, `_` and `-`. */
  readonly name: string
  /**
   * `session_timeout`, else that of `[tomcat.management_console]` or `[tomcat.global]`: how long a session may be idle.
   *
   * @defaultValue 15 minutes for `management_console`, 30 minutes for the others
   */
  readonly sessionTimeoutMs: number
  /**
   * `absolute_timeout`, else that of `[portal]`: when a session ends however busy it is.
   *
   * @defaultValue 12 hours, or `sessionTimeoutMs` where that is longer
   */
  readonly absoluteTimeoutMs: number
  /**
   * `roles`: any one of them lets a user in; administrators always get in. `undefined`: everybody.
   *
   * @defaultValue `[]`, nobody but administrators, for `management_console`, and everybody for the others
   */
  readonly roles: readonly string[] | undefined
  /** `title`: what the login page calls it. @defaultValue made of the name */
  readonly title: string | undefined
  /** `support`: where people find help, shown on its pages. @defaultValue not shown */
  readonly support: string | undefined
  /** `callback`: where the authorization server sends users back to. */
  readonly callback: string | undefined
  /** `allow`: addresses that may call this portal, besides the other rules by address; `undefined`: all. */
  readonly allow: readonly string[] | undefined
}

/** One `[[servlet_access_control_filter]]`. Items are addresses, CIDR blocks or regular expressions, in the syntax of Java. */
export interface ServletFilterConfig {
  /** `filter_name`, which no other filter has. */
  readonly name: string
  /** `url_pattern`, from the root of the server: `/a/path`, `/a/path/*`, `*.extension` or `/`. */
  readonly urlPattern: string
  /** `allow_ip_regex`; `undefined` when it is empty or absent. */
  readonly allow: readonly string[] | undefined
  /** `deny_ip_regex`, which goes before; `undefined` when it is empty or absent. */
  readonly deny: readonly string[] | undefined
  /** `deny_status`. @defaultValue 403 */
  readonly denyStatus: number
}
