/**
 * How the searches of operators compare: whole and case-insensitively; `*` stands for any characters.
 *
 * @module
 */

/** In linear time: parts between the stars are looked for one after the other. Several stars in a row are one. */
export function wildcard(pattern: string): (value: string) => boolean {
  const [first = '', ...rest] = pattern.toLowerCase().split(/\*+/)
  const last = rest.pop()
  return (value) => {
    const folded = value.toLowerCase()
    if (last === undefined) return folded === first
    if (!folded.startsWith(first)) return false
    let at = first.length
    for (const part of rest) {
      const found = folded.indexOf(part, at)
      if (found === -1) return false
      at = found + part.length
    }
    return folded.length - last.length >= at && folded.endsWith(last)
  }
}
