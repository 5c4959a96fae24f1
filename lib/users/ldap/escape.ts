/**
 * Texts as values in filters and in distinguished names. Each place has its own function, because each has its own
 * characters.
 *
 * @module
 */

/** A value in a filter (RFC 4515 section 3). The rest of UTF-8 stands for itself. */
export function escapeFilterValue(value: string): string {
  return value.replace(/[\0()*\\]/g, hexEscape)
}

/** What a value in a filter stands for: `\\2a` is a star. */
export function unescapeFilterValue(text: string): string {
  return text.replace(/(?:\\[\dA-Fa-f]{2})+/g, (escaped) =>
    Buffer.from(escaped.replaceAll('\\', ''), 'hex').toString('utf8'),
  )
}

/** A value in a distinguished name (RFC 4514 section 2.4), with everything escaped that may be. */
export function escapeDnValue(value: string): string {
  const inside = value.replace(/[\0"+,;<=>\\#]/g, hexEscape)
  return inside.replace(/^ | $/g, hexEscape)
}

function hexEscape(character: string): string {
  return `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}
