/**
 * Scrypt (RFC 7914) in the PHC string format: hashes that other programs made, verified with Node's own scrypt.
 *
 * @module
 */

import { type ScryptOptions, scrypt as scryptCallback, timingSafeEqual } from 'node:crypto'
import type { PasswordScheme } from './password-scheme.js'
import { decodePhcBase64 } from './phc-base64.js'

interface ScryptHash {
  /** Binary logarithm of the cost N. */
  readonly logCost: number
  readonly blockSize: number
  readonly lanes: number
  readonly salt: Buffer
  readonly digest: Buffer
}

/** Bounds of hashes that are verified: 1 GiB, and eight times the work of N=2^17, r=8, p=1, which is about 3 s. */
const maxBlocks = 2 ** 23
const maxLogCost = 20
const maxBlockSize = 32
const maxLanes = 16

const format = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,171})$/

export const scrypt: PasswordScheme = {
  problemOf(hash) {
    const parsed = parseScrypt(hash)
    if (parsed === undefined) return 'is no whole scrypt hash of the form $scrypt$ln=...,r=...,p=...$salt$hash'
    const { logCost, blockSize, lanes } = parsed
    if (logCost < 1 || logCost > maxLogCost) return `must have ln from 1 to ${maxLogCost}`
    if (blockSize < 1 || blockSize > maxBlockSize) return `must have r from 1 to ${maxBlockSize}`
    if (lanes < 1 || lanes > maxLanes) return `must have p from 1 to ${maxLanes}`
    if (blocksOf(parsed) > maxBlocks) return `must not have more than ${maxBlocks} for 2^ln times r times p`
    return undefined
  },
  async load() {},
  async verify(password, hash) {
    const { logCost, blockSize, lanes, salt, digest } = parseScrypt(hash)!
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

function parseScrypt(hash: string): ScryptHash | undefined {
  const match = format.exec(hash)
  if (match === null) return undefined
  const [, logCost, blockSize, lanes] = match.slice(0, 4).map(Number) as [number, number, number, number]
  const salt = decodePhcBase64(match[4]!)
  const digest = decodePhcBase64(match[5]!)
  return salt && digest && { logCost, blockSize, lanes, salt, digest }
}

function blocksOf({ logCost, blockSize, lanes }: ScryptHash): number {
  return 2 ** logCost * blockSize * lanes
}

function derive(password: string, salt: Buffer, bytes: number, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scryptCallback(password, salt, bytes, options, (error, derived) => (error ? reject(error) : resolve(derived)))
  })
}
