/**
 * Puts a new key into a key file, and keeps the public half of the old one for as long as its tokens live.
 *
 * @module
 */

import { stat } from 'node:fs/promises'
import type { SigningAlgorithm } from '../config/config.js'
import { canonicalPath } from '../internal/canonical-path.js'
import { replaceFile } from '../internal/replace-file.js'
import { keysFromFile } from './key-file.js'
import { keySetOf, type RetiredKey } from './key-set.js'
import { retiredKeysFile, retiredKeysText } from './retired-keys.js'
import { generateSigningKey } from './signing-key.js'

/** Options of {@link rotateKeyFile}. */
export interface RotateKeyFileOptions {
  /** What the new key is for. */
  readonly algorithm: SigningAlgorithm
  /** Bits of a new RSA key. */
  readonly rsaBits: number
  /**
   * How long the old key verifies: the life of a token, and the time within which every process reads the new key.
   * 0: not at all, not even where it signed until just now.
   */
  readonly overlapSeconds: number
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** What {@link rotateKeyFile} did. */
export interface Rotation {
  /** Id of the key that signs from now on. */
  readonly kid: string
  /** The key before it; `undefined` when there was no key file. */
  readonly before: RetiredKey | undefined
}

/**
 * Rotates the keys. A process that runs takes them up when it reads its configuration anew.
 *
 * The retired keys are written first: a process that starts between the two files still signs with the old key.
 *
 * @throws {@link ConfigError} when the files that are there cannot be read or used; the error of the file system when the new
 * ones cannot be written.
 */
export async function rotateKeyFile(
  keyFile: string,
  { algorithm, rsaBits, overlapSeconds, now }: RotateKeyFileOptions,
): Promise<Rotation> {
  const path = canonicalPath(keyFile)
  const owner = await stat(path).catch(() => undefined)
  const privateKey = await generateSigningKey(algorithm, rsaBits)
  const { signing } = await keySetOf(privateKey, algorithm)

  let before: RetiredKey | undefined
  if (owner !== undefined) {
    const keys = await keysFromFile(path, algorithm)
    before = { ...keys.signing, verifyUntil: now + overlapSeconds * 1000, isFinal: overlapSeconds === 0 }
    const retired = [before, ...keys.retired.filter(({ verifyUntil }) => verifyUntil > now)]
    replaceFile(canonicalPath(retiredKeysFile(path)), retiredKeysText(retired), { owner })
  }
  replaceFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, { owner })
  return { kid: signing.kid, before }
}
