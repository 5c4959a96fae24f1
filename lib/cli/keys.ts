/**
 * `sallyport keys`: the keys that tokens are signed with.
 *
 * @module
 */

import { Command } from 'commander'
import type { Config } from '../config/config.js'
import { parseDuration } from '../config/durations.js'
import { loadConfig } from '../config/load-config.js'
import { systemClock } from '../core/clock.js'
import { ConfigError } from '../core/errors.js'
import { type Rotation, rotateKeyFile } from '../tokens/rotate-key-file.js'
import { CommandError, type CommandProcess } from './read-password.js'
import { whileLocked } from './while-locked.js'

/** Options of `sallyport keys rotate`. */
interface RotateOptions {
  readonly config: string
  readonly reloadWithin: string
  readonly drop?: boolean
}

/** Life of the old key beyond its last token: within this time every process should have read the new one. */
const defaultReloadTime = '1h'

/**
 * Makes the command. The exit code is 0 when the keys were rotated, and 1 when they were not; then standard error says why.
 *
 * @param clock - Milliseconds since the epoch.
 */
export function keysCommand(process: CommandProcess, clock: () => number = systemClock): Command {
  const rotate = new Command('rotate')
    .description('Puts a new key into the key file. The old one verifies until its last token has expired.')
    .option('--config <file>', 'the configuration file', 'deployment.toml')
    .option('--reload-within <duration>', 'the time in which every server reads the new key', defaultReloadTime)
    .option('--drop', 'let the old key verify nothing any more: somebody else may have it')
    .allowExcessArguments(false)
    .action(async (options: RotateOptions) => {
      try {
        process.stdout.write(await rotateKeys(options, clock()))
      } catch (error) {
        if (!isExpected(error)) throw error
        process.stderr.write(`${error.message}\n`)
        process.exitCode = 1
      }
    })
  return new Command('keys').description('Manages the keys that tokens are signed with.').addCommand(rotate)
}

async function rotateKeys({ config: path, reloadWithin, drop = false }: RotateOptions, now: number): Promise<string> {
  const reloadMs = parseDuration(reloadWithin)
  if (reloadMs === undefined)
    throw new CommandError('--reload-within must be a duration with a unit, such as 90s or 1h.')
  const { token } = (await loadConfig(path)).managementApi
  const { algorithm = 'RS256', rsaBits, expirySeconds } = token
  const overlapSeconds = drop ? 0 : expirySeconds + reloadMs / 1000
  const keyFile = demandKeyFile(token, path)
  const options = { algorithm, rsaBits, overlapSeconds, now }
  return reportOf(await whileLocked(keyFile, () => rotateKeyFile(keyFile, options)), keyFile)
}

function demandKeyFile({ keyFile, keyStore }: Config['managementApi']['token'], path: string): string {
  if (keyFile !== undefined) return keyFile
  throw new CommandError(
    keyStore === undefined
      ? `${path}: each start makes its own key: there is none to rotate. To keep one, write key_file in token_config.`
      : `${path}: the key is in the key store "${keyStore}", which is changed with the tool that made it. Name the new ` +
          'store in token_config.keystore and the old one in previous_keystore, with previous_until for its end.',
  )
}

function reportOf({ kid, before }: Rotation, keyFile: string): string {
  if (before === undefined) return `Made the key ${kid} in ${keyFile}.\n`
  const end = before.isFinal
    ? 'verifies nothing any more'
    : `verifies until ${new Date(before.verifyUntil).toISOString()}`
  return (
    `Made the key ${kid} in ${keyFile}.\nThe key ${before.kid} ${end}.\n` +
    'A server that runs signs with the new key once it reloads its configuration.\n'
  )
}

function isExpected(error: unknown): error is Error {
  const isFileError = error instanceof Error && 'syscall' in error
  return isFileError || error instanceof CommandError || error instanceof ConfigError
}
