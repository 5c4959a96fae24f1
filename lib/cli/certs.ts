/**
 * `sallyport certs`: a certificate from an authority of one's own, or the request for one from a well-known authority.
 *
 * @module
 */

import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Command } from 'commander'
import { loadConfig } from '../config/load-config.js'
import { locateProblems } from '../config/locate-problems.js'
import { systemClock } from '../core/clock.js'
import { ConfigError } from '../core/errors.js'
import { canonicalPath } from '../internal/canonical-path.js'
import { replaceFile } from '../internal/replace-file.js'
import { loadKeyStore } from '../tls/key-store.js'
import { authorityFiles, makeServerCertificate } from '../tls/local-authority.js'
import { serverKeyStore } from '../tls/server-material.js'
import { makeCertificateRequest } from '../tls/x509/certificate-request.js'
import { isHostName } from '../tls/x509/names.js'
import { CommandError, type CommandProcess } from './read-password.js'
import { whileLocked } from './while-locked.js'

interface CertsOptions {
  readonly host?: readonly string[]
  readonly directory: string
}

interface RequestOptions extends CertsOptions {
  readonly config?: string
  readonly rsa?: boolean
}

/** File of a new private key for a request. */
const requestKeyFile = 'sallyport-server.key'

const hostOption = ['--host <name...>', 'host names and addresses that clients call the server by'] as const
const directoryOption = ['--directory <folder>', 'folder for the files', '.'] as const

/**
 * Makes the command. Private keys go to files that only their owner can read, never to standard output.
 *
 * The exit code is 0 when it was done and 1 when it was not; then standard error says why.
 *
 * @param now - Milliseconds since the epoch.
 */
export function certsCommand(process: CommandProcess, now: () => number = systemClock): Command {
  return new Command('certs')
    .description('Makes a certificate for a server, signed by an authority of your own in the same folder.')
    .option(...hostOption)
    .option(...directoryOption)
    .allowExcessArguments(false)
    .action(function (this: Command) {
      return run(process, () => certificateText(this.opts<CertsOptions>(), now()))
    })
    .addCommand(
      new Command('csr')
        .description('Prints the request for a certificate that a well-known authority signs.')
        .option(...hostOption)
        .option(...directoryOption)
        .option('--config <file>', 'use the private key of the key store that this configuration names')
        .option('--rsa', 'make an RSA key of 3072 bits; the default is ECDSA with P-256')
        .allowExcessArguments(false)
        .action(function (this: Command) {
          return run(process, () => requestText(this.optsWithGlobals<RequestOptions>(), process))
        }),
    )
}

async function run(process: CommandProcess, work: () => Promise<string>): Promise<void> {
  try {
    process.stdout.write(await work())
  } catch (error) {
    if (!(error instanceof Error)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  }
}

async function certificateText({ host, directory }: CertsOptions, now: number): Promise<string> {
  const hostNames = checkedHosts([...(host ?? []), 'localhost', '127.0.0.1', '::1'])
  const made = await whileLocked(join(directory, authorityFiles.key), () =>
    makeServerCertificate(directory, hostNames, now),
  )
  const { authorityFile, isNewAuthority, serverFile, certificate } = made
  return [
    `${authorityFile}: the authority${isNewAuthority ? ', which is new: give it to the clients' : ''}`,
    `${serverFile}: certificate and private key for ${hostNames.join(', ')}, good until ${certificate.validTo}`,
    '',
    'In deployment.toml, in the same folder:',
    '',
    '  [keystore.tls]',
    `  file_name = "${basename(serverFile)}"`,
    '',
    `Then: curl --cacert ${authorityFile} https://${hostNames[0]}:9164/management/jwks`,
    '',
  ].join('\n')
}

async function requestText(options: RequestOptions, process: CommandProcess): Promise<string> {
  const { config: file, host, directory } = options
  if (file !== undefined) {
    const config = await loadConfig(file)
    const hostNames = checkedHosts(host ?? [config.tls.hostName])
    const { key } = await loadKeyStore(serverKeyStore(config)).catch(async (error: unknown) => {
      throw error instanceof ConfigError ? await locateProblems(error, config) : error
    })
    return makeCertificateRequest(key, hostNames)
  }
  if (host === undefined) throw new CommandError('Name the host with --host, or the configuration with --config.')
  const hostNames = checkedHosts(host)
  const keyFile = join(directory, requestKeyFile)
  const key = await whileLocked(keyFile, () => writeNewKey(keyFile, options.rsa === true))
  process.stderr.write(
    `${keyFile} has the private key. With the certificate of the authority, write in [keystore.tls]:\n` +
      `file_name = "certificate.pem", key_file = "${requestKeyFile}"\n`,
  )
  return makeCertificateRequest(key, hostNames)
}

function writeNewKey(file: string, isRsa: boolean): KeyObject {
  // A key that an authority may already have certified is worth more than a new one.
  if (existsSync(file)) throw new CommandError(`${file} is there already: move it away, or name another folder.`)
  const key = newKey(isRsa)
  replaceFile(canonicalPath(file), key.export({ format: 'pem', type: 'pkcs8' }) as string)
  return key
}

function newKey(isRsa: boolean): KeyObject {
  return isRsa
    ? generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey
    : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

function checkedHosts(names: readonly string[]): readonly string[] {
  const wrong = names.find((name) => !isHostName(name))
  if (wrong !== undefined) throw new CommandError(`${JSON.stringify(wrong)} is no host name and no address.`)
  return [...new Set(names)]
}
