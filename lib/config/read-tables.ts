/**
 * The values of the tables: each is checked, and every mistake is found at once.
 *
 * @module
 */

import type { z } from 'zod'
import { type Finding, pathMeant } from './findings.js'
import { isSecretKey, isWithin, type KeyPath } from './key-path.js'
import { hasPlaceholder } from './placeholders.js'
import { type Deployment, deploymentTable } from './tables/deployment.js'
import { copyTree, prune, type Tree, type TreeValue, valueAt, writtenAt } from './tree.js'

/**
 * Reads the tables, and adds every mistake to the list. After each round what was mistaken is taken out and the rest is
 * read again, because rules between keys are only looked at in a table whose own values are right.
 */
export function readTables(values: Tree, source: Tree, mistakes: Finding[]): Deployment | undefined {
  const rest = copyTree(values, () => {})
  const reported: KeyPath[] = mistakes.flatMap(({ path, suggestion }) => [path, ...missedBy(path, suggestion, values)])
  for (;;) {
    const result = deploymentTable.safeParse(rest)
    if (result.success) return result.data
    const findings = result.error.issues.map((issue) => findingOf(issue, source))
    for (const finding of findings) {
      if (reported.some((path) => isWithin(path, finding.path) || isWithin(finding.path, path))) continue
      mistakes.push(finding)
      reported.push(finding.path)
    }
    if (!findings.map(({ path }) => prune(rest, path)).includes(true)) return undefined
  }
}

/** A key that was misspelled is not missing as well. */
function missedBy(path: KeyPath, suggestion: string | undefined, values: Tree): KeyPath[] {
  if (suggestion === undefined) return []
  const meant = pathMeant(path, suggestion)
  return valueAt(values, meant) === undefined ? [meant] : []
}

function findingOf(issue: z.core.$ZodIssue, source: Tree): Finding {
  const path = issue.path as (string | number)[]
  const { hint, related } = (issue.code === 'custom' ? issue.params : undefined) ?? {}
  const isHintShown = hint !== undefined && !isSecretKey(path) && !containsPlaceholder(writtenAt(source, path))
  return { path, rule: `${issue.message}${isHintShown ? hint : ''}`, related: related as KeyPath | undefined }
}

function containsPlaceholder(value: TreeValue): boolean {
  return Array.isArray(value) ? value.some(containsPlaceholder) : typeof value === 'string' && hasPlaceholder(value)
}
