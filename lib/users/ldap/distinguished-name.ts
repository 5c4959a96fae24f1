/**
 * Distinguished names as text (RFC 4514).
 *
 * @module
 */

interface NamePart {
  readonly type: string
  readonly value: string
}

/** The parts of a name, outermost last. `undefined` for what is no name, or has a part of several values. */
export function parseName(dn: string): readonly NamePart[] | undefined {
  const parts: NamePart[] = []
  for (const text of splitUnescaped(dn, ',')) {
    const equals = text.indexOf('=')
    if (equals < 1 || splitUnescaped(text, '+').length > 1) return undefined
    const value = unescapeValue(text.slice(equals + 1))
    if (value === undefined) return undefined
    parts.push({ type: text.slice(0, equals).trim().toLowerCase(), value })
  }
  return parts
}

/** A value in a name (RFC 4514 section 2.4), with everything escaped that may be. */
export function escapeDnValue(value: string): string {
  return value.replace(/[\0"+,;<=>\\#]/g, hexEscape).replace(/^ | $/g, hexEscape)
}

export function hexEscape(character: string): string {
  return `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}

/** Whether `dn` is `base` or stands below it. Case-insensitive, as most attributes in names are. */
export function isWithin(dn: string, base: string): boolean {
  const [parts, baseParts] = [foldedParts(dn), foldedParts(base)]
  if (parts === undefined || baseParts === undefined || parts.length < baseParts.length) return false
  return JSON.stringify(parts.slice(parts.length - baseParts.length)) === JSON.stringify(baseParts)
}

/** The same text for all spellings of a name, case-insensitive. */
export function nameKey(dn: string): string {
  return JSON.stringify(foldedParts(dn) ?? dn)
}

/** The value of the first part when that is of this type. */
export function firstValue(dn: string, type: string): string | undefined {
  const first = parseName(dn)?.[0]
  return first?.type === type.toLowerCase() ? first.value : undefined
}

function foldedParts(dn: string): readonly (readonly string[])[] | undefined {
  return parseName(dn)?.map(({ type, value }) => [type, value.toLowerCase()])
}

function splitUnescaped(text: string, separator: ',' | '+'): readonly string[] {
  if (!text.includes('\\')) return text.split(separator)
  const parts = ['']
  for (const [token] of text.matchAll(/\\?./gsu)) {
    if (token === separator) parts.push('')
    else parts[parts.length - 1] += token
  }
  return parts
}

/** A value that is written in hex stands for bytes, and is not read. */
function unescapeValue(text: string): string | undefined {
  const trimmed = text.replace(/^ +/, '').replace(/(?<!\\) +$/, '')
  if (trimmed.startsWith('#')) return undefined
  if (!trimmed.includes('\\')) return trimmed
  const bytes: Buffer[] = []
  for (const [token, hex] of trimmed.matchAll(/\\([\dA-Fa-f]{2})|\\?[^\\]/gsu)) {
    bytes.push(hex === undefined ? Buffer.from(token.replace(/^\\/, '')) : Buffer.from(hex, 'hex'))
  }
  return Buffer.concat(bytes).toString('utf8')
}
