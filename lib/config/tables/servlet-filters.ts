/**
 * `[[servlet_access_control_filter]]`: which addresses may call which paths of the portals and web apps.
 *
 * @module
 */

import { servletPatternProblem } from '../../internal/servlet-pattern.js'
import type { ServletFilterConfig } from '../config.js'
import { type Field, field, filledText, integer, refuseAt, type TableContext, table, tables } from '../fields.js'
import { checkAddressItem } from './control-access.js'

const urlPattern = field((value, refuse) => {
  const problem = typeof value === 'string' ? servletPatternProblem(value) : 'must be the URL pattern of a servlet'
  return problem === undefined ? (value as string) : refuse(problem)
})

/** Empty is the same as not there, as in Tomcat. */
const expression = field((value, refuse) => (value === '' ? undefined : [checkAddressItem(value, refuse)]))

/** A client that gets one of these waits for a challenge (RFC 9110 sections 15.5.2 and 15.5.8). */
const challenges = [401, 407]

const status = integer(400, 599).refine((code) => !challenges.includes(code), {
  error: 'must not be 401 or 407, which ask for a password',
})

const filter = table({
  filter_name: filledText,
  url_pattern: urlPattern,
  allow_ip_regex: expression.optional(),
  deny_ip_regex: expression.optional(),
  deny_status: status.prefault(403),
}).transform(
  (row): ServletFilterConfig => ({
    name: row.filter_name,
    urlPattern: row.url_pattern,
    allow: row.allow_ip_regex,
    deny: row.deny_ip_regex,
    denyStatus: row.deny_status,
  }),
)

/** The filters, in the order of the file. All that cover a path have to be passed. */
export const servletFiltersTable: Field<ServletFilterConfig[]> = tables(filter).transform((filters, context) => {
  refuseDuplicates(filters, context)
  return filters.filter((one) => one !== undefined)
})

function refuseDuplicates(filters: readonly (ServletFilterConfig | undefined)[], context: TableContext): void {
  const seen = new Map<string, number>()
  for (const [index, one] of filters.entries()) {
    if (one === undefined) continue
    const first = seen.get(one.name)
    if (first === undefined) seen.set(one.name, index)
    else {
      const related = ['servlet_access_control_filter', first, 'filter_name']
      refuseAt(context, [index, 'filter_name'], 'must not be the name of two filters', related)
    }
  }
}
