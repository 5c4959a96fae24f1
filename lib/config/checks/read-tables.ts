/**
 * The values of the tables: each is checked, and every mistake is found at once.
 *
 * @module
 */

import type { z } from 'zod'
import { type Deployment, deploymentTable } from '../schema/deployment.js'
import { isSecretKey, isWithin, type KeyPath } from '../values/key-path.js'
import { hasPlaceholder } from '../values/placeholders.js'
import { copyTree, prune, type Tree, type TreeValue, valueAt, writtenAt } from '../values/tree.js'
import { type Finding, suggestedPath } from './findings.js'

/**
 * Reads the tables, and adds every mistake to the list. After each round what was mistaken is taken out and the rest is
 * read again, because rules between keys are only looked at in a table whose own values are right.
 */
export function readTables(values: Tree, source: Tree, mistakes: Finding[]): Deployment | undefined {
  const rest = copyTree(values, () => {})
  const reported: KeyPath[] = mistakes.flatMap(({ path, suggestion }) => [path, ...missedBy(path, suggestion, values)])
  const misspelled = mistakes.filter(({ suggestion }) => suggestion !== undefined).map(({ path }) => path)
  for (;;) {
    const result = deploymentTable.safeParse(rest)
    if (result.success) return result.data
    const { issues } = result.error
    for (const issue of issues.filter((candidate) => !isConsequence(candidate, misspelled))) {
      const finding = createFinding(issue, source)
      if (reported.some((path) => isWithin(path, finding.path) || isWithin(finding.path, path))) continue
      mistakes.push(finding)
      reported.push(finding.path)
    }
    if (!issues.map(({ path }) => prune(rest, path as (string | number)[])).includes(true)) return undefined
  }
}

/** A key that was misspelled is not missing as well. */
function missedBy(path: KeyPath, suggestion: string | undefined, values: Tree): KeyPath[] {
  if (suggestion === undefined) return []
  const meant = suggestedPath(path, suggestion)
  return valueAt(values, meant) === undefined ? [meant] : []
}

/** Whether a rule between keys was looked at in a table with a misspelled key: put right, that key may keep the rule. */
function isConsequence(issue: z.core.$ZodIssue, misspelled: readonly KeyPath[]): boolean {
  const depth: unknown = issue.code === 'custom' ? issue.params?.['depth'] : undefined
  if (typeof depth !== 'number') return false
  const table = issue.path.slice(0, -depth) as (string | number)[]
  return misspelled.some((path) => path.length === table.length + 1 && isWithin(path, table))
}

function createFinding(issue: z.core.$ZodIssue, source: Tree): Finding {
  const path = issue.path as (string | number)[]
  const { hint, related } = (issue.code === 'custom' ? issue.params : undefined) ?? {}
  const isHintShown = hint !== undefined && !isSecretKey(path) && !containsPlaceholder(writtenAt(source, path))
  return { path, rule: `${issue.message}${isHintShown ? hint : ''}`, related: related as KeyPath | undefined }
}

function containsPlaceholder(value: TreeValue): boolean {
  return Array.isArray(value) ? value.some(containsPlaceholder) : typeof value === 'string' && hasPlaceholder(value)
}
