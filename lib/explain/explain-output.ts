/**
 * An explanation for people, and in the shape of an evaluation of AuthZEN.
 *
 * @module
 */

import type { Position } from '../core/errors.js'
import type { Explanation } from './explain.js'
import { type ExplainRequest, listHeaders } from './request.js'

/** One line a stage, and the outcome. */
export function printExplanation(request: ExplainRequest, explanation: Explanation): string {
  const { method = 'GET', path, address = '127.0.0.1' } = request
  const rows = explanation.stages.map(({ mount, stage, effect, rule, position }) => [
    effect,
    stage,
    rule ?? '',
    rule === undefined ? '' : placeText(position),
    mount,
  ])
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) =>
    row
      .slice(0, explanation.mounts.length > 1 ? 5 : 4)
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const head = `${method.toUpperCase()} ${path} of ${whoText(request)} from ${address}`
  return [head, '', ...lines, ...(lines.length > 0 ? [''] : []), outcomeText(explanation)].map(printable).join('\n')
}

/** A text without control characters, which a terminal could take for commands. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

function placeText(position: Position | undefined): string {
  return position === undefined ? '(default)' : `${position.file}:${position.line}:${position.column}`
}

function whoText({ user, roles = [], isAdmin }: ExplainRequest): string {
  const rights = [...(isAdmin === true ? ['an administrator'] : []), ...(roles.length > 0 ? [roles.join(', ')] : [])]
  if (user === undefined) return rights.length > 0 ? `somebody (${rights.join('; ')})` : 'nobody'
  return rights.length > 0 ? `${user} (${rights.join('; ')})` : user
}

function outcomeText({ outcome, status, code, mounts, stages }: Explanation): string {
  if (mounts.length === 0) return 'open: no mount is on the way'
  if (outcome === 'passed') return 'passed: on to the app'
  const login = stages.some(({ effect }) => effect === 'may') ? ', and a login may change that' : ''
  return `${outcome}: ${[status, code].filter((part) => part !== undefined).join(' ')}${login}`
}

/** An evaluation request and its response, https://openid.net/specs/authorization-api-1_0.html. */
export interface AuthZenEvaluation {
  readonly request: {
    readonly subject: { readonly type: 'user'; readonly id: string; readonly properties: object }
    readonly action: { readonly name: string }
    readonly resource: { readonly type: 'path'; readonly id: string; readonly properties: object }
    readonly context: object
  }
  readonly response: { readonly decision: boolean; readonly context: object }
}

/** `decision` is whether the request is not refused. Of the headers there are the names: what one holds may be a credential. */
export function authZenFrom(request: ExplainRequest, explanation: Explanation): AuthZenEvaluation {
  const { method = 'GET', path, user, roles = [], isAdmin = false, address = '127.0.0.1' } = request
  const { headers = {}, origin, isSecure = true } = request
  const { outcome, status, code, stages, mounts, subject } = explanation
  return {
    request: {
      subject: { type: 'user', id: subject ?? user ?? 'anonymous', properties: { roles, isAdmin } },
      action: { name: method.toUpperCase() },
      resource: { type: 'path', id: path, properties: { mounts } },
      context: { address, origin, isSecure, headers: listHeaders(headers).map(([name]) => name) },
    },
    response: { decision: outcome !== 'refused', context: { outcome, status, code, stages } },
  }
}
