/**
 * A configuration from an object.
 *
 * @module
 */

import { ConfigError, type ConfigProblem } from '../core/errors.js'
import { noteTables } from './checks/changed-tables.js'
import { describeFindings, type Finding, type Locate, nowhere } from './checks/findings.js'
import { keepLocator } from './checks/origins.js'
import type { Config } from './config.js'
import { type DocumentSource, type Interpretation, interpret } from './interpret.js'
import { keepSource } from './kept-sources.js'
import { createDecrypt } from './values/decrypt-secrets.js'
import type { ConfigOptions } from './values/placeholders.js'
import type { SecretOutcome } from './values/secrets.js'
import { deepFreeze } from './values/tree.js'

export type { ConfigOptions } from './values/placeholders.js'

/**
 * Reads the configuration that an object holds: what a TOML parser makes of a `deployment.toml`, or an object of the
 * same keys. The object is neither changed nor kept. Encrypted secrets are a mistake here: to open a key store takes time,
 * which `loadConfig` and `createSecurity` have.
 *
 * @example
 * ```ts
 * const config = parseConfig({ management_api: { control_access: { enable: true, allow: ['10.0.0.0/8'] } } })
 * ```
 *
 * @throws `ConfigError` that lists every mistake.
 */
export function parseConfig(source: object, options: ConfigOptions = {}): Config {
  const whyEncrypted = 'is encrypted, and parseConfig opens no key store: give the object to createSecurity'
  return conclude(interpret(source, { ...createSource(source, options), whyEncrypted }), nowhere)
}

/** Does what {@link parseConfig} does, and opens the key store where the configuration uses encrypted secrets. */
export async function parseEncryptedConfig(source: object, options: ConfigOptions): Promise<Config> {
  return conclude(await interpretSecrets(source, createSource(source, options)), nowhere)
}

function createSource(source: unknown, options: ConfigOptions): Omit<DocumentSource, 'decrypted' | 'whyEncrypted'> {
  if (typeof source === 'object' && source !== null && !Array.isArray(source)) {
    return { path: undefined, home: options.home ?? '', options, locate: nowhere }
  }
  const got = source === null ? 'null' : Array.isArray(source) ? 'a list' : typeof source
  throw new ConfigError([{ key: 'configuration', rule: `must be an object, got ${got}` }])
}

const whyEncrypted =
  'is encrypted with the key of that very key store; its password has to come from $env{} or from a $file{} in [secrets]'

/**
 * Interprets a document until no secret that it uses is left encrypted: one value can use several, which are found one by
 * one.
 */
export async function interpretSecrets(
  document: object,
  where: Omit<DocumentSource, 'decrypted' | 'whyEncrypted'>,
): Promise<Interpretation> {
  const first = interpret(document, { ...where, whyEncrypted })
  if (first.encrypted.size === 0 || first.keyStores === undefined) return first

  // Placeholders may come from elsewhere; without a word there, the process knows whether this is production.
  const nodeEnv = where.options.env?.['NODE_ENV'] ?? process.env['NODE_ENV']
  const warnings: Finding[] = []
  const decrypt = createDecrypt(first.keyStores.internal, first.symmetricKey(), nodeEnv === 'production', (finding) =>
    warnings.push(finding),
  )
  const decrypted = new Map<string, SecretOutcome>()
  let interpretation = first
  while (interpretation.encrypted.size > 0) {
    for (const [alias, ciphertext] of interpretation.encrypted) {
      decrypted.set(alias, await decrypt(ciphertext))
    }
    interpretation = interpret(document, { ...where, whyEncrypted, decrypted })
  }
  return { ...interpretation, warnings: [...warnings, ...interpretation.warnings] }
}

/** @throws `ConfigError` that lists every mistake. `text`: of the file, where there is one. */
export function conclude(interpretation: Interpretation, locate: Locate, text?: string): Config {
  const { source, values, config, mistakes, warnings } = interpretation
  if (config === undefined) throw new ConfigError(firstOf(describeFindings(mistakes, source, locate)))
  const complete = deepFreeze({ ...config, warnings: describeFindings(warnings, source, locate) })
  keepLocator(complete, locate)
  keepSource(complete, { interpretation, locate, text })
  noteTables(complete, values)
  return complete
}

/** More than anybody puts right at once. */
const maxProblems = 500

function firstOf(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const more = problems.length - maxProblems
  if (more <= 0) return problems
  const rule = `has ${more} more mistakes, which are named once these are put right`
  return [...problems.slice(0, maxProblems), { key: 'configuration', rule }]
}
