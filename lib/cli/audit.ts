/**
 * `sallyport audit`: verifies and shows the audit trail, and prints the key that its checkpoints are signed with.
 *
 * @module
 */

import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { checkpointSeed } from '../app/open-audit-trail.js'
import { readAnchors } from '../audit/anchor-file.js'
import { createCheckpointKey } from '../audit/checkpoint.js'
import { listTrailFiles } from '../audit/trail-files.js'
import { type TrailVerdict, verifyTrail } from '../audit/verify-trail.js'
import type { Config } from '../config/config.js'
import { loadConfig } from '../config/load.js'
import { systemClock } from '../core/clock.js'
import { readTokenKeys } from '../tokens/keys/token-keys.js'
import { addShowOptions, type ShowOptions, showRecords } from './audit-show.js'
import { CommandError, type CommandProcess, exitCodes, runCommand } from './command.js'
import { printable, printableJson } from './output.js'

interface VerifyCommandOptions {
  readonly config?: string
  readonly anchor?: string
  readonly jwks?: string
  readonly key?: string
  readonly part?: boolean
  readonly json?: boolean
}

/** Creates the command. @param clock - Milliseconds since the epoch. */
export function auditCommand(process: CommandProcess, clock: () => number = systemClock): Command {
  const verify = new Command('verify')
    .description('Verifies a trail: no line is changed, missing or out of place. The exit code is 1 where one is.')
    .argument('[files...]', 'all files of the trail, in any order')
    .option('--config <file>', 'the configuration file: names the files, the anchor and the key')
    .option('--anchor <file or text>', 'checkpoints that were kept elsewhere: with them a missing end is found')
    .option('--jwks <file>', 'the public keys, as "sallyport audit key" prints them')
    .option('--key <file>', 'a public key as PEM or JWK')
    .option('--part', 'the files are a part of the trail: do not miss what is before')
    .option('--json', 'print JSON')
    .action((files: string[], options: VerifyCommandOptions) =>
      runCommand(process, () => verifyFiles(process, files, options)),
    )
  const show = new Command('show')
    .description('Shows records of a trail, the newest last.')
    .argument('[file]', 'the file that is written; those that were rotated from it are searched too')
    .action((file: string | undefined, options: ShowOptions) =>
      runCommand(process, async () => {
        const path = file ?? (options.config === undefined ? undefined : fileIn(await loadConfig(options.config)))
        if (path === undefined) throw new CommandError('Name the file of the trail, or --config FILE.', exitCodes.usage)
        return showRecords(process, path, options, clock())
      }),
    )
  addShowOptions(show)
  const key = new Command('key')
    .description('Prints the public key of the checkpoints as a JWK Set, for who verifies them elsewhere.')
    .option('--config <file>', 'the configuration file', 'deployment.toml')
    .allowExcessArguments(false)
    .action(({ config }: { readonly config: string }) =>
      runCommand(process, async () => {
        const found = await keyIn(await loadConfig(config))
        if (found !== undefined) return printableJson({ keys: [found] })
        throw new CommandError(
          `${config}: each start makes its own key, which the log names. To keep one, write key_file in token_config.`,
        )
      }),
    )
  return new Command('audit')
    .description('Verifies and shows the audit trail.')
    .addCommand(verify)
    .addCommand(show)
    .addCommand(key)
}

function fileIn({ auditTrail, path }: Config): string {
  if (auditTrail.file !== undefined) return auditTrail.file
  throw new CommandError(`${path}: [audit_trail] has no file.`, exitCodes.usage)
}

/** `undefined`: the key of each process is its own. */
async function keyIn(config: Config): Promise<(JsonWebKey & { readonly kid: string }) | undefined> {
  const { keyFile, keyStore } = config.managementApi.token
  if (keyFile === undefined && keyStore === undefined) return undefined
  const { publicJwk } = await createCheckpointKey(checkpointSeed(config, await readTokenKeys(config)))
  return publicJwk as JsonWebKey & { readonly kid: string }
}

async function verifyFiles(
  process: CommandProcess,
  files: readonly string[],
  options: VerifyCommandOptions,
): Promise<string> {
  const config = options.config === undefined ? undefined : await loadConfig(options.config)
  // `audit.log*` finds the lock of the process that writes too.
  const named = files.filter((path) => !files.some((file) => path === `${file}.lock`))
  const paths = named.length > 0 ? named : config === undefined ? [] : await listTrailFiles(fileIn(config))
  if (paths.length === 0) throw new CommandError('Name the files of the trail, or --config FILE.', exitCodes.usage)
  const keys = await readKeys(options, config)
  const anchors = readAnchor(options.anchor, config)
  const verdict = await verifyTrail(paths, { keys, anchors, isPart: options.part })
  if (verdict.problemCount > 0) process.exitCode = exitCodes.failed
  return options.json === true ? printableJson(verdict) : describe(verdict, keys !== undefined, anchors !== undefined)
}

