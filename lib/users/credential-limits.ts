/**
 * Which names and passwords are worth looking at. What falls outside is refused like a wrong password, without any work.
 *
 * @module
 */

import { hasControlCharacter } from '../internal/control-character.js'
import { maxPasswordBytes } from './password-hash.js'

/** In UTF-16 units, as databases and directories commonly bound a name. */
export const maxNameLength = 255

/** Whether a text can be a user's name: 1 to 255 characters, none of them a control character. */
export function isUserName(name: string): boolean {
  return name.length > 0 && name.length <= maxNameLength && !hasControlCharacter(name)
}

/** Whether a text can be a password: not empty and at most 1024 bytes in UTF-8. */
export function isPassword(password: string): boolean {
  return password !== '' && Buffer.byteLength(password) <= maxPasswordBytes
}
