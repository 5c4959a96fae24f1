/**
 * Names of roles: those of the store, and those that several stores share.
 *
 * @module
 */

/** The name of a role. */
export interface RoleName {
  /** With `Internal/`, `Application/` or `Workflow/` where it has that; without the store's domain. */
  readonly full: string
  /** As WSO2 stores it: without `Internal/`. */
  readonly stored: string
  /** Whether the role is shared by all stores. */
  readonly isInternal: boolean
}

/** The role that everybody has. */
export const everyoneRole = 'Internal/everyone'

const internalPrefix = /^(internal|application|workflow)\//i

const spellings: Readonly<Record<string, string>> = {
  internal: 'Internal',
  application: 'Application',
  workflow: 'Workflow',
}

/** Reads a name without a store's domain. The letter case of `internal/` does not count. */
export function readRoleName(text: string): RoleName {
  const prefix = internalPrefix.exec(text)?.[1]
  if (prefix === undefined) return { full: text, stored: text, isInternal: false }
  const rest = text.slice(prefix.length + 1)
  const domain = spellings[prefix.toLowerCase()]!
  const full = `${domain}/${rest}`
  return { full, stored: domain === 'Internal' ? rest : full, isInternal: true }
}
