/**
 * Kinds of password hashes: argon2id (RFC 9106), which new hashes are made with, scrypt (RFC 7914), and bcrypt, whose package
 * `bcryptjs` is optional.
 *
 * @module
 */

import { type ScryptOptions, scrypt as scryptCallback, timingSafeEqual } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import { ConfigError } from '../../core/errors.js'

/** One kind of password hash. */
export interface PasswordScheme {
  /** What the hash asks for that is not taken, in words for an operator; `undefined` when it can be verified. */
  findProblem(hash: string): string | undefined
  /** @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) that names `key`. */
  load?(key: string): Promise<void>
  /** Whether `password` (NFC, of allowed length) is the one that was hashed. `hash` has no problem. */
  verify(password: string, hash: string): Promise<boolean>
}

/** A hash of the form `$id$parameters$salt$digest`. */
interface PhcHash {
  readonly parameters: readonly [number, number, number]
  readonly salt: Buffer
  readonly digest: Buffer
}

const saltAndDigest = '\\$([A-Za-z0-9+/]{11,86})\\$([A-Za-z0-9+/]{22,171})$'

/** Parameters of new hashes: the first choice of the OWASP password storage sheet; about 10 ms. */
const present = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

/** Bounds of hashes that are verified. One login may not take a machine's memory or seconds of its time. */
const maxMemoryKib = 1024 * 1024
const maxPasses = 64
const maxLanes = 16
/** Memory times passes: 4 GiB filled once, which is about 2.5 s. */
const maxWorkKib = 4 * 1024 * 1024

const argon2idFormat = new RegExp(`^\\$argon2id\\$v=19\\$m=(\\d{1,8}),t=(\\d{1,3}),p=(\\d{1,3})${saltAndDigest}`)

/** Makes a new hash with a random salt of 16 bytes. */
export function hashArgon2id(password: string): Promise<string> {
  return hash(password, present)
}

export function isOutdatedArgon2id(hash: string): boolean {
  const [memoryKib = 0, passes = 0] = parsePhc(argon2idFormat, hash)?.parameters ?? []
  return memoryKib < present.memoryCost || passes < present.timeCost
}

export const argon2id: PasswordScheme = {
  findProblem(hash) {
    const parsed = parsePhc(argon2idFormat, hash)
    if (parsed === undefined) return 'is no whole argon2id hash of the form $argon2id$v=19$m=...,t=...,p=...$salt$hash'
    const [memoryKib, passes, lanes] = parsed.parameters
    if (lanes < 1 || lanes > maxLanes) return `must have p from 1 to ${maxLanes}`
    if (passes < 1 || passes > maxPasses) return `must have t from 1 to ${maxPasses}`
    if (memoryKib < 8 * lanes || memoryKib > maxMemoryKib) return `must have m (KiB) from 8 times p to ${maxMemoryKib}`
    if (memoryKib * passes > maxWorkKib) return `must not have more than ${maxWorkKib} for m times t`
    return undefined
  },
  async verify(password, hash) {
    return verify(hash, password)
  },
}

/** Bounds of hashes that are verified: 1 GiB, and eight times the work of N=2^17, r=8, p=1, which is about 3 s. */
const maxBlocks = 2 ** 23
const maxLogCost = 20
const maxBlockSize = 32

const scryptFormat = new RegExp(`^\\$scrypt\\$ln=(\\d{1,2}),r=(\\d{1,3}),p=(\\d{1,3})${saltAndDigest}`)

export const scrypt: PasswordScheme = {
  findProblem(hash) {
    const parsed = parsePhc(scryptFormat, hash)
    if (parsed === undefined) return 'is no whole scrypt hash of the form $scrypt$ln=...,r=...,p=...$salt$hash'
    const [logCost, blockSize, lanes] = parsed.parameters
    if (logCost < 1 || logCost > maxLogCost) return `must have ln from 1 to ${maxLogCost}`
    if (blockSize < 1 || blockSize > maxBlockSize) return `must have r from 1 to ${maxBlockSize}`
    if (lanes < 1 || lanes > maxLanes) return `must have p from 1 to ${maxLanes}`
    if (2 ** logCost * blockSize * lanes > maxBlocks)
      return `must not have more than ${maxBlocks} for 2^ln times r times p`
    return undefined
  },
  async verify(password, hash) {
    const { parameters, salt, digest } = parsePhc(scryptFormat, hash)!
    const [logCost, blockSize, lanes] = parameters
    const cost = 2 ** logCost
    const derived = await derive(password, salt, digest.length, {
      cost,
      blockSize,
      parallelization: lanes,
      maxmem: 128 * blockSize * (cost + lanes + 2),
    })
    return timingSafeEqual(derived, digest)
  },
}

/** `undefined` also where salt or digest is a text that no bytes encode to, as one that was cut off. */
function parsePhc(format: RegExp, hash: string): PhcHash | undefined {
  const match = format.exec(hash)
  if (match === null) return undefined
  const [salt, digest] = match.slice(4).map(decodePhcBase64)
  const parameters = match.slice(1, 4).map(Number) as [number, number, number]
  return salt && digest && { parameters, salt, digest }
}

function derive(password: string, salt: Buffer, bytes: number, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scryptCallback(password, salt, bytes, options, (error, derived) => (error ? reject(error) : resolve(derived)))
  })
}

function decodePhcBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64').replaceAll('=', '') === text ? bytes : undefined
}

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
  findProblem(hash) {
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
