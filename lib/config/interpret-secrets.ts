/**
 * From a parsed document to a configuration, with the secrets that only a key store opens.
 *
 * @module
 */

import { type Interpretation, interpret, type Origin } from './interpret.js'
import { secretDecrypter } from './secrets/decrypt-secrets.js'
import type { SecretOutcome } from './secrets/secret-table.js'

/** Why a secret has no text when the key store is opened that decrypts secrets. */
const isOwnPassword =
  'is encrypted with the key of that very key store; its password has to come from $env{} or from a $file{} in [secrets]'

/**
 * Interprets a parsed document. Where it uses encrypted secrets, it is interpreted again: first to find out which they are
 * and which key store opens them, and then with their texts. One value can use several, which are found one by one.
 */
export async function interpretSecrets(
  document: object,
  where: Omit<Origin, 'decrypted' | 'whyEncrypted'>,
): Promise<Interpretation> {
  const origin: Origin = { ...where, whyEncrypted: isOwnPassword }
  const first = interpret(document, origin)
  if (first.encrypted.size === 0 || first.keyStores === undefined) return first

  const decrypter = secretDecrypter({
    keyStore: first.keyStores.internal,
    symmetricKey: first.outcomeAt(['encryption', 'key']),
    isProduction: isProduction(where),
  })
  const decrypted = new Map<string, SecretOutcome>()
  let interpretation = first
  while (interpretation.encrypted.size > 0) {
    for (const [alias, ciphertext] of interpretation.encrypted) {
      decrypted.set(alias, await decrypter.outcomeOf(ciphertext))
    }
    interpretation = interpret(document, { ...origin, decrypted })
  }
  return { ...interpretation, warnings: [...decrypter.warnings, ...interpretation.warnings] }
}

/** Placeholders may come from elsewhere; without a word there, the process knows whether this is production. */
function isProduction({ options: { env } }: Pick<Origin, 'options'>): boolean {
  return (env?.['NODE_ENV'] ?? process.env['NODE_ENV']) === 'production'
}
