/**
 * Sets of the characters that texts of addresses have: one bit for each.
 *
 * @module
 */

const characters = '0123456789abcdef:.'

/** A set of characters; 0 is the empty one. */
export type CharacterSet = number

/** All of them. */
export const anyCharacter: CharacterSet = 2 ** characters.length - 1

/** The set of one character, blind to case; empty for a character that no address has. */
export function setOf(character: string): CharacterSet {
  return setBetween(character, character)
}

/** The characters from one to another, in the order of Unicode, blind to case. */
export function setBetween(first: string, last: string): CharacterSet {
  let set = 0
  for (let index = 0; index < characters.length; index++) {
    const spellings = [characters[index]!, characters[index]!.toUpperCase()]
    if (spellings.some((spelling) => spelling >= first && spelling <= last)) set |= 1 << index
  }
  return set
}

/** All characters that are not in a set. */
export function complementOf(set: CharacterSet): CharacterSet {
  return anyCharacter & ~set
}

/** What these letters stand for behind a backslash. No address has a blank in it. */
export const escapedSets: Readonly<Record<string, CharacterSet>> = {
  d: setBetween('0', '9'),
  D: complementOf(setBetween('0', '9')),
  w: setBetween('0', '9') | setBetween('a', 'z'),
  W: complementOf(setBetween('0', '9') | setBetween('a', 'z')),
  s: 0,
  S: anyCharacter,
}
