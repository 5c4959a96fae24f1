/**
 * The `control_access` tables and `[[servlet_access_control_filter]]`: which addresses may call.
 *
 * @module
 */

import { addressList } from '../../addresses/allow-list.js'
import { parseNetwork } from '../../addresses/network.js'
import { servletPatternProblem } from '../../paths/servlet-pattern.js'
import type { ServletFilterConfig } from '../config.js'
import {
  type Field,
  field,
  filledText,
  flag,
  integer,
  type Refuse,
  refuseAt,
  refuseRepeated,
  table,
  tables,
} from './fields.js'

/** Reads an item as it is written. `parse` throws a TypeError that says what is wrong with it. */
function checkItem(value: unknown, refuse: Refuse, parse: (item: string) => unknown, kinds: string): string {
  const rule = `must be ${kinds}, in quotes`
  if (typeof value !== 'string') return refuse(`${rule}, such as "10.0.0.0/8"`)
  try {
    parse(value)
    return value
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return refuse(rule, ` (${error.message})`)
  }
}

const network = field((value, refuse) => checkItem(value, refuse, parseNetwork, 'an address or a CIDR block'))

function checkAddressItem(value: unknown, refuse: Refuse): string {
  const kinds = 'an address, a CIDR block or a regular expression'
  return checkItem(value, refuse, (item) => addressList([item]), kinds)
}

function createList(item: Field<string>): Field<string[]> {
  const rule = 'must be a list of addresses and networks, such as ["10.0.0.0/8", "::1"]'
  return field((value, refuse) => (Array.isArray(value) ? value : refuse(rule)))
    .pipe(item.array())
    .meta({ unit: 'list of addresses', type: 'array', items: { type: 'string' } })
}

export const networks: Field<string[]> = createList(network)

export const addressItems: Field<string[]> = createList(field(checkAddressItem))

function accessTable(items: Field<string[]>, what: string, who: string): Field<string[] | undefined> {
  return table({
    enable: flag.prefault(false).describe(`whether only the addresses of \`allow\` may call ${who}`),
    allow: items
      .optional()
      .describe(`the ${what} that may call; all others get 403`)
      .meta({ absent: 'required with `enable`' }),
  }).transform(({ enable, allow }, context) => {
    if (enable && allow === undefined) {
      refuseAt(context, ['allow'], `must list the ${what} that may call, such as ["10.0.0.0/8", "127.0.0.1"]`)
    }
    return enable ? (allow ?? []) : undefined
  })
}

export const managementAccessTable = accessTable(networks, 'networks', 'the management API')

/** `[admin_console.control_access]`. WSO2 leaves access open for a quoted `"true"`; here it counts. */
export const consoleAccessTable = accessTable(addressItems, 'addresses', 'the management console')

export const webAppAccessTable = accessTable(
  addressItems,
  'addresses',
  'any portal, the authorization server, and what is mounted after `webApps()`',
)

const urlPattern = field((value, refuse) => {
  const problem = typeof value === 'string' ? servletPatternProblem(value) : 'must be the URL pattern of a servlet'
  return problem === undefined ? (value as string) : refuse(problem)
}).meta({ unit: 'URL pattern', type: 'string' })

/** Empty is the same as not there, as in Tomcat. */
const expression = field((value, refuse) => (value === '' ? undefined : [checkAddressItem(value, refuse)])).meta({
  unit: 'regular expression',
  type: 'string',
})

/** A client that gets 401 or 407 waits for a challenge (RFC 9110 sections 15.5.2 and 15.5.8). */
const status = integer(400, 599).refine((code) => code !== 401 && code !== 407, {
  error: 'must not be 401 or 407, which ask for a password',
})

const root = 'servlet_access_control_filter'

const filter = table({
  filter_name: filledText.describe('no other filter may have it').meta({ absent: 'required' }),
  url_pattern: urlPattern
    .describe('from the root of the server: `/a/path`, `/a/path/*`, `*.jsp`, or `/` for every path')
    .meta({ absent: 'required' }),
  allow_ip_regex: expression.optional().describe('addresses that pass, unless they are denied'),
  deny_ip_regex: expression.optional().describe('addresses that are refused; without `allow_ip_regex` the others pass'),
  deny_status: status.prefault(403).describe('status of the refusal, not 401 or 407'),
}).transform(({ filter_name, url_pattern, allow_ip_regex, deny_ip_regex, deny_status }) => ({
  name: filter_name,
  urlPattern: url_pattern,
  allow: allow_ip_regex,
  deny: deny_ip_regex,
  denyStatus: deny_status,
}))

/** All that cover a path have to be passed. */
export const servletFiltersTable: Field<ServletFilterConfig[]> = tables(filter).transform((filters, context) => {
  const names = filters.map((filter) => filter?.name)
  refuseRepeated(context, names, (index) => [index, 'filter_name'], 'must not be the name of two filters', [root])
  return filters
    .map((filter, index) => filter && { ...filter, origin: { key: `${root}[${index}]` } })
    .filter((filter) => filter !== undefined)
})
