/**
 * Decryption with a password: PBES2 (RFC 8018 section 6.2), and the schemes of PKCS #12 (RFC 7292 appendices B and C) that
 * older key stores use.
 *
 * @module
 */

import { createDecipheriv, createHash, pbkdf2 } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Asn1Value } from '../der.js'

/** `null`: none, which is not the same as an empty one. */
type Password = string | null

type Scheme = readonly [cipher: string, keyBytes: number]

const pbes2 = '1.2.840.113549.1.5.13'
const pbkdf2Oid = '1.2.840.113549.1.5.12'

/** Pseudo-random functions of PBKDF2 (RFC 8018 appendix B.1). */
const pseudoRandomDigests: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}

/** Encryption schemes of PBES2 (RFC 8018 appendix B.2). */
const pbes2Schemes: Readonly<Record<string, Scheme>> = {
  '2.16.840.1.101.3.4.1.2': ['aes-128-cbc', 16],
  '2.16.840.1.101.3.4.1.22': ['aes-192-cbc', 24],
  '2.16.840.1.101.3.4.1.42': ['aes-256-cbc', 32],
  '1.2.840.113549.3.7': ['des-ede3-cbc', 24],
}

/** Encryption schemes of PKCS #12 (RFC 7292 appendix C). */
const pkcs12Schemes: Readonly<Record<string, Scheme>> = {
  '1.2.840.113549.1.12.1.3': ['des-ede3-cbc', 24],
  '1.2.840.113549.1.12.1.5': ['rc2-cbc', 16],
  '1.2.840.113549.1.12.1.6': ['rc2-cbc', 5],
}

/** Key stores have 2048 to some 100 000 iterations. */
const maxIterations = 10_000_000

/** A few milliseconds of work: a changed key store is read while the server handles requests. */
const roundsAtOnce = 1000

/** What an empty password may mean: .NET derives keys from no password, Java and OpenSSL from an empty one. */
export function passwordReadings(password: string): readonly Password[] {
  return password === '' ? ['', null] : [password]
}

export function readIterations(value: Asn1Value): number {
  const iterations = value.integer
  if (iterations < 1 || iterations > maxIterations) throw new Error('the number of iterations is out of bounds')
  return iterations
}

/**
 * Decrypts by an AlgorithmIdentifier.
 *
 * @param read - Reads what was decrypted. It throws for what a wrong password gives by chance.
 * @returns `undefined` when the password is wrong.
 * @throws Error when the algorithm is not supported.
 */
export async function decryptWithPassword<Content>(
  algorithm: Asn1Value,
  encrypted: Buffer,
  password: string,
  read: (bytes: Buffer) => Content,
): Promise<Content | undefined> {
  const decryptOnce = algorithm.at(0).oid === pbes2 ? decryptPbes2 : decryptPkcs12
  for (const reading of passwordReadings(password)) {
    const decrypted = await decryptOnce(algorithm, encrypted, reading)
    try {
      if (decrypted !== undefined) return read(decrypted)
    } catch {}
  }
  return undefined
}

async function decryptPkcs12(algorithm: Asn1Value, encrypted: Buffer, password: Password): Promise<Buffer | undefined> {
  const { oid } = algorithm.at(0)
  const scheme = pkcs12Schemes[oid]
  if (scheme === undefined) throw new Error(`the encryption ${oid} is not supported`)
  const [cipher, keyBytes] = scheme
  const salt = algorithm.at(1).at(0).bytes
  const input = { password, salt, iterations: readIterations(algorithm.at(1).at(1)), digest: 'sha1' }
  const key = await derivePkcs12Key({ ...input, id: 1, length: keyBytes })
  return decrypt(cipher, key, await derivePkcs12Key({ ...input, id: 2, length: 8 }), encrypted)
}

async function decryptPbes2(algorithm: Asn1Value, encrypted: Buffer, password: Password): Promise<Buffer | undefined> {
  const [derivation, encryption] = [algorithm.at(1).at(0), algorithm.at(1).at(1)]
  if (derivation.at(0).oid !== pbkdf2Oid) throw new Error('the key derivation is not supported')
  // The salt, the iterations, the length of the key (optional INTEGER), the function (optional SEQUENCE, SHA-1 by default).
  const parameters = derivation.at(1)
  const pseudoRandom = parameters.children.slice(2).find(({ tag }) => tag === 0x30)
  const digest = pseudoRandom === undefined ? 'sha1' : pseudoRandomDigests[pseudoRandom.at(0).oid]
  const scheme = pbes2Schemes[encryption.at(0).oid]
  if (digest === undefined || scheme === undefined) throw new Error('the encryption is not supported')
  const [cipher, keyBytes] = scheme
  const iterations = readIterations(parameters.at(1))
  const key = await promisify(pbkdf2)(password ?? '', parameters.at(0).bytes, iterations, keyBytes, digest)
  return decrypt(cipher, key, encryption.at(1).bytes, encrypted)
}

