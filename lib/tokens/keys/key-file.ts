/**
 * Key files: the private key that signs, and beside it, in `<key file>.retired`, the public keys that signed before and still
 * verify.
 *
 * @module
 */

import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import * as z from 'zod'
import type { SigningAlgorithm } from '../../config/config.js'
import { ConfigError, type ConfigProblem } from '../../core/errors.js'
import { readRegularFile } from '../../files/read-file.js'
import { canonicalPath, replaceFile } from '../../files/replace-file.js'
import {
  algorithmFor,
  createKeySet,
  createVerificationKey,
  digests,
  generateSigningKey,
  type KeySet,
  keyMismatch,
  namedJwk,
  type RetiredKey,
} from './signing-key.js'

const keyFileKey = 'management_api.jwt_token_security_handler.token_config.key_file'

/**
 * Reads the keys. The retired ones are beside the file itself, and not beside a link to it: where {@link rotateKeyFile}
 * writes them.
 *
 * @param written - `undefined`: what fits the key.
 * @throws `ConfigError` for `key_file` when a file cannot be read or a key must not be used: it is not private, not of
 * the kind that the algorithm needs, weak, or published. No part of a key gets into the message.
 */
export async function keysFromFile(file: string, written: SigningAlgorithm | undefined): Promise<KeySet> {
  const keyFile = canonicalKeyFile(file)
  const { privateKey, algorithm } = await readSigningKey(keyFile, written)
  const [warnings, retired] = await Promise.all([keyFileWarnings(keyFile), readRetiredKeys(keyFile)])
  const keys = await createKeySet(privateKey, algorithm, { warnings, retired })
  if (!areMatching(privateKey, keys.signing.publicKey, algorithm)) {
    throw keyFileError(keyFile, 'must hold a private key that belongs to its public key')
  }
  return keys
}

function canonicalKeyFile(file: string): string {
  try {
    return canonicalPath(file)
  } catch {
    // Reading says why.
    return file
  }
}

interface SigningKey {
  readonly privateKey: KeyObject
  readonly algorithm: SigningAlgorithm
}

async function readSigningKey(path: string, written: SigningAlgorithm | undefined): Promise<SigningKey> {
  const found = parsePrivateKey(await readKeyText(path), written)
  // The cause is left out: a JSON or PEM error may quote what is in the file.
  if (found === undefined) {
    const kind = written === undefined ? '' : ` for ${written}`
    throw keyFileError(path, `must hold one unencrypted private key${kind}, as PKCS#8 PEM or as JWK`)
  }
  const mismatch = keyMismatch(createPublicKey(found.privateKey), found.algorithm)
  if (mismatch !== undefined) throw keyFileError(path, mismatch)
  return found
}

function parsePrivateKey(text: string, written: SigningAlgorithm | undefined): SigningKey | undefined {
  try {
    const jwk = text.trimStart().startsWith('{') ? (JSON.parse(text) as JsonWebKey) : undefined
    const privateKey = createPrivateKey(jwk === undefined ? text : { key: jwk, format: 'jwk' })
    const algorithm = written ?? algorithmFor(privateKey)
    return jwk?.['alg'] === undefined || jwk['alg'] === algorithm ? { privateKey, algorithm } : undefined
  } catch {
    return undefined
  }
}

/** A JWK carries both halves of its key, and nothing but a signature tells whether they belong together. */
function areMatching(privateKey: KeyObject, publicKey: KeyObject, algorithm: SigningAlgorithm): boolean {
  const text = Buffer.from('self test')
  try {
    return verify(digests[algorithm], text, publicKey, sign(digests[algorithm], text, privateKey))
  } catch {
    return false
  }
}

/** A list of a thousand retired RSA keys has less. */
const maxKeyFileBytes = 1024 * 1024

/** Its error's `cause` has the code of the file system. */
async function readKeyText(path: string): Promise<string> {
  const bytes = await readRegularFile(path, maxKeyFileBytes).catch((error: NodeJS.ErrnoException) => {
    const remedy = error.code === 'ENOENT' ? '; "npx sallyport keys rotate" makes it' : ''
    throw keyFileError(path, `must be a file that can be read (${error.code ?? error.name})${remedy}`, error)
  })
  if (bytes === undefined) throw keyFileError(path, `must be a file of at most ${maxKeyFileBytes} bytes`)
  return bytes.toString('utf8')
}

/** A warning for each thing about the two files that is risky but works. */
async function keyFileWarnings(path: string): Promise<readonly ConfigProblem[]> {
  const rules: string[] = []
  if (await mayOthers(0o006, path)) {
    rules.push('should be readable by its owner only (chmod 600): every user of this machine can sign tokens')
  }
  // Reading it does no harm: its keys are public.
  const retiredPath = retiredKeysFile(path)
  if (await mayOthers(0o002, retiredPath)) {
    rules.push(
      `should have beside it a ${resolve(retiredPath)} that only its owner can write (chmod 600): ` +
        'every user of this machine can put in a key of their own, and sign tokens with it',
    )
  }
  return rules.map((rule) => ({ key: keyFileKey, rule }))
}

