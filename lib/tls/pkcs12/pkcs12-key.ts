/**
 * The key derivation of PKCS #12 (RFC 7292 appendix B).
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'

/** A password, or `null` for none, which is not the same as an empty one. */
export type Password = string | null

/** How a password may be meant. .NET writes a store without a password for an empty one, Java and OpenSSL an empty password. */
export function readingsOf(password: string): readonly Password[] {
  return password === '' ? ['', null] : [password]
}

/** What a key is derived from. */
export interface Pkcs12KeyInput {
  readonly password: Password
  readonly salt: Buffer
  /** What the key is for: 1 encryption, 2 an initialization vector, 3 a MAC (appendix B.3). */
  readonly id: number
  readonly iterations: number
  /** Bytes of the key. */
  readonly length: number
  readonly digest: string
}

/** Bytes of a block of each hash function, `v` in the text. */
const blockBytes: Readonly<Record<string, number>> = {
  md5: 64,
  sha1: 64,
  sha224: 64,
  sha256: 64,
  sha384: 128,
  sha512: 128,
}

/** A few milliseconds of work. Old key stores have 100 000 rounds, and a certificate may change while the server is busy. */
const roundsAtOnce = 1000

/** Derives a key (appendix B.2). */
export async function pkcs12Key({ password, salt, id, iterations, length, digest }: Pkcs12KeyInput): Promise<Buffer> {
  const block = blockBytes[digest]
  if (block === undefined) throw new Error(`the hash function ${digest} is not known`)
  const diversifier = Buffer.alloc(block, id)
  const input = Buffer.concat([fill(salt, block), fill(passwordBytes(password), block)])
  const key: Buffer[] = []
  for (let made = 0; made < length; ) {
    let hash = createHash(digest).update(diversifier).update(input).digest()
    for (let round = 1; round < iterations; round++) {
      hash = createHash(digest).update(hash).digest()
      if (round % roundsAtOnce === 0) await setImmediate()
    }
    key.push(hash)
    made += hash.length
    addToBlocks(input, fill(hash, block).subarray(0, block))
  }
  return Buffer.concat(key).subarray(0, length)
}

/** The password as a BMPString with a zero at its end (appendix B.1); none is no bytes at all. */
function passwordBytes(password: Password): Buffer {
  if (password === null) return Buffer.alloc(0)
  return Buffer.from(`${password}\0`, 'utf16le').swap16()
}

/** Repeats bytes until they fill whole blocks. */
function fill(bytes: Buffer, block: number): Buffer {
  const filled = Buffer.alloc(Math.ceil(bytes.length / block) * block)
  for (let index = 0; index < filled.length; index++) filled[index] = bytes[index % bytes.length]!
  return filled
}

/** Adds a number, and one, to each block, modulo its size (step 6C). */
function addToBlocks(input: Buffer, addend: Buffer): void {
  for (let start = 0; start < input.length; start += addend.length) {
    let carry = 1
    for (let index = addend.length - 1; index >= 0; index--) {
      carry += input[start + index]! + addend[index]!
      input[start + index] = carry & 0xff
      carry >>= 8
    }
  }
}
