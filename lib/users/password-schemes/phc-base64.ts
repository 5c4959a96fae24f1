/**
 * Base64 as the PHC string format has it: the standard alphabet without padding.
 *
 * @module
 */

/** The bytes, or `undefined` for a text that no bytes encode to, as one that was cut off. */
export function decodePhcBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64').replaceAll('=', '') === text ? bytes : undefined
}