/** Whether users other than the owner and the group have one of these rights; not where there is no file. */
async function mayOthers(rights: number, path: string): Promise<boolean> {
  const status = await stat(path).catch(() => undefined)
  return process.platform !== 'win32' && status !== undefined && (status.mode & rights) !== 0
}

/** A key as the file of retired keys has it: a JWK (RFC 7517 section 4) with two more members. */
const retiredKeySchema = z.looseObject({
  alg: z.enum(['RS256', 'ES256', 'EdDSA']),
  /** Seconds since the epoch. */
  verify_until: z.int().nonnegative(),
  /** See {@link RetiredKey.isFinal}. */
  final: z.boolean(),
  d: z.never().optional(),
})

const retiredKeysSchema = z.object({ keys: z.array(retiredKeySchema).max(1000) })

function retiredKeysFile(keyFile: string): string {
  return `${keyFile}.retired`
}

/** None when the file is not there. */
async function readRetiredKeys(keyFile: string): Promise<readonly RetiredKey[]> {
  const path = retiredKeysFile(keyFile)
  const text = await readKeyText(path).catch((error: Error) => {
    if ((error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return []
  const parsed = retiredKeysSchema.safeParse(parseJson(text))
  if (!parsed.success) throw keyFileError(path, 'must be a list of keys that "npx sallyport keys rotate" wrote')
  return Promise.all(parsed.data.keys.map((jwk) => retiredKeyFrom(jwk, path)))
}

async function retiredKeyFrom(jwk: z.infer<typeof retiredKeySchema>, path: string): Promise<RetiredKey> {
  const { alg, verify_until, final, ...members } = jwk
  let publicKey: KeyObject
  try {
    publicKey = createPublicKey({ key: members as unknown as JsonWebKey, format: 'jwk' })
  } catch {
    throw keyFileError(path, 'must have public keys only, each of them whole')
  }
  const mismatch = keyMismatch(publicKey, alg)
  if (mismatch !== undefined) throw keyFileError(path, mismatch)
  return { ...(await createVerificationKey(publicKey, alg)), verifyUntil: verify_until * 1000, isFinal: final }
}

function retiredKeysText(keys: readonly RetiredKey[]): string {
  const entries = keys.map((key) => ({
    ...namedJwk(key),
    verify_until: Math.ceil(key.verifyUntil / 1000),
    final: key.isFinal,
  }))
  return `${JSON.stringify({ keys: entries }, undefined, 2)}\n`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The refusal of a key file, which is named by its absolute path. */
function keyFileError(path: string, rule: string, cause?: unknown): ConfigError {
  const problem = { key: keyFileKey, rule: `${resolve(path)} ${rule}` }
  return new ConfigError([problem], cause === undefined ? undefined : { cause })
}

/** Options of {@link rotateKeyFile}. */
export interface RotateKeyFileOptions {
  /** What the new key is for. @defaultValue that of the old key, or `'RS256'` */
  readonly algorithm: SigningAlgorithm | undefined
  /** Bits of a new RSA key. */
  readonly rsaBits: number
  /**
   * How long the old key verifies: the life of a token, and the time within which every process reads the new key.
   * 0: not at all, not even where it signed until just now.
   */
  readonly overlapMs: number
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
 * Puts a new key into a key file, and the public half of the old one beside it. A running process takes them up when it reads
 * its configuration again.
 *
 * The retired keys are written first: a process that starts between the two files still signs with the old key.
 *
 * @throws `ConfigError` when the files that are there cannot be read or used; the error of the file system when the new
 * ones cannot be written.
 */
export async function rotateKeyFile(
  keyFile: string,
  { algorithm: written, rsaBits, overlapMs, now }: RotateKeyFileOptions,
): Promise<Rotation> {
  const path = canonicalPath(keyFile)
  const owner = await stat(path).catch(() => undefined)
  const keys = owner === undefined ? undefined : await keysFromFile(path, written)
  const algorithm = written ?? keys?.signing.algorithm ?? 'RS256'
  const privateKey = await generateSigningKey(algorithm, rsaBits)
  const { signing } = await createKeySet(privateKey, algorithm)

  let before: RetiredKey | undefined
  if (keys !== undefined) {
    before = { ...keys.signing, verifyUntil: now + overlapMs, isFinal: overlapMs === 0 }
    const retired = [before, ...keys.retired.filter(({ verifyUntil }) => verifyUntil > now)]
    replaceFile(canonicalPath(retiredKeysFile(path)), retiredKeysText(retired), { owner })
  }
  replaceFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, { owner })
  return { kid: signing.kid, before }
}
