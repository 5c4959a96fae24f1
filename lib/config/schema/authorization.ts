/**
 * `[management_api.authorization_handler]` and `public_paths`: which paths of the management API need what.
 *
 * @module
 */

import { METHODS } from 'node:http'
import * as z from 'zod'
import { pathSyntaxProblems } from '../../paths/readings.js'
import type { AuthorizationConfig, ProtectedResource } from '../config.js'
import {
  type Field,
  field,
  filledText,
  flag,
  oneOf,
  readParts,
  refuseAt,
  refuseRepeated,
  type TableContext,
  table,
  tables,
} from './fields.js'

export const path: Field<string> = field((value, refuse) => {
  if (typeof value !== 'string') return refuse('must be a path that starts with "/"')
  const [problem] = pathSyntaxProblems(value)
  return problem === undefined ? value : refuse(problem)
}).meta({ unit: 'path', type: 'string' })

/** HTTP methods as a list or separated by commas, in upper case. A rule for GET is one for HEAD as well. */
const methods = field((value, refuse) => {
  const names = readParts(value)?.map((name) => name.toUpperCase())
  const rule = 'must name HTTP methods, such as ["POST", "DELETE"]; leave the key out for all methods'
  if (names === undefined || names.length === 0) return refuse(rule)
  const unknown = names.find((name) => !METHODS.includes(name))
  if (unknown !== undefined) return refuse(rule, `; ${JSON.stringify(unknown)} is none`)
  return [...new Set([...names, ...(names.includes('GET') ? ['HEAD'] : [])])]
}).meta({ unit: 'list of methods', type: ['string', 'array'] })

const roles: Field<string[]> = z
  .array(filledText, { error: 'must be a list of role names' })
  .min(1, { error: 'must name at least one role; leave the key out for administrators only' })

const resource = table({
  path: path.describe('protected path, relative to the mount, with everything below it').meta({ absent: 'required' }),
  methods: methods
    .optional()
    .describe('methods that the rule binds; `GET` includes `HEAD`')
    .meta({ absent: 'every method' }),
  roles: roles.optional().describe('any one of these roles opens the path').meta({ absent: 'administrators only' }),
}).transform(
  // A slash at the end of a rule makes no difference.
  ({ path, methods, roles }) => ({ path: path.length > 1 ? path.replace(/\/$/, '') : path, methods, roles }),
)

const root = ['management_api', 'authorization_handler']
const key = `${root.join('.')}.resources`

export const authorizationTable: Field<AuthorizationConfig> = table({
  enable: flag.prefault(true).describe('`false`: any authenticated user may call everything'),
  default_policy: oneOf(['authenticated', 'admin', 'deny'])
    .prefault('authenticated')
    .describe('what holds for a path that no rule names; `"deny"` shuts out administrators too'),
  apply_to_file_users: flag
    .prefault(true)
    .describe('`false`: the rules do not bind users of the file, which is what WSO2 documents'),
  resources: tables(resource)
    .optional()
    .describe('the protected paths; a list that names `/users` covers `/roles` in the same way')
    .meta({ absent: '`/users`, `/roles`, `/configs`' }),
}).transform(
  (table, context): AuthorizationConfig => ({
    isEnabled: table.enable,
    resources: readResources(table.resources, context),
    defaultPolicy: table.default_policy,
    applyToFileUsers: table.apply_to_file_users,
  }),
)

type Resource = Omit<ProtectedResource, 'origin'>

function readResources(
  list: readonly (Resource | undefined)[] | undefined,
  context: TableContext,
): ProtectedResource[] {
  if (list === undefined) {
    const common = { methods: undefined, roles: undefined, origin: { key } }
    return ['/users', '/roles', '/configs'].map((path) => ({ path, ...common }))
  }
  if (list.length === 0) {
    refuseAt(context, ['resources'], 'must name at least one path; to protect none, write enable = false')
  }
  const names = list.map((entry) => entry && `${entry.path.toLowerCase()} ${entry.methods?.toSorted().join() ?? '*'}`)
  const rule = 'must not be protected twice for the same methods'
  refuseRepeated(context, names, (index) => ['resources', index, 'path'], rule, root)
  const resources = list
    .map((entry, index) => entry && { ...entry, origin: { key: `${key}[${index}]` } })
    .filter((entry) => entry !== undefined)
  // Roles decide who is an administrator: a list that protects /users and forgets /roles would protect neither.
  const entriesFor = (wanted: string) => resources.filter(({ path }) => path.toLowerCase() === wanted)
  if (entriesFor('/roles').length > 0) return resources
  return [...resources, ...entriesFor('/users').map((entry) => ({ ...entry, path: '/roles' }))]
}

export function refuseProtectedPublicPaths(
  paths: readonly string[],
  { isEnabled, resources }: AuthorizationConfig,
  context: TableContext,
): void {
  for (const [index, publicPath] of isEnabled ? paths.entries() : []) {
    const guard = resources.find(
      ({ path, methods }) => isPathWithin(publicPath, path) && (methods === undefined || methods.includes('HEAD')),
    )
    if (guard === undefined) continue
    refuseAt(context, ['public_paths', index], `must not be public: the protected path ${guard.path} covers it`)
  }
}

/** Whether a path is the other one or lies below it. As in the matcher of requests, case makes no difference. */
function isPathWithin(inner: string, outer: string): boolean {
  const [a, b] = [inner.toLowerCase(), outer.toLowerCase()]
  return outer === '/' || a === b || a.startsWith(`${b}/`)
}