async function readKeys(
  { jwks, key }: VerifyCommandOptions,
  config: Config | undefined,
): Promise<ReadonlyMap<string, KeyObject> | undefined> {
  if (jwks !== undefined && key !== undefined)
    throw new CommandError('Write --jwks or --key, not both.', exitCodes.usage)
  if (key !== undefined) return new Map([['', readKey(key, readFileSync(key, 'utf8'))]])
  const own = jwks === undefined && config !== undefined ? await keyIn(config) : undefined
  if (jwks === undefined) return own && new Map([[own.kid, createPublicKey({ key: own, format: 'jwk' })]])
  const { keys } = parseJson(jwks, readFileSync(jwks, 'utf8')) as { readonly keys?: unknown }
  if (!Array.isArray(keys)) throw new CommandError(`${jwks} is no JWK Set.`, exitCodes.usage)
  return new Map(keys.map((jwk) => [String(jwk.kid ?? ''), publicKeyFrom(jwks, { key: jwk, format: 'jwk' })]))
}

function readKey(file: string, text: string): KeyObject {
  return publicKeyFrom(
    file,
    text.includes('-----BEGIN') ? text : { key: parseJson(file, text) as JsonWebKey, format: 'jwk' },
  )
}

function publicKeyFrom(file: string, source: Parameters<typeof createPublicKey>[0]): KeyObject {
  try {
    return createPublicKey(source)
  } catch (cause) {
    throw new CommandError(`${file} has no public key that can be read: ${(cause as Error).message}`, exitCodes.usage)
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new CommandError(`${file} is no JSON.`, exitCodes.usage)
  }
}

/** A checkpoint has no slash, and a file none of its form. */
function readAnchor(anchor: string | undefined, config: Config | undefined): readonly string[] | undefined {
  const own = config?.auditTrail.anchorFile
  if (anchor === undefined) return own === undefined ? undefined : readAnchors(readOwnAnchor(own))
  return readAnchors(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(anchor.trim()) ? anchor : readFileSync(anchor, 'utf8'))
}

/** One that is missing may have been removed: then nothing shows that the end was not cut off. */
function readOwnAnchor(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CommandError(
      `audit_trail.anchor_file cannot be read, so nothing was verified: ${(cause as Error).message}. --anchor names another one.`,
    )
  }
}

function describe(verdict: TrailVerdict, hasKeys: boolean, hasAnchors: boolean): string {
  const { lines, first, last, signedLate, checkpoints, anchors, problems, problemCount } = verdict
  const found = problems.map(
    ({ file, line, message }) => `${printable(file)}${line === undefined ? '' : `:${line}`}: ${printable(message)}`,
  )
  if (problemCount > problems.length) found.push(`${problemCount - problems.length} more problems are not shown.`)
  return [
    ...found,
    problemCount > 0
      ? `NOT SOUND: ${count(problemCount, 'problem')} in ${count(lines, 'line')}.`
      : `Sound: ${count(lines, 'line')}, ${first} to ${last}, each in its place and as it was written.`,
    hasKeys
      ? describeSigned(verdict)
      : `${count(checkpoints, 'checkpoint')}, not verified: without --jwks or --key nothing shows that the whole was not written anew.`,
    ...(signedLate === 0
      ? []
      : [
          `${count(signedLate, 'line')} before a start had no signature yet: who stopped or killed the process could have written them anew.`,
        ]),
    hasAnchors ? `${count(anchors, 'anchor')} compared.` : 'No anchor: nothing shows that the end was not cut off.',
  ].join('\n')
}

function describeSigned({ last, signedThrough, signedAt, checkpoints }: TrailVerdict): string {
  if (checkpoints === 0) return 'Not signed yet: nothing shows who wrote the lines.'
  const unsigned = last - signedThrough
  const signed = `Signed up to line ${signedThrough}${signedAt === undefined ? '' : `, at ${printable(signedAt)}`}.`
  return unsigned === 0 ? signed : `${signed} The ${count(unsigned, 'line')} after it could have been written anew.`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
