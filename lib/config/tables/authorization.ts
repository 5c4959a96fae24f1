/**
 * `[management_api.authorization_handler]`.
 *
 * @module
 */

import * as z from 'zod'
import type { AuthorizationConfig, ProtectedResource } from '../config.js'
import { type Field, filledText, flag, oneOf, refuseAt, type TableContext, table, tables } from '../fields.js'
import { methods, rulePath } from './paths.js'

const roles: Field<string[]> = z
  .array(filledText, { error: 'must be a list of role names' })
  .min(1, { error: 'must name at least one role; leave the key out for administrators only' })

const resource: Field<ProtectedResource> = table({
  path: rulePath,
  methods: methods.optional(),
  roles: roles.optional(),
}).transform(({ path, methods, roles }): ProtectedResource => ({ path, methods, roles }))

const defaultResources: readonly ProtectedResource[] = ['/users', '/roles', '/configs'].map((path) => ({
  path,
  methods: undefined,
  roles: undefined,
}))

/** Which paths of the management API need an administrator, or a role. */
export const authorizationTable: Field<AuthorizationConfig> = table({
  enable: flag.prefault(true),
  default_policy: oneOf(['authenticated', 'admin', 'deny']).prefault('authenticated'),
  apply_to_file_users: flag.prefault(true),
  resources: tables(resource).optional(),
}).transform(
  (table, context): AuthorizationConfig => ({
    isEnabled: table.enable,
    resources: table.resources === undefined ? defaultResources : ownResources(table.resources, context),
    defaultPolicy: table.default_policy,
    appliesToFileUsers: table.apply_to_file_users,
  }),
)

function ownResources(list: readonly (ProtectedResource | undefined)[], context: TableContext): ProtectedResource[] {
  if (list.length === 0)
    refuseAt(context, ['resources'], 'must name at least one path; to protect none, write enable = false')
  const seen = new Map<string, number>()
  for (const [index, entry] of list.entries()) {
    if (entry === undefined) continue
    const rule = `${entry.path.toLowerCase()} ${entry.methods?.toSorted().join() ?? '*'}`
    const first = seen.get(rule)
    if (first === undefined) seen.set(rule, index)
    else
      refuseAt(
        context,
        ['resources', index, 'path'],
        'must not be protected twice for the same methods',
        related(first),
      )
  }
  return withRoles(list.filter((entry) => entry !== undefined))
}

function related(index: number): (string | number)[] {
  return ['management_api', 'authorization_handler', 'resources', index, 'path']
}

/**
 * Roles decide who is an administrator: a list that protects `/users` and forgets `/roles` would protect neither. What
 * holds for `/users`, method by method, holds for `/roles`, unless that has entries of its own.
 */
function withRoles(resources: ProtectedResource[]): ProtectedResource[] {
  const entriesOf = (wanted: string) => resources.filter(({ path }) => path.toLowerCase() === wanted)
  if (entriesOf('/roles').length > 0) return resources
  return [...resources, ...entriesOf('/users').map((entry) => ({ ...entry, path: '/roles' }))]
}
