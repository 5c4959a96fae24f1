/**
 * `sallyport secrets encrypt`: a secret in, its ciphertext for `[secrets]` out.
 *
 * @module
 */

import { createPublicKey, type KeyObject } from 'node:crypto'
import { Command } from 'commander'
import { formatKey } from '../config/key-path.js'
import { readKeyStores } from '../config/read-key-stores.js'
import { encryptForKey, longestPlainText } from '../config/secrets/ciphertext.js'
import { ConfigError } from '../core/errors.js'
import { isPublishedKey } from '../internal/published-key.js'
import { loadKeyStore } from '../tls/key-store.js'
import { askHidden } from './ask-hidden.js'
import { readLine } from './read-line.js'
import { CommandError, type CommandProcess } from './read-password.js'

/** Options of `sallyport secrets encrypt`. */
interface EncryptOptions {
  readonly config: string
  readonly alias?: string
}

/**
 * Makes the command. The secret comes from standard input, never from an argument, because other users of the machine can see
 * those. Only what belongs into the file goes to standard output. The exit code is 0, or 1 when nothing was encrypted; then
 * standard error says why.
 */
export function secretsCommand(process: CommandProcess): Command {
  const encrypt = new Command('encrypt')
    .description('Reads a secret from standard input and prints its ciphertext for [secrets].')
    .option('--config <file>', 'the configuration file', 'deployment.toml')
    .option('--alias <name>', 'print the whole line, with this name')
    .allowExcessArguments(false)
    .action(async (options: EncryptOptions) => {
      try {
        await printCiphertext(options, process)
      } catch (error) {
        if (!(error instanceof CommandError || error instanceof ConfigError)) throw error
        process.stderr.write(`${error.message}\n`)
        process.exitCode = 1
      }
    })
  return new Command('secrets').description('Manages the secrets of a configuration file.').addCommand(encrypt)
}

async function printCiphertext({ config, alias }: EncryptOptions, process: CommandProcess): Promise<void> {
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
  const ciphertext = encrypted(await readSecret(process), publicKey)
  if (alias === undefined) {
    process.stdout.write(`${ciphertext}\n`)
    return
  }
  process.stdout.write(`${formatKey([alias])} = "${ciphertext}"\n`)
  process.stderr.write(`Put this line below [secrets], and write $secret{${alias}} where the secret belongs.\n`)
}

function encrypted(secret: string, publicKey: KeyObject): string {
  const ciphertext = encryptForKey(secret, publicKey)
  if (ciphertext !== undefined) return ciphertext
  throw new CommandError(`The secret is longer than the ${longestPlainText(publicKey)} bytes that this key encrypts.`)
}

/** On a terminal it is asked for twice and not shown; otherwise the first line is read. */
async function readSecret({ stdin, stderr }: CommandProcess): Promise<string> {
  const secret = await (stdin.isTTY ? askHidden('Secret: ', stdin, stderr) : readLine(stdin))
  if (secret === undefined) throw new CommandError('The secret is not valid UTF-8.')
  if (secret === '') throw new CommandError('The secret is empty.')
  if (stdin.isTTY && (await askHidden('Again: ', stdin, stderr)) !== secret) {
    throw new CommandError('The secrets differ.')
  }
  return secret
}
