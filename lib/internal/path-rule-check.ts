/**
 * What is wrong with path rules, so that a rule which would match nothing is no silent hole.
 *
 * @module
 */

import { ConfigError, type ConfigProblem } from '../core/errors.js'
import type { PathRule, PathRulesOptions } from './path-rules.js'
import { pathSyntaxProblems } from './path-syntax.js'

/** Lists mistakes by these keys: `rules[0].path`, `rules[0].methods`, `rules[0].roles`, `publicPaths[0]`, `defaultPolicy`. */
export function checkPathRules({ rules, defaultPolicy, publicPaths = [] }: PathRulesOptions): void {
  const problems = [
    ...listOf(rules, 'rules').flatMap((rule, index) => ruleProblems(rule, `rules[${index}]`)),
    ...listOf(publicPaths, 'publicPaths').flatMap((path, index) => pathProblems(path, `publicPaths[${index}]`)),
    ...policyProblems(defaultPolicy),
  ]
  if (problems.length > 0) throw new ConfigError(problems)
}

function listOf<T>(value: readonly T[], key: string): readonly T[] {
  // A copy without holes, which the array methods would skip.
  if (Array.isArray(value)) return Array.from(value)
  throw new ConfigError([{ key, rule: 'must be a list' }])
}

function ruleProblems(rule: PathRule, key: string): ConfigProblem[] {
  if (typeof rule !== 'object' || rule === null) return [{ key, rule: 'must be an object with a path' }]
  return [
    ...pathProblems(rule.path, `${key}.path`),
    ...namesProblems(rule.methods, `${key}.methods`, 'bind every method'),
    ...namesProblems(rule.roles, `${key}.roles`, 'let only administrators pass'),
  ]
}

function pathProblems(path: unknown, key: string): ConfigProblem[] {
  if (typeof path !== 'string') return [{ key, rule: `must be a path such as /users, got ${typeof path}` }]
  return pathSyntaxProblems(path).map((rule) => ({ key, rule: `${rule}, got ${JSON.stringify(path)}` }))
}

function namesProblems(names: unknown, key: string, effectOfAbsence: string): ConfigProblem[] {
  if (names === undefined) return []
  const isList =
    Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === 'string' && name !== '')
  return isList ? [] : [{ key, rule: `must be a list of one or more names; leave it out to ${effectOfAbsence}` }]
}

function policyProblems(policy: unknown): ConfigProblem[] {
  const isKnown = policy === 'authenticated' || policy === 'admin' || policy === 'deny'
  return isKnown ? [] : [{ key: 'defaultPolicy', rule: 'must be "authenticated", "admin" or "deny"' }]
}
