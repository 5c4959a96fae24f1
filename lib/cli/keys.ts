/**
 * `sallyport keys`: the keys that tokens are signed with.
 *
 * @module
 */

import { Command } from 'commander'
import type { Config } from '../config/config.js'
import { loadConfig } from '../config/load.js'
import { parseDuration } from '../config/values/durations.js'
import { systemClock } from '../core/clock.js'
import { withFileLock } from '../files/lock.js'
import { type Rotation, rotateKeyFile } from '../tokens/keys/key-file.js'
import { CommandError, type CommandProcess, runCommand } from './command.js'

interface RotateOptions {
  readonly config: string
  readonly reloadWithin: string
  readonly drop?: boolean
}

const defaultReloadTime = '1h'

/** Creates the command. @param clock - Milliseconds since the epoch. */
export function keysCommand(process: CommandProcess, clock: () => number = systemClock): Command {
  const rotate = new Command('rotate')
    .description('Puts a new key into the key file. The old one verifies until its last token has expired.')
    .option('--config <file>', 'the configuration file', 'deployment.toml')
    .option('--reload-within <duration>', 'the time in which every server reads the new key', defaultReloadTime)
    .option('--drop', 'let the old key verify nothing any more: somebody else may have it')
    .allowExcessArguments(false)
    .action((options: RotateOptions) => runCommand(process, () => rotateKeys(options, clock())))
  return new Command('keys').description('Manages the keys that tokens are signed with.').addCommand(rotate)
}

async function rotateKeys({ config: path, reloadWithin, drop = false }: RotateOptions, now: number): Promise<string> {
  const reloadMs = parseDuration(reloadWithin)
  if (reloadMs === undefined)
    throw new CommandError('--reload-within must be a duration with a unit, such as 90s or 1h.')
  const { token } = (await loadConfig(path)).managementApi
  const { algorithm, rsaBits, expiryMs } = token
  const overlapMs = drop ? 0 : expiryMs + reloadMs
  const keyFile = requireKeyFile(token, path)
  const options = { algorithm, rsaBits, overlapMs, now }
  return describeRotation(await withFileLock(keyFile, () => rotateKeyFile(keyFile, options)), keyFile)
}

function requireKeyFile({ keyFile, keyStore }: Config['managementApi']['token'], path: string): string {
  if (keyFile !== undefined) return keyFile
  throw new CommandError(
    keyStore === undefined
      ? `${path}: each start makes its own key: there is none to rotate. To keep one, write key_file in token_config.`
      : `${path}: the key is in the key store "${keyStore}", which is changed with the tool that made it. Name the new ` +
          'store in token_config.keystore and the old one in previous_keystore, with previous_until for its end.',
  )
}

function describeRotation({ kid, before }: Rotation, keyFile: string): string {
  if (before === undefined) return `Made the key ${kid} in ${keyFile}.`
  const end = before.isFinal
    ? 'verifies nothing any more'
    : `verifies until ${new Date(before.verifyUntil).toISOString()}`
  return (
    `Made the key ${kid} in ${keyFile}.\nThe key ${before.kid} ${end}.\n` +
    'A server that runs signs with the new key once it reloads its configuration.'
  )
}
