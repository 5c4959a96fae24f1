/**
 * The version of this package.
 *
 * @module
 */

import { readFileSync } from 'node:fs'

/** The same file from `lib/core` and from `dist/core`. */
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

export const packageVersion: string = version
