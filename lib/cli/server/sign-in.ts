/**
 * `sallyport login` and `sallyport logout`: a token of a running server, for the commands that follow.
 *
 * @module
 */

import { Command } from 'commander'
import { CommandError, type CommandProcess, exitCodes, openSecrets, runCommand, type Secrets } from '../command.js'
import { printable } from '../output.js'
import { type Answer, createServerClient, type ServerClient } from './client.js'
import {
  addServerOptions,
  connectServer,
  namedCaFile,
  namedServer,
  readCaFile,
  readEnv,
  type ServerOptions,
} from './connect.js'
import { keepSignIn, readSignIns, signInsFile } from './credentials.js'

interface LoginOptions extends ServerOptions {
  readonly user: string
}

/** The password comes from `SALLYPORT_PASSWORD`, from the terminal, or from standard input: never from an argument. */
export function loginCommand(process: CommandProcess): Command {
  return addServerOptions(new Command('login'))
    .description(
      'Signs in to a running server, for the commands that name it. The password, and the code of a second factor, are asked for, or read from standard input.',
    )
    .requiredOption('--user <name>', 'your name there')
    .allowExcessArguments(false)
    .action((options: LoginOptions) => runCommand(process, () => login(options, process)))
}

async function login(options: LoginOptions, process: CommandProcess): Promise<string> {
  const { user } = options
  const env = readEnv(process)
  const url = namedServer(options, env)
  if (url === undefined) throw new CommandError('Which server? Write --server URL.', exitCodes.usage)
  if (user.includes(':')) throw new CommandError('HTTP Basic ends a name at the first colon.', exitCodes.usage)
  const file = signInsFile(env)
  // Whatever keeps the token from being kept is told before the password is asked for.
  const before = readSignIns(file).get(url)
  const caFile = namedCaFile(options, env) ?? before?.caFile
  const ca = caFile === undefined ? undefined : readCaFile(caFile)
  const secrets = openSecrets(process)
  const token = await (async () => {
    const password = env['SALLYPORT_PASSWORD'] || (await secrets.read('Password'))
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    const client = createServerClient({ url, authorization, ca, signedOut: wrongCredentials })
    return requestToken(client, secrets, process)
  })().finally(secrets.close)
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    throw new CommandError(`${url} answered without a token.`, exitCodes.unreachable)
  }
  await keepSignIn(file, url, { user, token, caFile })
  if (before !== undefined) await endToken(url, before.token, ca).catch(() => undefined)
  return `You are signed in to ${url} as ${printable(user)}.`
}

/** The password was right. */
class SecondFactorRequired extends CommandError {}

function wrongCredentials({ code, Error: message }: Answer): CommandError {
  return code === 'ERR_SECOND_FACTOR_REQUIRED'
    ? new SecondFactorRequired(printable(String(message)), exitCodes.signedOut)
    : new CommandError('The user name or the password is wrong.', exitCodes.signedOut)
}

/** The code comes from `SALLYPORT_OTP`, from the terminal, or from the next line of standard input. Only who has to show one is asked. */
async function requestToken(client: ServerClient, secrets: Secrets, process: CommandProcess): Promise<unknown> {
  const logIn = async (otp?: string): Promise<unknown> => (await client.call('POST', '/login', { otp }))['AccessToken']
  const required = await logIn().catch((error: unknown) => error)
  if (!(required instanceof SecondFactorRequired)) {
    if (required instanceof Error) throw required
    return required
  }
  const { stdin, stderr } = process
  const { SALLYPORT_OTP: given } = readEnv(process)
  // It also says who has no second factor to show a code of.
  if (!given && stdin.isTTY) stderr.write(`${required.message}\n`)
  const otp = (given || (await secrets.ask('Code')))?.trim()
  if (otp === '') {
    const places = 'the second line of standard input, or SALLYPORT_OTP'
    throw new CommandError(`${required.message} Here it is typed, or comes from ${places}.`, exitCodes.signedOut)
  }
  const wrong = new CommandError('The code is wrong, or was used before.', exitCodes.signedOut)
  // Others cannot be sent.
  if (otp === undefined || !/^[\x20-\x7e]+$/.test(otp)) throw wrong
  return logIn(otp).catch((error: unknown) => {
    const isWrong = error instanceof CommandError && error.exitCode === exitCodes.signedOut
    throw isWrong && !(error instanceof SecondFactorRequired) ? wrong : error
  })
}

/** A token that has ended already is no error. */
async function endToken(url: string, token: string, ca: string | undefined): Promise<void> {
  const ended = new CommandError('')
  const client = createServerClient({ url, authorization: `Bearer ${token}`, ca, signedOut: () => ended })
  await client.call('POST', '/logout', { isBodiless: true }).catch((error: unknown) => {
    if (error !== ended) throw error
  })
}

/** Where the server cannot be reached the token stays, so that the command can be repeated. */
export function logoutCommand(process: CommandProcess): Command {
  return addServerOptions(new Command('logout'))
    .description('Ends what login has begun.')
    .option('--forget', 'forget the token here, without telling the server')
    .allowExcessArguments(false)
    .action((options: ServerOptions & { readonly forget?: boolean }) =>
      runCommand(process, async () => {
        const env = readEnv(process)
        const file = signInsFile(env)
        const { url } = connectServer(options, process)
        const { token, caFile } = readSignIns(file).get(url) ?? {}
        if (token === undefined) throw new CommandError(`You are not signed in to ${url}.`, exitCodes.signedOut)
        const trusted = namedCaFile(options, env) ?? caFile
        if (options.forget !== true) await endToken(url, token, trusted === undefined ? undefined : readCaFile(trusted))
        await keepSignIn(file, url, undefined)
        return options.forget === true
          ? `Forgot the token of ${url}, which has not ended.`
          : `You are signed out of ${url}.`
      }),
    )
}
