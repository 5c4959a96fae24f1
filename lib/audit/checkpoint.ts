/**
 * Signed checkpoints: a signature of the line that the trail had come to. Who writes to the file but does not have the key cannot sign
 * what was written anew; the next start of the front would, which an anchor finds.
 *
 * The key is an Ed25519 key that is derived from the key that signs tokens: it signs nothing else, and shows nothing of that one.
 *
 * @module
 */

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { CompactSign, calculateJwkThumbprint, compactVerify, decodeProtectedHeader, type JWK } from 'jose'

/** What a checkpoint says. */
export interface Checkpoint {
  /** Of the line that is signed: the one before that of the checkpoint. */
  readonly sequence: number
  /** Of that line. */
  readonly hash: string
  /** ISO 8601. */
  readonly time: string
}

/** Signs checkpoints. */
export interface CheckpointKey {
  /** The public half: with `kid`, its thumbprint (RFC 7638). */
  readonly publicJwk: JWK & { readonly kid: string }
  /** Gives a compact JWS (RFC 7515). */
  sign(checkpoint: Checkpoint): Promise<string>
}

/** What a PKCS #8 file of an Ed25519 key has before the key itself (RFC 8410). */
const pkcs8Start = Buffer.from('302e020100300506032b657004220420', 'hex')

/** So that a signature is taken for nothing else. */
const type = 'sallyport-audit'

/** @param seed - 32 secret bytes. */
export async function createCheckpointKey(seed: Buffer): Promise<CheckpointKey> {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Start, seed]), format: 'der', type: 'pkcs8' })
  const jwk = createPublicKey(key).export({ format: 'jwk' }) as JWK
  const kid = await calculateJwkThumbprint(jwk)
  return {
    publicJwk: { ...jwk, kid, alg: 'EdDSA', use: 'sig' },
    sign: (checkpoint) =>
      new CompactSign(Buffer.from(JSON.stringify(checkpoint)))
        .setProtectedHeader({ alg: 'EdDSA', typ: type, kid })
        .sign(key),
  }
}

/** Why a signature proves nothing, in words that follow it. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError'
}

/**
 * Reads a checkpoint, and with keys verifies it.
 *
 * @param keys - By `kid`; a key without one is tried for all. `undefined`: nothing is verified.
 */
export async function readCheckpoint(
  jws: string,
  keys: ReadonlyMap<string, KeyObject> | undefined,
): Promise<Checkpoint> {
  const { typ, kid = '' } = unlessMalformed(() => decodeProtectedHeader(jws))
  if (typ !== type) throw new CheckpointError('is no checkpoint')
  if (keys !== undefined) {
    const key = keys.get(kid) ?? keys.get('')
    if (key === undefined) throw new CheckpointError(`is signed by the key ${kid.slice(0, 64)}, which was not given`)
    await compactVerify(jws, key, { algorithms: ['EdDSA'] }).catch(() => {
      throw new CheckpointError('has a signature that is wrong')
    })
  }
  const { sequence, hash, time } = unlessMalformed(
    () => JSON.parse(Buffer.from(jws.split('.')[1]!, 'base64url').toString()) as Partial<Checkpoint>,
  )
  if (!Number.isSafeInteger(sequence) || typeof hash !== 'string' || typeof time !== 'string') {
    throw new CheckpointError('is no checkpoint')
  }
  return { sequence: sequence!, hash, time }
}

function unlessMalformed<Value>(read: () => Value): Value {
  try {
    return read()
  } catch {
    throw new CheckpointError('is no checkpoint')
  }
}
