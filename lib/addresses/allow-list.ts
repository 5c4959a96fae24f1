/**
 * Lists of addresses, CIDR blocks and regular expressions, compiled to one test.
 *
 * @module
 */

import { compileExpression, programMatcher } from './expression-matcher.js'
import { addressSpellings, parseAddress } from './ip-address.js'
import { parseNetwork } from './network.js'
import { networkSet } from './network-set.js'
import { characterSet, type Expression, parseExpression } from './wso2-expression.js'

/**
 * An expression has to match the whole of an address, compressed (RFC 5952) or full, with or without leading zeros. A zone id
 * is cut off for expressions; no network has an address with a zone. What is no address is in no list.
 *
 * @throws TypeError for the first item that is malformed, ambiguous or too long.
 */
export function addressList(items: readonly string[]): (address: string) => boolean {
  const alternatives = items.flatMap(parseAddressItem)
  const isInNetworks = networkSet(alternatives.flatMap((one) => (one.kind === 'network' ? [one.text] : [])))
  const matchers = alternatives.flatMap((one) =>
    one.kind === 'expression' ? [programMatcher(compileExpression(one.expression))] : [],
  )
  if (matchers.length === 0) return isInNetworks

  // Requests of one client come in bursts, and behind a proxy all come from one address.
  let lastText: string | undefined
  let lastAnswer = false
  return function isInList(text) {
    if (text !== lastText) {
      lastAnswer = isInNetworks(text) || listSpellings(text).some((one) => matchers.some((matches) => matches(one)))
      lastText = text
    }
    return lastAnswer
  }
}

/** Whether a text is an address, with or without a zone id. */
export function isAddress(text: string): boolean {
  return parseAddress(withoutZone(text)) !== undefined
}

function listSpellings(text: string): readonly string[] {
  const address = parseAddress(withoutZone(text))
  return address === undefined ? [] : addressSpellings(address)
}

/** `fe80::1%eth0` is `fe80::1` on one interface (RFC 4007 section 11). */
export function withoutZone(text: string): string {
  return text.replace(/%[^%]*$/, '')
}

export type AddressAlternative =
  | { readonly kind: 'network'; readonly text: string }
  | { readonly kind: 'expression'; readonly expression: Expression }

const dot = characterSet('.')
const colon = characterSet(':')

/** What only expressions have. Dots do not count: addresses have them too. */
const expressionSign = /[\\[\](){}+*?|^$]/

const dotRemedy = 'write \\. for a dot, as in 10\\.0\\..*'

/**
 * The alternatives between the `|` of the outermost level. @throws TypeError that says what is wrong and what would be right.
 */
export function parseAddressItem(item: string): readonly AddressAlternative[] {
  if (item === '') throw new TypeError('"" is empty; leave it out, or write it like 10.0.0.7 or 10.0.0.0/8')
  return alternativesFrom(item).map(parseAlternative)
}

function parseAlternative(text: string): AddressAlternative {
  if (text === '') throw new TypeError('has an empty alternative; take one of the | away')
  if (!expressionSign.test(text) || /^[^\\[]*\//.test(text)) return networkFrom(text)
  refuseBrackets(text)
  refuseWildcard(text)
  refuseOpenNumber(text)
  return { kind: 'expression', expression: expressionFrom(text) }
}

function networkFrom(text: string): AddressAlternative {
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

function expressionFrom(text: string): Expression {
  let expression: Expression
  try {
    expression = parseExpression(text)
  } catch (error) {
    throw new TypeError(`"${text}" ${(error as Error).message}`)
  }
  if (!hasBareDot(expression)) return expression
  if (dotsIn(expression) === 3 && !hasColon(expression)) return withPlainDots(expression)
  throw new TypeError(`"${text}" has a dot that stands for any character; ${dotRemedy}`)
}

/** Whether there is a `.` without a quantifier of its own, which most often is meant to be a dot. */
function hasBareDot(expression: Expression): boolean {
  if (expression.kind === 'repeat' && isDot(expression.part)) return false
  return isDot(expression) || partsIn(expression).some(hasBareDot)
}

function isDot(expression: Expression): boolean {
  return expression.kind === 'set' && expression.isDot
}

/** Whether anything but a `.` stands for a colon: then it is no expression for IPv4. */
function hasColon(expression: Expression): boolean {
  if (expression.kind === 'set') return !expression.isDot && (expression.set & colon) !== 0
  return partsIn(expression).some(hasColon)
}

function partsIn(expression: Expression): readonly Expression[] {
  if (expression.kind === 'repeat') return [expression.part]
  return 'parts' in expression ? expression.parts : []
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

function alternativesFrom(item: string): readonly string[] {
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

/** What a rule says; see {@link addressList} for the items. */
export interface AddressRule {
  /** Who may pass; `undefined`: everybody who is not denied, and nobody where nothing is denied either. */
  readonly allow?: readonly string[] | undefined
  /** Who may not pass, whatever `allow` has. */
  readonly deny?: readonly string[] | undefined
}

/**
 * In the order of Tomcat's `RemoteAddrFilter`: who is denied is refused; who is allowed passes; where something is denied and
 * nothing allowed, the others pass; else everybody is refused. What is no address is refused always.
 *
 * @throws TypeError for the first malformed item.
 */
export function addressRule({ allow, deny }: AddressRule): (address: string | undefined) => boolean {
  const isAllowed = allow && addressList(allow)
  const isDenied = deny && addressList(deny)

  return function mayPass(address) {
    if (address === undefined || !isAddress(address)) return false
    // Who is denied on one interface is denied on every one.
    if (isDenied?.(withoutZone(address))) return false
    return isAllowed === undefined ? isDenied !== undefined : isAllowed(address)
  }
}
