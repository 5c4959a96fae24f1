/**
 * Which of WSO2's tables a role is in, and under which name.
 *
 * @module
 */

import { type RoleName, readRoleName } from '../role-name.js'
import type { NameTable } from './wso2-columns.js'

/** Where a role is kept, and who has it. */
export function tablesOf(role: RoleName): { readonly table: NameTable; readonly members: string } {
  return role.isInternal
    ? { table: 'UM_HYBRID_ROLE', members: 'UM_HYBRID_USER_ROLE' }
    : { table: 'UM_ROLE', members: 'UM_USER_ROLE' }
}

/** None for a role of `UM_ROLE` that begins like one of the other table: it would be taken for that one. */
export function externalRole(name: string): readonly RoleName[] {
  const role = readRoleName(name)
  return role.isInternal ? [] : [role]
}

/** `Internal/` is left out in the table, `Application/` and `Workflow/` are not. */
export function hybridRole(name: string): RoleName {
  const role = readRoleName(name)
  return role.isInternal ? role : readRoleName(`Internal/${name}`)
}
