/**
 * The private key that tokens are signed with: made for this process, or read from a file.
 *
 * @module
 */

import { createPrivateKey, createPublicKey, generateKeyPair, type JsonWebKey, type KeyObject } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { SigningAlgorithm } from '../config/config.js'
import { ConfigError, type ConfigProblem } from '../core/errors.js'
import { isPublishedKey } from '../internal/published-key.js'
import { readRegularFile } from '../internal/read-regular-file.js'

const keyFileKey = 'management_api.jwt_token_security_handler.token_config.key_file'

const minRsaBits = 2048
const minRsaExponent = 65537n

/**
 * The keys come out of the generation as bytes: on Node 20 a generated KeyObject shares a lock with the job that made it,
 * and the process hangs for good when that job is garbage-collected while the key is exported as JWK.
 */
const encodings = {
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'der' },
} as const

/** Makes a new private key. It lives and dies with the process. */
export async function generateSigningKey(algorithm: SigningAlgorithm, rsaBits: number): Promise<KeyObject> {
  return createPrivateKey({ key: await generateBytes(algorithm, rsaBits), type: 'pkcs8', format: 'der' })
}

function generateBytes(algorithm: SigningAlgorithm, rsaBits: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const finish = (error: Error | null, _publicKey: Buffer, privateKey: Buffer): void => {
      if (error === null) resolve(privateKey)
      else reject(error)
    }
    switch (algorithm) {
      case 'RS256': {
        const options = { modulusLength: rsaBits, publicExponent: Number(minRsaExponent), ...encodings }
        return generateKeyPair('rsa', options, finish)
      }
      case 'ES256':
        return generateKeyPair('ec', { namedCurve: 'P-256', ...encodings }, finish)
      case 'EdDSA':
        return generateKeyPair('ed25519', encodings, finish)
    }
  })
}

/**
 * Reads a private key, PKCS#8 PEM or JWK.
 *
 * @throws {@link ConfigError} for `key_file` when the file cannot be read, or when its key is not private, not of the
 * kind that the algorithm needs, weak, or published. No part of the key gets into the message.
 */
export async function readSigningKey(path: string, algorithm: SigningAlgorithm): Promise<KeyObject> {
  const text = await readKeyText(path)
  const key = parsePrivateKey(text, algorithm)
  // The cause is left out: a JSON or PEM error may quote what is in the file.
  if (key === undefined) {
    throw keyFileError(path, `must hold one unencrypted private key for ${algorithm}, as PKCS#8 PEM or as JWK`)
  }
  const misfit = misfitOf(createPublicKey(key), algorithm)
  if (misfit !== undefined) throw keyFileError(path, misfit)
  return key
}

/** A list of a thousand retired RSA keys has less. */
const maxKeyFileBytes = 1024 * 1024

/** @throws {@link ConfigError} for `key_file`; its `cause` has the code of the file system. */
export async function readKeyText(path: string): Promise<string> {
  const bytes = await readRegularFile(path, maxKeyFileBytes).catch((error: NodeJS.ErrnoException) => {
    const remedy = error.code === 'ENOENT' ? '; "sallyport keys rotate" makes it' : ''
    throw keyFileError(path, `must be a file that can be read (${error.code ?? error.name})${remedy}`, error)
  })
  if (bytes === undefined) throw keyFileError(path, `must be a file of at most ${maxKeyFileBytes} bytes`)
  return bytes.toString('utf8')
}

/** A warning for each thing about the key file, and the one with the retired keys, that is risky but works. */
export async function keyFileWarnings(path: string, retiredPath: string): Promise<readonly ConfigProblem[]> {
  const rules: string[] = []
  if (await mayOthers(0o006, path)) {
    rules.push('should be readable by its owner only (chmod 600): every user of this machine can sign tokens')
  }
  // Reading it does no harm: its keys are public.
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

function parsePrivateKey(text: string, algorithm: SigningAlgorithm): KeyObject | undefined {
  try {
    if (!text.trimStart().startsWith('{')) return createPrivateKey(text)
    const key = JSON.parse(text) as JsonWebKey
    return key['alg'] === undefined || key['alg'] === algorithm ? createPrivateKey({ key, format: 'jwk' }) : undefined
  } catch {
    return undefined
  }
}

/** Why an algorithm must not be used with a public key, or with the private one that belongs to it. */
export function misfitOf(key: KeyObject, algorithm: SigningAlgorithm): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key
  switch (algorithm) {
    case 'RS256':
      if (type !== 'rsa') return `must hold an RSA key for RS256, got ${type}`
      if ((details.modulusLength ?? 0) < minRsaBits) {
        return `must hold an RSA key of at least ${minRsaBits} bits, got ${details.modulusLength}`
      }
      if ((details.publicExponent ?? 0n) < minRsaExponent) {
        return `must hold an RSA key with a public exponent of at least ${minRsaExponent}`
      }
      break
    case 'ES256':
      if (type !== 'ec' || details.namedCurve !== 'prime256v1') {
        return `must hold a P-256 key for ES256, got ${details.namedCurve ?? type}`
      }
      break
    case 'EdDSA':
      if (type !== 'ed25519') return `must hold an Ed25519 key for EdDSA, got ${type}`
  }
  return isPublishedKey(key)
    ? 'must not hold the wso2carbon key that WSO2 publishes: anybody could sign tokens with it'
    : undefined
}

/** The refusal of a key file, which is named by its absolute path. */
export function keyFileError(path: string, rule: string, cause?: unknown): ConfigError {
  const problem = { key: keyFileKey, rule: `${resolve(path)} ${rule}` }
  return new ConfigError([problem], cause === undefined ? undefined : { cause })
}
