/**
 * `[portal]` and `[tomcat]`: the portals, how long people stay signed in to them, and who may.
 *
 * @module
 */

import * as z from 'zod'
import { hasControlCharacter } from '../../internal/control-character.js'
import { isPortalName, managementConsole } from '../../internal/portal-name.js'
import type { PortalConfig, PortalDefaults } from '../config.js'
import { duration, type Field, field, flag, integer, refuseAt, table, textList } from '../fields.js'
import { addressItems } from './control-access.js'

/** The portals that WSO2's products come with. They are there without a table. */
export const builtInPortals: readonly string[] = [managementConsole, 'publisher', 'devportal', 'admin']

/** The origin of a URL, in the spelling of browsers. */
const origin = field((value, refuse) => {
  const rule = 'must be an origin in quotes, such as "https://portal.example.com"'
  if (typeof value !== 'string' || !/^https?:\/\/[^/?#@\s\\]+$/i.test(value) || !URL.canParse(value))
    return refuse(rule)
  return new URL(value).origin
})

const callback = field((value, refuse) => {
  const rule = 'must be an absolute URL without user and fragment, such as "https://portal.example.com/callback"'
  if (typeof value !== 'string' || !/^https?:\/\/[^\s#]+$/i.test(value) || !URL.canParse(value)) return refuse(rule)
  const { username, password } = new URL(value)
  return username === '' && password === '' ? value : refuse(rule)
})

/** A text that stands on a page. */
const shownText = field((value, refuse) => {
  if (typeof value === 'string' && /\S/.test(value) && value.length <= 200 && !hasControlCharacter(value)) return value
  return refuse('must be a text of 1 to 200 characters on one line')
})

/** What `__Host-` and the name of a portal are put around, as part of a token (RFC 6265 section 4.1.1). */
const cookiePrefix = field((value, refuse) => {
  if (typeof value === 'string' && /^(?!__)[A-Za-z0-9_-]{1,64}$/.test(value)) return value
  return refuse('must be 1 to 64 letters, digits, _ and -, and not begin with two _')
})

/** What a `[portal.<name>]` says. */
export interface PortalTable {
  readonly session_timeout?: number | undefined
  readonly absolute_timeout?: number | undefined
  readonly roles?: string[] | undefined
  readonly title?: string | undefined
  readonly support?: string | undefined
  readonly callback?: string | undefined
  readonly allow?: string[] | undefined
}

const portalTable: Field<PortalTable> = z.object(
  {
    session_timeout: duration().optional(),
    absolute_timeout: duration().optional(),
    roles: textList.optional(),
    title: shownText.optional(),
    support: shownText.optional(),
    callback: callback.optional(),
    allow: addressItems.optional(),
  },
  {
    error:
      'must be the table of a portal; the keys of [portal] itself are origins, allow_insecure_http, absolute_timeout, ' +
      'cookie_prefix and max_sessions',
  },
)

/** What `[portal]` says, and the tables below it by name. */
export interface PortalTables {
  readonly origins: readonly string[]
  readonly allow_insecure_http: boolean
  readonly absolute_timeout?: number | undefined
  readonly cookie_prefix: string
  readonly max_sessions: number
  readonly named: ReadonlyMap<string, PortalTable>
}

/** Reads `[portal]`. Every table in it is a portal. */
export const portalTables: Field<PortalTables> = table({
  origins: origin.array().prefault([]),
  allow_insecure_http: flag.prefault(false),
  absolute_timeout: duration().optional(),
  cookie_prefix: cookiePrefix.prefault('sallyport'),
  max_sessions: integer(1, 10_000_000).prefault(10_000),
})
  .catchall(portalTable)
  .transform((read, context): PortalTables => {
    const { origins, allow_insecure_http, absolute_timeout, cookie_prefix, max_sessions, ...named } = read
    for (const name of Object.keys(named)) {
      if (isPortalName(name)) continue
      refuseAt(context, [name], 'is no name for a portal: use up to 64 letters, digits, _ and -, and not sso')
    }
    const portals = new Map(Object.entries(named as Record<string, PortalTable>))
    return { origins, allow_insecure_http, absolute_timeout, cookie_prefix, max_sessions, named: portals }
  })

/** What `[tomcat]` says of sessions. */
export interface TomcatTable {
  readonly management_console: { readonly session_timeout: number }
  readonly global: { readonly session_timeout: number }
}

/** WSO2 takes a bare number as minutes. */
function sessionTable(byDefault: string): Field<{ session_timeout: number }> {
  return table({ session_timeout: duration('m').prefault(byDefault) })
}

/** Reads `[tomcat]`. */
export const tomcatTable: Field<TomcatTable> = table({
  management_console: sessionTable('15m').prefault({}),
  global: sessionTable('30m').prefault({}),
})

/** A working day. A longer idle time-out of the operator's goes before it. */
const defaultAbsoluteSeconds = 12 * 60 * 60

/** What holds for every portal. */
export function portalDefaultsOf(tables: PortalTables): PortalDefaults {
  const { origins, allow_insecure_http, cookie_prefix, max_sessions } = tables
  return {
    origins,
    allowsInsecureHttp: allow_insecure_http,
    cookiePrefix: cookie_prefix,
    maxSessions: max_sessions,
  }
}

/** All portals, first those that are there without a table. */
export function portalsOf(portal: PortalTables, tomcat: TomcatTable): PortalConfig[] {
  return [...new Set([...builtInPortals, ...portal.named.keys()])].map((name) => portalOf(name, portal, tomcat))
}

function portalOf(name: string, { named, absolute_timeout }: PortalTables, tomcat: TomcatTable): PortalConfig {
  const own = named.get(name) ?? {}
  const isConsole = name === managementConsole
  const { session_timeout } = isConsole ? tomcat.management_console : tomcat.global
  const idleSeconds = own.session_timeout ?? session_timeout
  const absoluteSeconds = own.absolute_timeout ?? absolute_timeout ?? Math.max(idleSeconds, defaultAbsoluteSeconds)
  return {
    name,
    sessionTimeoutMs: Math.round(idleSeconds * 1000),
    absoluteTimeoutMs: Math.round(absoluteSeconds * 1000),
    roles: own.roles ?? (isConsole ? [] : undefined),
    title: own.title,
    support: own.support,
    callback: own.callback,
    allow: own.allow,
  }
}
