/**
 * JSON that can be read in one way only.
 *
 * @module
 */

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses UTF-8 bytes as a JSON object.
 *
 * Bytes that are not UTF-8, a byte order mark and a name that is given twice are mistakes: other parsers might
 * read them otherwise (RFC 8259 sections 4 and 8.1; RFC 7519 section 4).
 *
 * @throws SyntaxError or TypeError; the message has no part of the text.
 */
export function parseJsonObject(bytes: Uint8Array): Map<string, unknown> {
  const text = utf8.decode(bytes)
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('not a JSON object')
  const members = new Map(Object.entries(value))
  if (members.size !== countMembers(text)) throw new SyntaxError('a name is given twice')
  return members
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // V8's own message quotes the text.
    throw new SyntaxError('not JSON')
  }
}

/** One token of JSON that matters here: a string, an opening, a closing, or a colon. */
const structure = /"(?:[^"\\]|\\.)*"|[[{]|[\]}]|:/g

/** Counts the members of the outermost object of a text that is known to be JSON. */
function countMembers(text: string): number {
  let depth = 0
  let count = 0
  for (const [token] of text.matchAll(structure)) {
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    else if (token === ':' && depth === 1) count++
  }
  return count
}
