/**
 * Distinguished names as text (RFC 4514).
 *
 * @module
 */

/** One part of a name. */
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

/** Whether `dn` is `base` or stands below it. Letter case does not count, as for most attributes in names. */
export function isWithin(dn: string, base: string): boolean {
  const [parts, baseParts] = [parseName(dn), parseName(base)]
  if (parts === undefined || baseParts === undefined || parts.length < baseParts.length) return false
  const end = parts.slice(parts.length - baseParts.length)
  return end.every((part, index) => isSamePart(part, baseParts[index]!))
}

/** The same text for all spellings of a name; letter case does not count. */
export function nameKey(dn: string): string {
  return JSON.stringify(parseName(dn)?.map(({ type, value }) => [type, value.toLowerCase()]) ?? dn)
}

/** The value of the first part when that is of this type. */
export function firstValue(dn: string, type: string): string | undefined {
  const first = parseName(dn)?.[0]
  return first?.type === type.toLowerCase() ? first.value : undefined
}

function isSamePart(one: NamePart, other: NamePart): boolean {
  return one.type === other.type && one.value.toLowerCase() === other.value.toLowerCase()
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
