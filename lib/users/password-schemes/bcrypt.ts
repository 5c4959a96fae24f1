/**
 * Bcrypt: hashes that other programs made. The package `bcryptjs` is optional, and only its own thread loads it.
 *
 * @module
 */

import { timingSafeEqual } from 'node:crypto'
import { ConfigError } from '../../core/errors.js'
import type { PasswordScheme } from './password-scheme.js'

/** Bcrypt reads so many bytes of a password and drops the rest, so a longer one is never the one that was hashed. */
const maxPasswordBytes = 72

/** Each step doubles the time: 14 is more than a second. */
const minCost = 4
const maxCost = 14

const format = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/
/** The version, the cost and the salt; the digest is what follows. */
const settingsLength = 29

/** The cheapest there are: trying them shows that the thread runs and has its package, which no `import` does in a bundle. */
const trialSettings = `$2b$04$${'.'.repeat(22)}`

let trial: Promise<string> | undefined

/** Imported only here: Babel and ts-jest, which run this package as CommonJS, cannot compile the `import.meta` of the worker's file. */
async function bcryptDigest(password: string, settings: string): Promise<string> {
  const worker = await import('./bcrypt-worker.js')
  return worker.bcryptDigest(password, settings)
}

export const bcrypt: PasswordScheme = {
  problemOf(hash) {
    const match = format.exec(hash)
    if (match === null) return 'is no whole bcrypt hash: $2b$10$ and 53 characters, for example'
    const cost = Number(match[1])
    return cost < minCost || cost > maxCost ? `must have a bcrypt cost from ${minCost} to ${maxCost}` : undefined
  },
  async load(key) {
    try {
      trial ??= bcryptDigest('', trialSettings)
      await trial
    } catch (cause) {
      trial = undefined
      const rule =
        'bcrypt hashes need an optional package; run: npm install bcryptjs, in a bundled app too: it is loaded from node_modules ' +
        'beside the bundle, which must be an ES module'
      throw new ConfigError([{ key, rule }], { code: 'ERR_CONFIG_MISSING_PACKAGE', cause })
    }
  },
  async verify(password, hash) {
    const isWhole = Buffer.byteLength(password) <= maxPasswordBytes && !password.includes('\0')
    // A password that cannot be right costs the same work: its refusal must not tell which kind of hash a user has.
    const computed = await bcryptDigest(isWhole ? password : '', hash.slice(0, settingsLength))
    const isEqual = timingSafeEqual(
      Buffer.from(computed.slice(settingsLength)),
      Buffer.from(hash.slice(settingsLength)),
    )
    return isWhole && isEqual
  },
}
