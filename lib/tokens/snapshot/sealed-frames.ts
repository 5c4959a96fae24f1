/**
 * The form of snapshot and journal: a header, and frames that are encrypted and authenticated with AES-256-GCM. The key is derived for
 * each file, and the nonce of a frame is its number: a frame that was changed, moved or taken from another file cannot be opened.
 *
 * @module
 */

import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { open } from 'node:fs/promises'

/** What a file is; part of its key. */
export type StateFileKind = 'snapshot' | 'journal'

/** A file that nothing is taken of. The message says why, and can follow the name of the file. */
export class UnusableStateError extends Error {
  /** Constant, also where a bundler has renamed the class. */
  override readonly name = 'UnusableStateError'
}

/** A file that is something else, and is never written to. */
export class ForeignFileError extends Error {
  /** Constant, also where a bundler has renamed the class. */
  override readonly name = 'ForeignFileError'
}

/** Of all versions. */
const family = Buffer.from('sallyport state', 'latin1')
/** It has the version of all that is in the file. */
const magic = Buffer.from(`${family}1`, 'latin1')
const idBytes = 16
const keyMarkBytes = 8
const headerBytes = magic.length + idBytes + keyMarkBytes

const algorithm = 'aes-256-gcm'
const tagBytes = 16
const lengthBytes = 4

function derive(key: Uint8Array, salt: Uint8Array, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, `sallyport state ${purpose}`, bytes))
}

/** Tells another key from a file that was changed. */
function keyMark(key: Uint8Array): Buffer {
  return derive(key, magic, 'mark', keyMarkBytes)
}

function nonceFor(number: number): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeBigUInt64BE(BigInt(number), 4)
  return nonce
}

/** Seals the frames of one file. It has its id for itself: two files with one id would share their nonces. */
export class FrameSealer {
  readonly header: Buffer
  readonly #key: Buffer
  #count = 0

  constructor(key: Uint8Array, kind: StateFileKind, id: Uint8Array) {
    this.header = Buffer.concat([magic, id, keyMark(key)])
    this.#key = derive(key, this.header, kind, 32)
  }

  /** The length is sealed by itself: one that was changed is not taken for the end of the file. */
  seal(content: string): Buffer {
    const body = Buffer.from(content)
    const length = Buffer.alloc(lengthBytes)
    length.writeUInt32BE(body.length)
    return Buffer.concat([...this.#encrypt(length), ...this.#encrypt(body)])
  }

  #encrypt(text: Buffer): readonly Buffer[] {
    const cipher = createCipheriv(algorithm, this.#key, nonceFor(this.#count++))
    return [cipher.update(text), cipher.final(), cipher.getAuthTag()]
  }
}

/**
 * Reads the frames of a file. It ends with the last complete frame, and returns the id of the file and whether a part of a frame
 * follows.
 *
 * @throws {@link UnusableStateError}; {@link ForeignFileError}; what the file system throws.
 */
export async function* readFrames(
  path: string,
  kind: StateFileKind,
  key: Uint8Array,
): AsyncGenerator<string, { readonly id: string; readonly isTorn: boolean }> {
  const file = await open(path, 'r')
  try {
    const header = await readBytes(headerBytes)
    const id = header.subarray(magic.length, magic.length + idBytes)
    if (kind === 'snapshot') assertOurs(path, header)
    assertHeader(header, key)
    const cipherKey = derive(key, header, kind, 32)
    for (let count = 0; ; count += 2) {
      const sealedLength = await readBytes(lengthBytes + tagBytes)
      if (sealedLength.length < lengthBytes + tagBytes) {
        return { id: id.toString('hex'), isTorn: sealedLength.length > 0 }
      }
      const length = decrypt(cipherKey, count, sealedLength).readUInt32BE()
      const body = await readBytes(length + tagBytes)
      if (body.length < length + tagBytes) return { id: id.toString('hex'), isTorn: true }
      yield decrypt(cipherKey, count + 1, body).toString()
    }
  } finally {
    await file.close()
  }

  /** Fewer at the end of the file. */
  async function readBytes(count: number): Promise<Buffer> {
    const buffer = Buffer.alloc(count)
    let filled = 0
    while (filled < count) {
      const { bytesRead } = await file.read(buffer, filled, count - filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return buffer.subarray(0, filled)
  }
}

/** The operator names this file, and may name another one by mistake. */
function assertOurs(path: string, header: Buffer): void {
  const start = header.subarray(0, family.length)
  if (!start.equals(family.subarray(0, start.length)))
    throw new ForeignFileError(`${path} is something else, and was left as it is`)
}

function assertHeader(header: Buffer, key: Uint8Array): void {
  if (header.length < headerBytes) throw new UnusableStateError('is cut off')
  if (!header.subarray(0, magic.length).equals(magic)) {
    throw new UnusableStateError('is of another version, or something else')
  }
  if (!header.subarray(magic.length + idBytes).equals(keyMark(key))) {
    throw new UnusableStateError('was written with another signing key')
  }
}

function decrypt(key: Buffer, number: number, sealed: Buffer): Buffer {
  const end = sealed.length - tagBytes
  try {
    const decipher = createDecipheriv(algorithm, key, nonceFor(number), { authTagLength: tagBytes })
    decipher.setAuthTag(sealed.subarray(end))
    return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()])
  } catch {
    throw new UnusableStateError('was changed, or is damaged')
  }
}
