/**
 * Argon2id in the PHC string format (RFC 9106): what new hashes are made with.
 *
 * @module
 */

import { hash, verify } from '@node-rs/argon2'
import type { PasswordScheme } from './password-scheme.js'
import { decodePhcBase64 } from './phc-base64.js'

interface Argon2idHash {
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
}

/** Parameters of new hashes: the first choice of the OWASP password storage sheet; about 10 ms. */
const present = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

/** Bounds of hashes that are verified. One login may not take a machine's memory or seconds of its time. */
const maxMemoryKib = 1024 * 1024
const maxPasses = 64
const maxLanes = 16
/** Memory times passes: 4 GiB filled once, which is about 2.5 s. */
const maxWorkKib = 4 * 1024 * 1024

const format =
  /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,171})$/

/** Makes a new hash with a random salt of 16 bytes. */
export function hashArgon2id(password: string): Promise<string> {
  return hash(password, present)
}

/** Whether the hash is weaker than one made today. */
export function isOutdatedArgon2id(hash: string): boolean {
  const parsed = parseArgon2id(hash)
  return parsed === undefined || parsed.memoryKib < present.memoryCost || parsed.passes < present.timeCost
}

export const argon2id: PasswordScheme = {
  problemOf(hash) {
    const parsed = parseArgon2id(hash)
    if (parsed === undefined) return 'is no whole argon2id hash of the form $argon2id$v=19$m=...,t=...,p=...$salt$hash'
    const { memoryKib, passes, lanes } = parsed
    if (lanes < 1 || lanes > maxLanes) return `must have p from 1 to ${maxLanes}`
    if (passes < 1 || passes > maxPasses) return `must have t from 1 to ${maxPasses}`
    if (memoryKib < 8 * lanes || memoryKib > maxMemoryKib) return `must have m (KiB) from 8 times p to ${maxMemoryKib}`
    if (memoryKib * passes > maxWorkKib) return `must not have more than ${maxWorkKib} for m times t`
    return undefined
  },
  async load() {},
  async verify(password, hash) {
    return verify(hash, password)
  },
}

function parseArgon2id(hash: string): Argon2idHash | undefined {
  const match = format.exec(hash)
  if (match === null) return undefined
  const [, memory, passes, lanes, salt, digest] = match as unknown as [string, string, string, string, string, string]
  if (decodePhcBase64(salt) === undefined || decodePhcBase64(digest) === undefined) return undefined
  return { memoryKib: Number(memory), passes: Number(passes), lanes: Number(lanes) }
}
