/**
 * `sallyport init`: a configuration file, a first administrator and a server, for the app in the working directory.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Command } from 'commander'
import { systemClock } from '../core/clock.js'
import { rotateKeyFile } from '../tokens/keys/key-file.js'
import { hashPassword } from '../users/passwords/password-hash.js'
import { isUserName } from '../users/user-store.js'
import { CommandError, type CommandProcess, readPassword, runCommand } from './command.js'
import { below, deploymentFile, serverFile, serverLines } from './init-templates.js'

/** What is asked. */
export interface InitAnswers {
  /** Path of the API; `/`: the app as a whole. */
  readonly mount: string
  /** Name of the administrator. */
  readonly admin: string
  /** Path of the pages that people sign in to; `undefined`: none. */
  readonly portal: string | undefined
}

interface InitOptions {
  readonly yes?: boolean
  readonly mount?: string
  readonly admin: string
  readonly portal?: string
}

/** What is known of the app. */
export interface App {
  readonly isModule: boolean
  readonly usesTypeScript: boolean
  /** What is missing of the packages. */
  readonly missing: readonly string[]
  /** The file that makes the app, as far as it can be found. */
  readonly entry: string | undefined
  /** Whether {@link entry} imports the package. */
  readonly usesSallyport: boolean
  /** What it passes to `listen`: a number, or the name of a variable. */
  readonly listensOn: string
  /** The port for a URL; `PORT` where it cannot be read. */
  readonly port: string
}

/** Segments that browsers and clients do not resolve away. */
const path = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$/

/** Never changes a file but `.gitignore`, to which it adds. @param folder - That of the app. */
export function initCommand(process: CommandProcess, folder: () => string): Command {
  const command = new Command('init')
    .description('Writes a deployment.toml, a key for tokens and a server for the app in this folder.')
    .option('--yes', 'ask nothing: take the options, and make a password')
    .option('--mount <path>', 'path of the API (default: "/" in an app that is there, else "/management")')
    .option('--admin <name>', 'name of the administrator', 'admin')
    .option('--portal <path>', 'path of pages that people sign in to')
    .allowExcessArguments(false)
  return command.action(() => runCommand(process, () => init(command.opts<InitOptions>(), process, folder())))
}

async function init(options: InitOptions, process: CommandProcess, folder: string): Promise<string> {
  const app = await readApp(folder)
  for (const name of ['deployment.toml', 'token-key.pem']) {
    if (existsSync(join(folder, name))) throw new CommandError(`${name} is there already: nothing was written.`)
  }
  const asks = options.yes !== true && process.stdin.isTTY
  if (options.yes !== true && !asks) throw new CommandError('There is no terminal to ask on: write --yes.')
  const { mount = app.entry === undefined ? '/management' : '/', admin, portal } = options
  const answers = asks ? await ask({ mount, admin, portal }, process) : { mount, admin, portal }
  assertAnswers(answers)
  const password = asks ? await readPassword(process) : randomBytes(15).toString('base64url')

  const file = deploymentFile(answers, await hashPassword(password))
  await rotateKeyFile(join(folder, 'token-key.pem'), {
    algorithm: 'ES256',
    rsaBits: 2048,
    overlapMs: 0,
    now: systemClock(),
  })
  await writeFile(join(folder, 'deployment.toml'), file, { flag: 'wx', mode: 0o600 })
  const wrote = ['deployment.toml', 'token-key.pem', ...(await ignoreSecrets(folder))]

  const server = `server.${app.usesTypeScript ? 'ts' : app.isModule ? 'js' : 'mjs'}`
  const isNew = app.entry === undefined && !existsSync(join(folder, server))
  if (isNew) {
    await writeFile(join(folder, server), serverFile(answers), { flag: 'wx' })
    wrote.push(server)
  }
  return [
    `Wrote ${wrote.join(', ')}.`,
    ...(asks ? [] : [`The password of ${answers.admin} is ${password}`]),
    ...(app.missing.length > 0 ? ['', `  npm install ${app.missing.join(' ')}`] : []),
    '',
    ...(app.usesSallyport ? linesForUser(answers, app) : linesForNew(answers, app, isNew ? server : undefined)),
  ].join('\n')
}

/** Where its API is mounted is not known. */
function linesForUser({ portal }: InitAnswers, { entry }: App): readonly string[] {
  const uses = `${entry} uses sallyport already: it has to read deployment.toml, and does so at its next start.`
  return portal === undefined ? [uses] : [uses, `Mount the pages in it: app.use('${portal}', security.portal('pages'))`]
}

/** `server`: the file that was written for it. */
function linesForNew(answers: InitAnswers, app: App, server: string | undefined): readonly string[] {
  return [
    ...(server === undefined
      ? [`Add to ${app.entry}:`, '', serverLines(answers, app)]
      : [`  ${app.usesTypeScript ? 'npx tsx' : 'node'} ${server}`]),
    '',
    `  curl -u ${quoted(answers.admin)} http://127.0.0.1:${app.port}${below(answers, '/login')}`,
  ]
}

