/**
 * Decryption with a key that is made of a password: PBES2 (RFC 8018 section 6.2), and the older schemes of PKCS #12 (RFC 7292
 * appendix C) that most key stores in use still have.
 *
 * @module
 */

import { createDecipheriv, pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { type Der, loadForge } from './der.js'
import { type Password, pkcs12Key, readingsOf } from './pkcs12-key.js'

const pbes2 = '1.2.840.113549.1.5.13'
const pbkdf2Oid = '1.2.840.113549.1.5.12'
const tripleDes = '1.2.840.113549.1.12.1.3'
const rc2Of40Bits = '1.2.840.113549.1.12.1.6'
const rc2Of128Bits = '1.2.840.113549.1.12.1.5'

/** Pseudo-random functions of PBKDF2 (RFC 8018 appendix B.1). */
const pseudoRandomDigests: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}

/** Encryption schemes of PBES2 (RFC 8018 appendix B.2), and the bytes of their keys. */
const schemes: Readonly<Record<string, readonly [cipher: string, keyBytes: number]>> = {
  '2.16.840.1.101.3.4.1.2': ['aes-128-cbc', 16],
  '2.16.840.1.101.3.4.1.22': ['aes-192-cbc', 24],
  '2.16.840.1.101.3.4.1.42': ['aes-256-cbc', 32],
  '1.2.840.113549.3.7': ['des-ede3-cbc', 24],
}

/** Iterations beyond this only keep the machine busy; key stores have 2048 to some 100 000. */
export const maxIterations = 10_000_000

/**
 * Decrypts what an AlgorithmIdentifier says how to decrypt.
 *
 * @param read Reads what was decrypted; it throws for what has no meaning, which a wrong password gives by chance.
 * @returns `undefined` when the password is wrong.
 * @throws Error when the algorithm is none of these.
 */
export async function decryptWithPassword<Content>(
  algorithm: Der,
  encrypted: Buffer,
  password: string,
  read: (bytes: Buffer) => Content,
): Promise<Content | undefined> {
  for (const reading of readingsOf(password)) {
    const decrypted = await decryptOnce(algorithm, encrypted, reading)
    try {
      if (decrypted !== undefined) return read(decrypted)
    } catch {}
  }
  return undefined
}

async function decryptOnce(algorithm: Der, encrypted: Buffer, password: Password): Promise<Buffer | undefined> {
  const { oid } = algorithm.at(0)
  const parameters = algorithm.at(1)
  if (oid === pbes2) return decryptPbes2(parameters, encrypted, password)

  const salt = parameters.at(0).bytes
  const iterations = boundedIterations(parameters.at(1))
  const derive = (id: number, length: number): Promise<Buffer> =>
    pkcs12Key({ password, salt, id, iterations, length, digest: 'sha1' })
  if (oid === tripleDes) return decipher('des-ede3-cbc', await derive(1, 24), await derive(2, 8), encrypted)
  if (oid === rc2Of40Bits) return decipherRc2(await derive(1, 5), await derive(2, 8), encrypted)
  if (oid === rc2Of128Bits) return decipherRc2(await derive(1, 16), await derive(2, 8), encrypted)
  throw new Error(`the encryption ${oid} is not known`)
}

async function decryptPbes2(parameters: Der, encrypted: Buffer, password: Password): Promise<Buffer | undefined> {
  const derivation = parameters.at(0)
  const encryption = parameters.at(1)
  if (derivation.at(0).oid !== pbkdf2Oid) throw new Error('the key derivation is not known')
  // salt, iterations, the length of the key if it is written, the pseudo-random function unless it is SHA-1
  const [salt, iterations, ...rest] = derivation.at(1).children
  const last = rest.at(-1)
  const isFunction = last !== undefined && last.type !== 2
  const digest = isFunction ? pseudoRandomDigests[last.at(0).oid] : 'sha1'
  const scheme = schemes[encryption.at(0).oid]
  if (salt === undefined || iterations === undefined || digest === undefined || scheme === undefined) {
    throw new Error('the encryption is not known')
  }
  const [cipher, keyBytes] = scheme
  const text = Buffer.from(password ?? '', 'utf8')
  const key = await promisify(pbkdf2)(text, salt.bytes, boundedIterations(iterations), keyBytes, digest)
  return decipher(cipher, key, encryption.at(1).bytes, encrypted)
}

function boundedIterations(written: Der): number {
  const iterations = written.integer
  if (iterations < 1 || iterations > maxIterations) throw new Error('the number of iterations is out of bounds')
  return iterations
}

function decipher(cipher: string, key: Buffer, iv: Buffer, encrypted: Buffer): Buffer | undefined {
  const stream = createDecipheriv(cipher, key, iv)
  try {
    return Buffer.concat([stream.update(encrypted), stream.final()])
  } catch {
    return undefined
  }
}

/** OpenSSL 3 has put RC2 away. */
async function decipherRc2(key: Buffer, iv: Buffer, encrypted: Buffer): Promise<Buffer | undefined> {
  const forge = await loadForge()
  const buffer = (bytes: Buffer) => forge.util.createBuffer(bytes.toString('latin1'))
  const { rc2 } = forge as unknown as { rc2: Rc2 }
  const cipher = rc2.createDecryptionCipher(key.toString('latin1'), key.length * 8)
  cipher.start(buffer(iv).getBytes(), null)
  cipher.update(buffer(encrypted))
  if (!cipher.finish()) return undefined
  return Buffer.from(cipher.output.getBytes(), 'latin1')
}

/** The part of node-forge that its types leave out. */
interface Rc2 {
  createDecryptionCipher(
    key: string,
    bits: number,
  ): {
    start(iv: string, output: null): void
    update(input: import('node-forge').util.ByteBuffer): void
    finish(): boolean
    readonly output: import('node-forge').util.ByteBuffer
  }
}