function decrypt(cipher: string, key: Buffer, iv: Buffer, encrypted: Buffer): Buffer | undefined {
  if (cipher === 'rc2-cbc') return decryptRc2(key, iv, encrypted)
  const stream = createDecipheriv(cipher, key, iv)
  try {
    return Buffer.concat([stream.update(encrypted), stream.final()])
  } catch {
    return undefined
  }
}

export interface Pkcs12KeyInput {
  readonly password: Password
  readonly salt: Buffer
  /** What the key is for: 1 encryption, 2 an initialization vector, 3 a MAC (RFC 7292 appendix B.3). */
  readonly id: number
  readonly iterations: number
  readonly length: number
  readonly digest: string
}

/** Derives a key (RFC 7292 appendix B.2). */
export async function derivePkcs12Key(parameters: Pkcs12KeyInput): Promise<Buffer> {
  const { password, salt, id, iterations, length, digest } = parameters
  const block = digest === 'sha384' || digest === 'sha512' ? 128 : 64
  // A BMPString with a zero at its end (appendix B.1); no password is no bytes at all.
  const text = password === null ? Buffer.alloc(0) : Buffer.from(`${password}\0`, 'utf16le').swap16()
  const input = Buffer.concat([salt, text].map((part) => Buffer.alloc(Math.ceil(part.length / block) * block, part)))
  let key = Buffer.alloc(0)
  while (key.length < length) {
    let hash = createHash(digest).update(Buffer.alloc(block, id)).update(input).digest()
    for (let round = 1; round < iterations; round++) {
      hash = createHash(digest).update(hash).digest()
      if (round % roundsAtOnce === 0) await setImmediate()
    }
    key = Buffer.concat([key, hash])
    addToBlocks(input, Buffer.alloc(block, hash))
  }
  return key.subarray(0, length)
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

/** PITABLE of section 2. */
const piTable = Buffer.from(
  'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32' +
    'bd8f40eb86b77b0bf09521225c6b4e8254d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626' +
    '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a' +
    '961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731' +
    '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341bab33ffb0bb480c5fb9b1cd2e' +
    'c5f3db47e5a59c770aa62068fe7fc1ad',
  'hex',
)
const shifts = [1, 2, 3, 5]
const blockBytes = 8

/**
 * Removes the padding of PKCS #7; `undefined` when it is wrong, as it is with a wrong key. The key is as long as its
 * effective length.
 */
export function decryptRc2(key: Buffer, iv: Buffer, encrypted: Buffer): Buffer | undefined {
  if (encrypted.length === 0 || encrypted.length % blockBytes !== 0) return undefined
  const words = expandKey(key)
  const decrypted = Buffer.alloc(encrypted.length)
  for (let start = 0; start < encrypted.length; start += blockBytes) {
    const before = start === 0 ? iv : encrypted.subarray(start - blockBytes, start)
    decryptBlock(words, encrypted.subarray(start)).forEach((word, index) => {
      decrypted.writeUInt16LE(word ^ before.readUInt16LE(index * 2), start + index * 2)
    })
  }
  const padding = decrypted.at(-1)!
  const end = decrypted.length - padding
  const isPadded = padding >= 1 && padding <= blockBytes && decrypted.subarray(end).every((byte) => byte === padding)
  return isPadded ? decrypted.subarray(0, end) : undefined
}

/** The 64 words of the expanded key (section 2). */
function expandKey(key: Buffer): Uint16Array {
  const bytes = Buffer.alloc(128)
  key.copy(bytes)
  for (let index = key.length; index < 128; index++) {
    bytes[index] = piTable[(bytes[index - 1]! + bytes[index - key.length]!) & 0xff]!
  }
  const last = 128 - key.length
  bytes[last] = piTable[bytes[last]!]!
  for (let index = last - 1; index >= 0; index--) {
    bytes[index] = piTable[bytes[index + 1]! ^ bytes[index + key.length]!]!
  }
  return Uint16Array.from({ length: 64 }, (_, index) => bytes.readUInt16LE(index * 2))
}

/** The four words of one block (section 4): 16 rounds, with a mashing round after the fifth and after the eleventh. */
function decryptBlock(words: Uint16Array, block: Buffer): Uint16Array {
  const r = Uint16Array.from({ length: 4 }, (_, index) => block.readUInt16LE(index * 2))
  for (let round = 15; round >= 0; round--) {
    for (let i = 3; i >= 0; i--) {
      const [a, b, c] = [r[(i + 3) & 3]!, r[(i + 2) & 3]!, r[(i + 1) & 3]!]
      const rotated = (r[i]! >>> shifts[i]!) | (r[i]! << (16 - shifts[i]!))
      r[i] = rotated - words[round * 4 + i]! - (a & b) - (~a & c)
    }
    if (round !== 11 && round !== 5) continue
    for (let i = 3; i >= 0; i--) r[i] = r[i]! - words[r[(i + 3) & 3]! & 63]!
  }
  return r
}
