/**
 * `sallyport secrets encrypt`: a secret in, its ciphertext for `[secrets]` out.
 *
 * @module
 */

import { createPublicKey } from 'node:crypto'
import { Command } from 'commander'
import { readKeyStores } from '../config/load.js'
import { encryptForKey, longestPlainText } from '../config/values/ciphertext.js'
import { formatKey } from '../config/values/key-path.js'
import { isPublishedKey } from '../core/key-stores.js'
import { loadKeyStore } from '../tls/key-stores/key-store.js'
import { CommandError, type CommandProcess, readSecret, runCommand } from './command.js'

interface EncryptOptions {
  readonly config: string
  readonly alias?: string
}

/** Only what belongs into the file goes to standard output. */
export function secretsCommand(process: CommandProcess): Command {
  const encrypt = new Command('encrypt')
    .description('Reads a secret from standard input and prints its ciphertext for [secrets].')
    .option('--config <file>', 'the configuration file', 'deployment.toml')
    .option('--alias <name>', 'print the whole line, with this name')
    .allowExcessArguments(false)
    .action((options: EncryptOptions) => runCommand(process, () => encryptSecret(options, process)))
  return new Command('secrets').description('Manages the secrets of a configuration file.').addCommand(encrypt)
}

async function encryptSecret({ config, alias }: EncryptOptions, process: CommandProcess): Promise<string> {
  if (alias !== undefined && !/^[^{}\p{Cc}]+$/u.test(alias)) {
    throw new CommandError('The alias must not be empty, and must have no braces and control characters.')
  }
  const { internal: keyStore } = await readKeyStores(config)
  const publicKey = createPublicKey((await loadKeyStore(keyStore)).key)
  if (publicKey.asymmetricKeyType !== 'rsa') {
    throw new CommandError(`${keyStore.key}: secrets are encrypted with an RSA key, and this one is of another kind.`)
  }
  if (isPublishedKey(publicKey)) {
    process.stderr.write(
      `Warning: ${keyStore.key} has the key that WSO2 publishes: anybody can decrypt this, and in production it is refused.\n`,
    )
  }
  const ciphertext = encryptForKey(await readSecret(process, 'Secret'), publicKey)
  if (ciphertext === undefined) {
    throw new CommandError(`The secret is longer than the ${longestPlainText(publicKey)} bytes that this key encrypts.`)
  }
  if (alias === undefined) return ciphertext
  process.stdout.write(`${formatKey([alias])} = "${ciphertext}"\n`)
  process.stderr.write(`Put this line below [secrets], and write $secret{${alias}} where the secret belongs.\n`)
  return ''
}
