/**
 * Control characters, which no name, password or claim may have: a line break forges a line in a log, and HTTP Basic
 * allows none (RFC 7617 section 2).
 *
 * @module
 */

/** C0, DEL and C1. */
const controlCharacter = /\p{Cc}/u

/** Whether a text has a control character. */
export function hasControlCharacter(text: string): boolean {
  return controlCharacter.test(text)
}
