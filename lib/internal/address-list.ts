/**
 * Lists of addresses, CIDR blocks and regular expressions, compiled to one test.
 *
 * @module
 */

import { parseAddressItem } from './address-item.js'
import { compileExpression, programMatcher } from './expression-matcher.js'
import { addressSpellings, parseAddress } from './ip-address.js'
import { networkSet } from './network-set.js'

/**
 * Compiles a list of items. An expression has to match the whole of an address: in the compressed form (RFC 5952) or in
 * the full one, with or without leading zeros; IPv4-mapped addresses are IPv4. A zone id is cut off for expressions; to
 * addresses and networks, an address with a zone belongs to none. What is no address is in no list.
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
      lastAnswer = isInNetworks(text) || spellingsOf(text).some((one) => matchers.some((matches) => matches(one)))
      lastText = text
    }
    return lastAnswer
  }
}

/** Whether a text is an address, with or without a zone id. */
export function isAddress(text: string): boolean {
  return parseAddress(withoutZone(text)) !== undefined
}

function spellingsOf(text: string): readonly string[] {
  const address = parseAddress(withoutZone(text))
  return address === undefined ? [] : addressSpellings(address)
}

/** `fe80::1%eth0` is `fe80::1` on one interface (RFC 4007 section 11). */
export function withoutZone(text: string): string {
  return text.replace(/%[^%]*$/, '')
}
