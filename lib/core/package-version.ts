/**
 * The version of this package. A test compares it with package.json, which is not read: not every loader has a file beside the code.
 *
 * @module
 */

export const packageVersion = '0.2.0'
