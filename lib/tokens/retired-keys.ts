/**
 * The keys that signed before the one in a key file, and still verify: `<key file>.retired`, a JWK Set (RFC 7517 section 5)
 * in which each key has two more members: `verify_until`, in seconds since the epoch, and `final`, where that holds for a
 * process too that has signed with the key until just now.
 *
 * @module
 */

import { createPublicKey, type JsonWebKey } from 'node:crypto'
import * as z from 'zod'
import { namedJwkOf, type RetiredKey, verificationKeyOf } from './key-set.js'
import { keyFileError, misfitOf, readKeyText } from './signing-key.js'

/** A key as the file has it. */
const retiredKeySchema = z.looseObject({
  alg: z.enum(['RS256', 'ES256', 'EdDSA']),
  verify_until: z.int().nonnegative(),
  final: z.boolean(),
  d: z.never().optional(),
})

const fileSchema = z.object({ keys: z.array(retiredKeySchema).max(1000) })

/** Where the retired keys of a key file are. */
export function retiredKeysFile(keyFile: string): string {
  return `${keyFile}.retired`
}

/**
 * Reads the retired keys of a key file; none when the file is not there.
 *
 * @throws {@link ConfigError} for `key_file` when the file is not what {@link retiredKeysText} writes, or has a key that must
 * not be used.
 */
export async function readRetiredKeys(keyFile: string): Promise<readonly RetiredKey[]> {
  const path = retiredKeysFile(keyFile)
  const text = await readKeyText(path).catch((error: Error) => {
    if ((error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return []
  const parsed = fileSchema.safeParse(parseJson(text))
  if (!parsed.success) throw keyFileError(path, 'must be a list of keys that "sallyport keys rotate" wrote')
  return Promise.all(parsed.data.keys.map((jwk) => retiredKeyOf(jwk, path)))
}

async function retiredKeyOf(jwk: z.infer<typeof retiredKeySchema>, path: string): Promise<RetiredKey> {
  const { alg, verify_until, final, ...members } = jwk
  let publicKey: ReturnType<typeof createPublicKey>
  try {
    publicKey = createPublicKey({ key: members as unknown as JsonWebKey, format: 'jwk' })
  } catch {
    throw keyFileError(path, 'must have public keys only, each of them whole')
  }
  const misfit = misfitOf(publicKey, alg)
  if (misfit !== undefined) throw keyFileError(path, misfit)
  return { ...(await verificationKeyOf(publicKey, alg)), verifyUntil: verify_until * 1000, isFinal: final }
}

/** The text of the file. */
export function retiredKeysText(keys: readonly RetiredKey[]): string {
  const entries = keys.map((key) => ({
    ...namedJwkOf(key),
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
