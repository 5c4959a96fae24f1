/**
 * `[portal]` and `[tomcat]`: the portals, how long people stay signed in to them, and who may.
 *
 * @module
 */

import * as z from 'zod'
import { languages } from '../../core/languages.js'
import { hasControlCharacter, isPortalName, managementConsole } from '../../core/names.js'
import type { PortalConfig } from '../config.js'
import { addressItems } from './control-access.js'
import { duration, type Field, field, filledText, flag, integer, refuseAt, table, textList } from './fields.js'
import { signInList } from './identity-provider.js'
import { secondFactorPolicy } from './second-factor.js'

/** The portals that WSO2's products come with. They are there without a table. */
export const builtInPortals: readonly string[] = [managementConsole, 'publisher', 'devportal', 'admin']

/** The origin of a URL, in the spelling of browsers. */
const origin = field((value, refuse) => {
  const rule = 'must be an origin in quotes, such as "https://portal.example.com"'
  if (typeof value !== 'string' || !/^https?:\/\/[^/?#@\s\\]+$/i.test(value) || !URL.canParse(value))
    return refuse(rule)
  return new URL(value).origin
}).meta({ type: 'string' })

const callback = field((value, refuse) => {
  const rule = 'must be an absolute URL without user and fragment, such as "https://portal.example.com/callback"'
  if (typeof value !== 'string' || !/^https?:\/\/[^\s#]+$/i.test(value) || !URL.canParse(value)) return refuse(rule)
  const { username, password } = new URL(value)
  return username === '' && password === '' ? value : refuse(rule)
}).meta({ unit: 'URL', type: 'string' })

/** A text that stands on a page. */
const shownText = field((value, refuse) => {
  if (typeof value === 'string' && /\S/.test(value) && value.length <= 200 && !hasControlCharacter(value)) return value
  return refuse('must be a text of 1 to 200 characters on one line')
}).meta({ unit: 'text of 1 to 200 characters', type: 'string' })

/** What `__Host-` and the name of a portal are put around, as part of a token (RFC 6265 section 4.1.1). */
const cookiePrefixRule = 'must be 1 to 64 letters, digits, _ and -, and not begin with two _'
const cookiePrefix = z
  .string({ error: cookiePrefixRule })
  .regex(/^(?!__)[A-Za-z0-9_-]{1,64}$/, { error: cookiePrefixRule })

const languagesRule = `must list languages of the built-in pages, each once: ${languages.join(', ')}`
const offeredLanguages = z
  .array(z.enum(languages, { error: languagesRule }), { error: languagesRule })
  .min(1, { error: languagesRule })
  .refine((list) => new Set(list).size === list.length, { error: languagesRule })

type PortalTable = z.output<typeof portalTable>

const portalTable = z.object(
  {
    session_timeout: duration()
      .optional()
      .describe('how long a session of this portal may be idle')
      .meta({ absent: 'that of `[tomcat]`' }),
    absolute_timeout: duration()
      .optional()
      .describe('when a session of this portal ends, however busy it is')
      .meta({ absent: 'that of `[portal]`' }),
    roles: textList
      .optional()
      .describe('any one of them lets a user in; administrators always get in')
      .meta({ absent: 'everybody; for `management_console` administrators only' }),
    title: shownText.optional().describe('heading of the login page').meta({ absent: 'made from the name' }),
    support: shownText.optional().describe('where people find help: an e-mail address, a URL, or any other text'),
    logo: filledText
      .optional()
      .describe('path of a picture for its pages, from the folder of the file: SVG or PNG, at most 100 kB'),
    callback: callback.optional().describe('where the authorization server sends users back to'),
    second_factor: secondFactorPolicy
      .optional()
      .describe('who has to show a second factor')
      .meta({ absent: 'that of `[portal]`' }),
    sign_in: signInList.optional().meta({ absent: '`["local"]`' }),
    allow: addressItems
      .optional()
      .describe('addresses that may call this portal, besides the other rules by address')
      .meta({ absent: 'every address' }),
  },
  {
    error:
      'must be the table of a portal; the keys of [portal] itself are origins, allow_insecure_http, absolute_timeout, ' +
      'cookie_prefix, languages, max_sessions and second_factor',
  },
)

/** `[portal]`. Every table in it is a portal, which is found by its name in `named`. */
export type PortalTables = z.output<typeof portalTables>

const portalDefaults = {
  origins: origin
    .array()
    .prefault([])
    .describe('further origins that the portals are reached by, where a proxy rewrites `Host`'),
  allow_insecure_http: flag.prefault(false).describe('lets people sign in over plain HTTP, with a warning'),
  absolute_timeout: duration()
    .optional()
    .describe('when a session ends, however busy it is')
    .meta({ absent: '`"12h"`, or the idle time-out where that is longer' }),
  cookie_prefix: cookiePrefix
    .prefault('sallyport')
    .describe(
      'what the names of the cookies begin with, after `__Host-`; two apps on two ports of one host need different ones',
    ),
  languages: offeredLanguages
    .prefault([...languages])
    .describe('of the built-in pages, by `Accept-Language`; the first one is for browsers that ask for none of them'),
  second_factor: secondFactorPolicy
    .optional()
    .describe('who has to show a second factor')
    .meta({ absent: '`"optional"`: users who have one' }),
  max_sessions: integer(1, 10_000_000)
    .prefault(10_000)
    .describe('sessions of all portals together; the one that was idle for the longest time is evicted'),
}

export const portalTables = z
  .object(portalDefaults, { error: 'must be a table' })
  .catchall(portalTable)
  .transform((read, context) => {
    const { origins, allow_insecure_http, absolute_timeout, cookie_prefix, max_sessions, second_factor, ...others } =
      read
    const { languages, ...named } = others
    for (const name of Object.keys(named)) {
      if (isPortalName(name)) continue
      refuseAt(context, [name], 'is no name for a portal: use up to 64 letters, digits, _ and -, and not sso')
    }
    const portals = new Map(Object.entries(named as Record<string, PortalTable>))
    return {
      origins,
      allow_insecure_http,
      absolute_timeout,
      cookie_prefix,
      max_sessions,
      second_factor,
      languages,
      named: portals,
    }
  })

export type TomcatTable = z.output<typeof tomcatTable>

/** WSO2 takes a bare number as minutes. */
function sessionTable(byDefault: string, what: string): Field<{ session_timeout: number }> {
  return table({
    session_timeout: duration('m').prefault(byDefault).describe(`how long a session of ${what} may be idle`),
  })
}

export const tomcatTable = table({
  management_console: sessionTable('15m', '`management_console`').prefault({}),
  global: sessionTable('30m', 'every other portal').prefault({}),
})

/** A working day. A longer idle time-out of the operator's goes before it. */
const defaultAbsoluteMs = 12 * 60 * 60 * 1000

export function createPortals(
  { named, absolute_timeout, second_factor }: PortalTables,
  tomcat: TomcatTable,
  logos: ReadonlyMap<string, string>,
): PortalConfig[] {
  return [...new Set([...builtInPortals, ...named.keys()])].map((name) => {
    const own = named.get(name) ?? {}
    const isConsole = name === managementConsole
    const { session_timeout } = isConsole ? tomcat.management_console : tomcat.global
    const idleMs = Math.round(own.session_timeout ?? session_timeout)
    const absoluteMs = own.absolute_timeout ?? absolute_timeout ?? Math.max(idleMs, defaultAbsoluteMs)
    return {
      name,
      sessionTimeoutMs: idleMs,
      absoluteTimeoutMs: Math.round(absoluteMs),
      roles: own.roles ?? (isConsole ? [] : undefined),
      title: own.title,
      support: own.support,
      logo: logos.get(name),
      callback: own.callback,
      secondFactor: own.second_factor ?? second_factor ?? 'optional',
      signIn: own.sign_in ?? ['local'],
      allow: own.allow,
      origin: { key: `portal.${name}` },
    }
  })
}
