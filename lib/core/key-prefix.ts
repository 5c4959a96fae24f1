/**
 * Which of the data in a shared store is meant.
 *
 * @module
 */

/** What databases compare byte by byte, and patterns of Redis take as it is: some databases leave out blanks at the end. */
export function isKeyPrefix(text: unknown): text is string {
  return typeof text === 'string' && /^[\w.:-]{1,64}$/.test(text)
}

/** What a prefix must be. */
export const keyPrefixRule = 'must be 1 to 64 letters, digits, dots, colons, hyphens or underscores'
