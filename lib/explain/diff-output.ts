/**
 * What another configuration lets in or refuses, for people.
 *
 * @module
 */

import type { Origin } from '../core/errors.js'
import type { AccessChange, DiffAnswer } from './diff.js'
import type { Rights } from './path-classes.js'

/** How many of a list are shown. */
const maxShown = 4

/** What two files differ in. */
export interface FileDiff {
  readonly changes: readonly AccessChange[]
  /** Keys that differ, and that no request was asked about. */
  readonly notCompared: readonly Origin[]
}

/** The changes, and their count. `files`: the names of the files, for the commands that explain an example. */
export function printDiff({ changes, notCompared }: FileDiff, files: { readonly after: string }): string {
  const letIn = changes.filter(({ effect }) => effect === 'let in').length
  const count = `${letIn} newly let in, ${changes.length - letIn} newly refused, ${notCompared.length} changed and not compared`
  const others = notCompared.map((origin) => `changed, and not compared: ${placeText(origin)}`)
  const blank = others.length === 0 ? [] : ['']
  return [...changes.flatMap((change) => [...linesOf(change, files.after), '']), ...others, ...blank, count].join('\n')
}

function linesOf(change: AccessChange, file: string): readonly string[] {
  const { effect, mount, kind, callers, methods, paths, addresses, before, after } = change
  return [
    `newly ${effect}: ${mount}, ${shorten(methods)} ${shorten(paths)}`,
    `  who      ${kind === undefined ? 'nobody has signed in' : `${kind}: ${shorten(callers.map(rightsText), '; ')}`}`,
    `  from     ${shorten(addresses)}`,
    `  before   ${answerText(before)}`,
    `  after    ${answerText(after)}`,
    `  example  ${exampleText(change, file)}`,
  ]
}

function shorten(texts: readonly string[], separator = ', '): string {
  const rest = texts.length - maxShown
  const shown = texts.slice(0, maxShown).join(separator)
  return rest > 0 ? `${shown} and ${rest} more` : shown
}

function rightsText({ roles, isAdmin }: Rights): string {
  if (isAdmin) return 'administrator'
  return roles.length === 0 ? 'no roles' : roles.join(' + ')
}

function answerText({ outcome, status, code, rule }: DiffAnswer): string {
  const answer = [outcome, status, code].filter((part) => part !== undefined).join(' ')
  if (rule === undefined) return answer
  return `${answer} by ${placeText(rule)}`
}

function placeText({ key, position }: Origin): string {
  if (position === undefined) return `${key} (default)`
  return `${key} ${position.file}:${position.line}:${position.column}`
}

/** The command that explains the example. */
function exampleText({ mount, example: { method, path, address, caller } }: AccessChange, file: string): string {
  const portal = /^portal (.+)$/.exec(mount)?.[1]
  const words = ['sallyport', 'explain', file, '--method', method, '--path', path, '--address', address]
  if (portal !== undefined) words.push('--portal', portal)
  if (mount === 'webApps') words.push('--web-apps')
  if (caller?.isAdmin === true) words.push('--admin')
  else if (caller !== undefined) words.push('--roles', caller.roles.join(','))
  return words.map(quote).join(' ')
}

/** As a shell reads it. */
function quote(word: string): string {
  return /^[\w./:,@=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
