/**
 * Regular expressions for addresses, in the syntax of Java, as far as a text can be matched in one pass: so that no
 * expression is slow, whatever the client's address is.
 *
 * Left out are the constructs that need more: back references, look-around, atomic groups, possessive quantifiers.
 *
 * @module
 */

export type Expression =
  | { readonly kind: 'set'; readonly set: CharacterSet; readonly isDot: boolean }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Expression[] }
  | { readonly kind: 'repeat'; readonly part: Expression; readonly min: number; readonly max: number }
  | { readonly kind: 'start' | 'end' }

/** UTF-16 units. Every group costs a level of recursion. */
const maxLength = 1000

const quantifiers: Readonly<Record<string, readonly [min: number, max: number]>> = {
  '*': [0, Infinity],
  '+': [1, Infinity],
  '?': [0, 1],
}

/** `(`, `(?:`, `(?i)` and `(?i:`, which change nothing here, and `(?<name>`. */
const groupStart = /\((?:\?(?:i?:|<[a-zA-Z][a-zA-Z0-9]*>))?(?!\?)/y

/** Letters match in both cases. @throws TypeError that says what is wrong and what would be right. */
export function parseExpression(text: string): Expression {
  if (text.length > maxLength) throw new TypeError(`has more than ${maxLength} characters`)
  let index = 0

  function choice(): Expression {
    const parts = [sequence()]
    while (text[index] === '|') {
      index++
      parts.push(sequence())
    }
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts }
  }

  function sequence(): Expression {
    const parts: Expression[] = []
    while (index < text.length && text[index] !== '|' && text[index] !== ')') {
      if (skip('(?i)')) continue
      parts.push(quantified(atom()))
    }
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts }
  }

  function quantified(part: Expression): Expression {
    const bounds = quantifier()
    if (bounds === undefined) return part
    // Whether a quantifier is lazy makes no difference to whether the whole text matches.
    if (text[index] === '?') index++
    if (/^[*+?{]/.test(text.slice(index))) {
      throw new TypeError(`has ${text[index]} behind another quantifier, which is not supported; use one`)
    }
    const [min, max] = bounds
    return { kind: 'repeat', part, min, max }
  }

  function quantifier(): readonly [number, number] | undefined {
    const sign = text[index] ?? ''
    if (sign === '{') {
      const [whole, min, comma, max] =
        take(/\{(\d{1,3})(?:(,)(\d{1,3})?)?\}/y) ?? fail('{ that is no count such as {1,3}')
      index += whole.length
      const bounds = [Number(min), comma === undefined ? Number(min) : Number(max ?? Infinity)] as const
      return bounds[0] <= bounds[1] ? bounds : fail(`${whole}, whose end is below its start`)
    }
    if (quantifiers[sign] !== undefined) index++
    return quantifiers[sign]
  }

  function atom(): Expression {
    const character = text[index]!
    if (character === '(') return group()
    if (character === '[') return setNode(bracketed())
    if (character === '\\') return escaped()
    if (quantifiers[character] !== undefined || character === '{') fail(`${character} that has nothing to repeat`)
    index++
    if (character === '.') return { kind: 'set', set: anyCharacter, isDot: true }
    if (character === '^') return { kind: 'start' }
    if (character === '$') return { kind: 'end' }
    return setNode(literal(character))
  }

  function group(): Expression {
    const [start] = take(groupStart) ?? fail('a group of a kind that is not supported: use ( ) or (?: )')
    index += start.length
    const inner = choice()
    return skip(')') ? inner : fail('a ( without its )')
  }

  function escaped(): Expression {
    const letter = text[index + 1] ?? fail('a backslash at the end')
    if (letter === 'A' || letter === 'z' || letter === 'Z') {
      index += 2
      return { kind: letter === 'A' ? 'start' : 'end' }
    }
    const set = escapedSet()
    return setNode(isName(letter) ? set : literal(letter))
  }

  function escapedSet(): CharacterSet {
    const letter = text[index + 1] ?? fail('a backslash at the end')
    index += 2
    const set = escapedSets[letter]
    if (set !== undefined) return set
    return isName(letter) ? fail(`\\${letter}, which is not supported`) : characterSet(letter)
  }

  function bracketed(): CharacterSet {
    index++
    const isNegated = skip('^')
    let set: CharacterSet = 0
    let count = 0
    for (; text[index] !== ']'; count++) {
      const character = text[index] ?? fail('a [ without its ]')
      if (character === '[' || text.startsWith('&&', index)) fail('a [ ] in another one, which is not supported')
      const last = rangeEnd()
      if (character === '\\') set |= escapedSet()
      else if (last !== undefined) set |= between(character, last)
      else set |= characterSet(character)
      if (character !== '\\') index += last === undefined ? 1 : 3
    }
    if (count === 0) fail('a [ ] with nothing in it')
    index++
    return isNegated ? complement(set) : set
  }

  function rangeEnd(): string | undefined {
    const last = text[index + 2]
    return text[index + 1] === '-' && last !== ']' ? last : undefined
  }

  function between(first: string, last: string): CharacterSet {
    if (/[[\\]/.test(last) || first > last) fail(`${first}-${last}, which is no range such as 0-9`)
    return setBetween(first, last)
  }

  function literal(character: string): CharacterSet {
    const set = characterSet(character)
    return set === 0 ? fail(`${JSON.stringify(character)}, which is in no address`) : set
  }

  function take(token: RegExp): RegExpExecArray | undefined {
    token.lastIndex = index
    return token.exec(text) ?? undefined
  }

  function skip(token: string): boolean {
    const isThere = text.startsWith(token, index)
    if (isThere) index += token.length
    return isThere
  }

  const expression = choice()
  return index === text.length ? expression : fail('a ) without its (')
}

/** Whether a backslash before it gives a meaning, or takes none away. */
function isName(letter: string): boolean {
  return /[a-z0-9]/i.test(letter)
}

function setNode(set: CharacterSet): Expression {
  return { kind: 'set', set, isDot: false }
}

function fail(what: string): never {
  throw new TypeError(`has ${what}`)
}

const characters = '0123456789abcdef:.'

/** A set of characters; 0 is the empty one. */
export type CharacterSet = number

export const anyCharacter: CharacterSet = 2 ** characters.length - 1

/** Case-insensitive; empty for a character that no address has. */
export function characterSet(character: string): CharacterSet {
  return setBetween(character, character)
}

/** In the order of Unicode, case-insensitive. */
export function setBetween(first: string, last: string): CharacterSet {
  let set = 0
  for (let index = 0; index < characters.length; index++) {
    const spellings = [characters[index]!, characters[index]!.toUpperCase()]
    if (spellings.some((spelling) => spelling >= first && spelling <= last)) set |= 1 << index
  }
  return set
}

export function complement(set: CharacterSet): CharacterSet {
  return anyCharacter & ~set
}

/** What these letters stand for behind a backslash. No address has a blank in it. */
export const escapedSets: Readonly<Record<string, CharacterSet>> = {
  d: setBetween('0', '9'),
  D: complement(setBetween('0', '9')),
  w: setBetween('0', '9') | setBetween('a', 'z'),
  W: complement(setBetween('0', '9') | setBetween('a', 'z')),
  s: 0,
  S: anyCharacter,
}
