/**
 * `[portal]` and `[tomcat]`: the portals, how long people stay signed in to them, and who may.
 *
 * @module
 */

import * as z from 'zod'
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

/** What a `[portal.<name>]` says. */
export interface PortalTable {
  readonly session_timeout?: number | undefined
  readonly absolute_timeout?: number | undefined
  readonly roles?: string[] | undefined
  readonly callback?: string | undefined
  readonly allow?: string[] | undefined
}

const portalTable: Field<PortalTable> = z.object(
  {
    session_timeout: duration().optional(),
    absolute_timeout: duration().optional(),
    roles: textList.optional(),
    callback: callback.optional(),
    allow: addressItems.optional(),
  },
  {
    error:
      'must be the table of a portal; the keys of [portal] itself are origins, allow_insecure_http, absolute_timeout ' +
      'and max_sessions',
  },
)

/** What `[portal]` says, and the tables below it by name. */
export interface PortalTables {
  readonly origins: readonly string[]
  readonly allow_insecure_http: boolean
  readonly absolute_timeout?: number | undefined
  readonly max_sessions: number
  readonly named: ReadonlyMap<string, PortalTable>
}

/** Reads `[portal]`. Every table in it is a portal. */
export const portalTables: Field<PortalTables> = table({
  origins: origin.array().prefault([]),
  allow_insecure_http: flag.prefault(false),
  absolute_timeout: duration().optional(),
  max_sessions: integer(1, 10_000_000).prefault(10_000),
})
  .catchall(portalTable)
  .transform(({ origins, allow_insecure_http, absolute_timeout, max_sessions, ...named }, context): PortalTables => {
    for (const name of Object.keys(named)) {
      if (isPortalName(name)) continue
      refuseAt(context, [name], 'is no name for a portal: use up to 64 letters, digits, _ and -, and not sso')
    }
    const portals = new Map(Object.entries(named as Record<string, PortalTable>))
    return { origins, allow_insecure_http, absolute_timeout, max_sessions, named: portals }
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
export function portalDefaultsOf({ origins, allow_insecure_http, max_sessions }: PortalTables): PortalDefaults {
  return { origins, allowsInsecureHttp: allow_insecure_http, maxSessions: max_sessions }
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
    callback: own.callback,
    allow: own.allow,
  }
}
