/**
 * One item of a list of addresses as `deployment.toml` files have them: an address, a CIDR block, or a regular
 * expression. Each is recognised for what it is; what could be read in two ways is refused.
 *
 * @module
 */

import { setOf } from './address-characters.js'
import { type Expression, parseExpression } from './address-expression.js'
import { parseAddress } from './ip-address.js'
import { parseNetwork } from './network.js'

/** What an alternative of an item is. */
export type AddressAlternative =
  | { readonly kind: 'network'; readonly text: string }
  | { readonly kind: 'expression'; readonly expression: Expression }

const dot = setOf('.')
const colon = setOf(':')

/** What only expressions have. Dots do not count: addresses have them too. */
const expressionSign = /[\\[\](){}+*?|^$]/

/** Dots that an IPv4 address has. */
const dotsOfIpv4 = 3

const dotRemedy = 'write \\. for a dot, as in 10\\.0\\..*'

/**
 * Reads an item: the alternatives between the `|` of its outermost level.
 *
 * @throws TypeError that says what is wrong and what would be right.
 */
export function parseAddressItem(item: string): readonly AddressAlternative[] {
  return alternativesOf(item).map(parseAlternative)
}

function parseAlternative(text: string): AddressAlternative {
  if (text === '') throw new TypeError('has an empty alternative; take one of the | away')
  if (!expressionSign.test(text) || /^[^\\[]*\//.test(text)) return networkOf(text)
  refuseBrackets(text)
  refuseWildcard(text)
  refuseOpenNumber(text)
  return { kind: 'expression', expression: expressionOf(text) }
}

function networkOf(text: string): AddressAlternative {
  if (text.includes(',')) {
    throw new TypeError(`"${text}" has a comma; write one item for each address, or | between them`)
  }
  parseNetwork(text)
  return { kind: 'network', text }
}

/** `[::1]` is a class of two characters to an expression. */
function refuseBrackets(text: string): void {
  const [, inner = ''] = /^\[([^\]]*)\]$/.exec(text) ?? []
  if (parseAddress(inner) === undefined) return
  throw new TypeError(`"${text}" is a set of characters as an expression; write ${inner} for the address`)
}

/** `10.*` is every address from 10.0.0.0 to 10.255.255.255 to people, and 100.1.1.1 as well to an expression. */
function refuseWildcard(text: string): void {
  if (!/^[0-9a-f:.*]*\*[0-9a-f:.*]*$/i.test(text) || /^(?:[^*]*:)?\.\*$/.test(text)) return
  const remedy = wildcardNetwork(text) ?? 'a network such as 10.0.0.0/8'
  throw new TypeError(`"${text}" may mean a wildcard or an expression; write ${remedy}, or ${dotRemedy}`)
}

/** The network that somebody means who writes `10.0.*` or `10.0.*.*`. */
function wildcardNetwork(text: string): string | undefined {
  const [, numbers = ''] = /^(\d+(?:\.\d+){0,2})(?:\.\*)+$/.exec(text) ?? []
  const bytes = numbers.split('.')
  const address = [...bytes, '0', '0', '0'].slice(0, 4).join('.')
  return numbers !== '' && parseAddress(address) !== undefined ? `${address}/${bytes.length * 8}` : undefined
}

/** `10\.1.*` matches 10.1.2.3 and 10.100.2.3. A number above 25 cannot go on, and nor can 0. */
function refuseOpenNumber(text: string): void {
  const [, number] = /(?:^|[.(^:])([1-9]|1\d|2[0-5])\.[*+]/.exec(text) ?? []
  if (number === undefined) return
  const remedies = `write ${number}\\..* if that is meant, or ${number}\\d*\\..* if not`
  throw new TypeError(`"${text}" goes on behind ${number} with anything, more digits too; ${remedies}`)
}

function expressionOf(text: string): Expression {
  let expression: Expression
  try {
    expression = parseExpression(text)
  } catch (error) {
    throw new TypeError(`"${text}" ${(error as Error).message}`)
  }
  if (!hasBareDot(expression)) return expression
  if (dotsIn(expression) === dotsOfIpv4 && !hasColon(expression)) return withPlainDots(expression)
  throw new TypeError(`"${text}" has a dot that stands for any character; ${dotRemedy}`)
}

/** Whether there is a `.` without a quantifier of its own, which most often is meant to be a dot. */
function hasBareDot(expression: Expression): boolean {
  if (expression.kind === 'set') return expression.isDot
  if (expression.kind === 'repeat') return !isDot(expression.part) && hasBareDot(expression.part)
  return 'parts' in expression && expression.parts.some(hasBareDot)
}

function isDot(expression: Expression): boolean {
  return expression.kind === 'set' && expression.isDot
}

/** Whether anything but a `.` stands for a colon: then it is no expression for IPv4. */
function hasColon(expression: Expression): boolean {
  if (expression.kind === 'set') return !expression.isDot && (expression.set & colon) !== 0
  if (expression.kind === 'repeat') return hasColon(expression.part)
  return 'parts' in expression && expression.parts.some(hasColon)
}

/** How many characters of a match may be dots; `undefined` when that is not always the same. */
function dotsIn(expression: Expression): number | undefined {
  if (expression.kind === 'set') return (expression.set & dot) === 0 ? 0 : 1
  if (expression.kind === 'repeat') {
    const { part, min, max } = expression
    const dots = dotsIn(part)
    return dots === 0 ? 0 : min === max && dots !== undefined ? dots * min : undefined
  }
  if (!('parts' in expression)) return 0
  const counts = expression.parts.map(dotsIn)
  if (expression.kind === 'choice') return counts.every((count) => count === counts[0]) ? counts[0] : undefined
  return counts.reduce((sum, count) => (sum === undefined || count === undefined ? undefined : sum + count), 0)
}

/** Where three characters may be dots, they are dots in every IPv4 address that matches. */
function withPlainDots(expression: Expression): Expression {
  if (expression.kind === 'set') return expression.isDot ? { ...expression, set: dot } : expression
  if (expression.kind === 'repeat') return { ...expression, part: withPlainDots(expression.part) }
  return 'parts' in expression ? { ...expression, parts: expression.parts.map(withPlainDots) } : expression
}

/** Splits at each `|` that is in no group and no class, and behind no backslash. */
function alternativesOf(item: string): readonly string[] {
  const alternatives: string[] = ['']
  let depth = 0
  for (const [token] of item.matchAll(/\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]|[\s\S]/g)) {
    if (token === '(') depth++
    else if (token === ')') depth--
    if (token === '|' && depth === 0) alternatives.push('')
    else alternatives.push(alternatives.pop()! + token)
  }
  return alternatives
}
