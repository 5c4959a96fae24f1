/**
 * Which server a command means, and the token for it.
 *
 * @module
 */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CommandError, type CommandProcess, exitCodes } from '../command.js'
import { createServerClient, readServerUrl, type ServerClient } from './client.js'
import { readSignIns, signInsFile } from './credentials.js'

export interface ServerOptions {
  readonly server?: string
  readonly caFile?: string
}

/** Adds `--server` and `--ca-file`. */
export function addServerOptions(command: Command): Command {
  return command
    .option('--server <url>', 'the management API of a running server (or SALLYPORT_SERVER)')
    .option('--ca-file <file>', "PEM of the authority of the server's certificate (or SALLYPORT_CA_FILE)")
}

export const readEnv = ({ env = process.env }: CommandProcess): NodeJS.ProcessEnv => env

/** The server that is named; `undefined`: none is. */
export function namedServer(options: ServerOptions, env: NodeJS.ProcessEnv): string | undefined {
  const named = options.server ?? (env['SALLYPORT_SERVER'] || undefined)
  return named === undefined ? undefined : readServerUrl(named)
}

/** Reads a PEM file. @throws {@link CommandError} for one that cannot be read, or has no certificate. */
export function readCaFile(path: string): string {
  const text = readFileSync(path, 'utf8')
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new CommandError(`${path} has no certificate in PEM form.`, exitCodes.usage)
}

/** The absolute path of the file that is named; `undefined`: none is. */
export function namedCaFile({ caFile }: ServerOptions, env: NodeJS.ProcessEnv): string | undefined {
  const named = caFile ?? (env['SALLYPORT_CA_FILE'] || undefined)
  return named === undefined ? undefined : resolve(named)
}

/**
 * The client for the server that is named, or for the only one that the user is signed in to. `SALLYPORT_TOKEN` goes before what
 * `sallyport login` has kept.
 */
export function connectServer(options: ServerOptions, process: CommandProcess): ServerClient {
  const env = readEnv(process)
  const signIns = readSignIns(signInsFile(env))
  const url = namedServer(options, env) ?? onlyServer([...signIns.keys()])
  const signIn = signIns.get(url)
  const token = env['SALLYPORT_TOKEN'] || signIn?.token
  const signInCommand = `sallyport login --server ${url} --user ${signIn?.user ?? 'NAME'}`
  if (token === undefined) {
    throw new CommandError(`You are not signed in to ${url}: ${signInCommand}`, exitCodes.signedOut)
  }
  if (!/^[\x21-\x7e]+$/.test(token)) throw new CommandError('SALLYPORT_TOKEN is no token.', exitCodes.usage)
  const caFile = namedCaFile(options, env) ?? signIn?.caFile
  return createServerClient({
    url,
    authorization: `Bearer ${token}`,
    ca: caFile === undefined ? undefined : readCaFile(caFile),
    signedOut: () => new CommandError(`Your sign-in to ${url} has ended: ${signInCommand}`, exitCodes.signedOut),
  })
}

function onlyServer(urls: readonly string[]): string {
  if (urls.length === 1) return urls[0]!
  const which =
    urls.length === 0
      ? ' You are signed in to none: sallyport login --server URL --user NAME'
      : ` You are signed in to ${urls.join(', ')}.`
  throw new CommandError(`Which server? Write --server URL, or set SALLYPORT_SERVER.${which}`, exitCodes.usage)
}