async function readApp(folder: string): Promise<App> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined)
  if (text === undefined)
    throw new CommandError(
      'There is no package.json in this folder: run it in that of your app, or "npm init -y" first.',
    )
  const { type, main, dependencies = {}, devDependencies = {} } = parsePackage(text)
  const installed = { ...dependencies, ...devDependencies }
  const express = await installedVersion(folder, 'express')
  if (express !== undefined && !/^(?:4\.(?:2[1-9]|[3-9]\d)|5)\./.test(express))
    throw new CommandError(`Express ${express} is too old: Sallyport needs 4.21 or later, or 5.`)
  const usesTypeScript = 'typescript' in installed || existsSync(join(folder, 'tsconfig.json'))
  const candidates = [
    main,
    ...['server', 'app', 'index', 'src/server', 'src/app', 'src/index', 'src/main'].flatMap((name) => [
      `${name}.ts`,
      `${name}.js`,
      `${name}.mjs`,
    ]),
  ]
  const entry = candidates.find((name) => name !== undefined && existsSync(join(folder, name)))
  const missing = ['sallyport', 'express'].filter((name) => !(name in installed))
  if (usesTypeScript && !('tsx' in installed)) missing.push('tsx')
  const source = entry === undefined ? '' : await readFile(join(folder, entry), 'utf8').catch(() => '')
  const usesSallyport = /['"]sallyport(?:\/[\w-]+)?['"]/.test(source)
  return { isModule: type === 'module', usesTypeScript, missing, entry, usesSallyport, ...readListen(source) }
}

/** Of the first call of `listen` with a port. */
function readListen(source: string): Pick<App, 'listensOn' | 'port'> {
  const first = /\.listen\(\s*((?:[^\s,()]|\([^()]*\)|[ \t])+)/.exec(source)?.[1]?.trim() ?? '9201'
  const number = portIn(first)
  if (number !== undefined) return { listensOn: number, port: number }
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(first)) return { listensOn: '9201', port: '9201' }
  const name = first.replaceAll('$', '\\$')
  const value = new RegExp(`(?:const|let|var)\\s+${name}\\b[^=\\n]{0,40}=([^=\\n;]{1,200})`).exec(source)?.[1]
  return { listensOn: first, port: (value && portIn(value.trim())) ?? 'PORT' }
}

/** The number of `3000`, `'3000'`, `process.env.PORT ?? 3000` and `Number(process.env.PORT || '3000')`. */
function portIn(expression: string): string | undefined {
  return /^(?:.*(?:\?\?|\|\|))?\s*['"]?(\d{2,5})['"]?\)*$/.exec(expression)?.[1]
}

interface PackageJson {
  readonly type?: string
  readonly main?: string
  readonly version?: string
  readonly dependencies?: Record<string, string>
  readonly devDependencies?: Record<string, string>
}

function parsePackage(text: string): PackageJson {
  try {
    return JSON.parse(text) as PackageJson
  } catch (error) {
    throw new CommandError(`package.json cannot be read: ${(error as Error).message}`)
  }
}

async function installedVersion(folder: string, name: string): Promise<string | undefined> {
  const text = await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : parsePackage(text).version
}

async function ask({ mount, admin, portal }: InitAnswers, { stdin, stderr }: CommandProcess): Promise<InitAnswers> {
  const terminal = createInterface({ input: stdin, output: stderr })
  const question = async (text: string, standard: string): Promise<string> =>
    (await terminal.question(`${text} (${standard}): `)).trim() || standard
  try {
    const answers = {
      mount: await question('Path of the API', mount),
      admin: await question('Name of the administrator', admin),
      portal: await question('Path of pages that people sign in to, or none', portal ?? 'none'),
    }
    return { ...answers, portal: answers.portal === 'none' ? undefined : answers.portal }
  } finally {
    terminal.close()
  }
}

function assertAnswers({ mount, admin, portal }: InitAnswers): void {
  for (const each of [mount, portal ?? '/pages']) {
    if (!path.test(each) && !(each === '/' && each === mount))
      throw new CommandError(`"${each}" is no path: write one such as /management.`)
  }
  if (portal !== undefined && isWithin(mount, portal))
    throw new CommandError('The API needs a path that is not below that of the pages.')
  if (!isUserName(admin) || admin.includes(':'))
    throw new CommandError('That name cannot log in: write one without a colon.')
}

/** As Express compares: the case of letters does not count. */
function isWithin(path: string, folder: string): boolean {
  return `${path}/`.toLowerCase().startsWith(`${folder}/`.toLowerCase())
}

/** As one word for a shell of POSIX. */
function quoted(text: string): string {
  return /^[\w.@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** Adds the private key to `.gitignore`. */
async function ignoreSecrets(folder: string): Promise<readonly string[]> {
  const file = join(folder, '.gitignore')
  const text = await readFile(file, 'utf8').catch(() => '')
  if (text.split(/\r?\n/).includes('token-key.pem')) return []
  const separator = text === '' || text.endsWith('\n') ? '' : '\n'
  await appendFile(file, `${separator}token-key.pem\ntoken-key.pem.retired\n`)
  return ['.gitignore']
}
