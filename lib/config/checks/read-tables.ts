/**
 * The values of the tables: each is checked, and every mistake is found at once.
 *
 * @module
 */

import type { z } from 'zod'
import { type Deployment, deploymentTable } from '../schema/deployment.js'
import { isSecretKey, type KeyPath } from '../values/key-path.js'
import { PathSet } from '../values/path-set.js'
import { hasPlaceholder } from '../values/placeholders.js'
import { copyTree, prune, type Tree, type TreeValue, valueAt, writtenAt } from '../values/tree.js'
import { type Finding, suggestedPath } from './findings.js'

/**
 * Reads the tables, and adds every mistake to the list. After each round what was mistaken is taken out and the rest is
 * read again, because rules between keys are only looked at in a table whose own values are right.
 */
export function readTables(values: Tree, source: Tree, mistakes: Finding[]): Deployment | undefined {
  const rest = copyTree(values, () => {})
  const reported = new PathSet(
    mistakes.flatMap(({ path, suggestion }) => [path, ...missedBy(path, suggestion, values)]),
  )
  /** Tables with a misspelled key. */
  const misspelledIn = new Set(
    mistakes.flatMap(({ path, suggestion }) => (suggestion === undefined ? [] : JSON.stringify(path.slice(0, -1)))),
  )
  for (;;) {
    const result = deploymentTable.safeParse(rest)
    if (result.success) return result.data
    const { issues } = result.error
    for (const issue of issues.filter((candidate) => !isConsequence(candidate, misspelledIn))) {
      const finding = createFinding(issue, source)
      if (reported.hasWithin(finding.path) || reported.hasAround(finding.path)) continue
      mistakes.push(finding)
      reported.add(finding.path)
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
function isConsequence(issue: z.core.$ZodIssue, misspelledIn: ReadonlySet<string>): boolean {
  const depth: unknown = issue.code === 'custom' ? issue.params?.['depth'] : undefined
  if (typeof depth !== 'number') return false
  return misspelledIn.has(JSON.stringify(issue.path.slice(0, -depth)))
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
