/**
 * Tests for the `Content-Type` of bodies that have to be UTF-8.
 *
 * @module
 */

/**
 * Makes the test for a media type: alone, or with `charset=utf-8` and no other parameter (RFC 9110 section 8.3.1). A header of
 * any length takes time in proportion: between two runs of blanks there always is something that has to be there.
 *
 * @param type - With a backslash before each character that is special in an expression.
 */
export function utf8Type(type: string): RegExp {
  return new RegExp(`^${type}\\s*(?:;\\s*(?:charset\\s*=\\s*"?utf-8"?\\s*(?:;\\s*)?)?)?$`, 'i')
}
