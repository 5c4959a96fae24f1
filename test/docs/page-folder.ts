/** A folder in which the commands and servers of one page run as a reader would run them. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import { freePort } from '../helpers/free-port.js'
import { keyPair, pemOfKey } from '../helpers/key-files.js'
import { type FencedBlock, withTables } from './fenced-blocks.js'
import { readText, root } from './pages.js'

/** Far more than anything here takes, so that a busy machine fails nothing. */
const patienceMs = 60_000

/** The ports that the documentation uses. */
const documentedPorts = /9201|9443|9164|9464/g

/** The port of the second server of a program. */
const secondPort = /9202/g

/** Folders outside of the app's that the documentation uses. */
const outerFolders = /\/(?:var\/log\/my-app|mnt\/other-host)\//g

/** `npm install` finds what is there already, and `npx sallyport` is the package as it was built. */
const commands: Readonly<Record<string, string>> = {
  npm: `[ "$1" = install ] || { PATH=\${PATH#*:}; export PATH; exec npm "$@"; }
shift
for name do
  name=\${name%@[0-9]*}
  [ -e "$NODE_PACKAGES/$name" ] || { echo "npm install: there is no $name" >&2; exit 1; }
done`,
  npx: `[ "$1" = sallyport ] || { echo "npx $1: not in the documentation's tests" >&2; exit 1; }
shift
exec node "$NODE_PACKAGES/sallyport/dist/cli/main.js" "$@"`,
}

const routers = `import express from 'express'
export const [catalogue, orders, reports] = [1, 2, 3].map(() => express.Router())
`

export interface PageFolder {
  /** Runs the commands of a block; what a comment at the end of a line promises is compared. */
  run(block: FencedBlock): Promise<void>
  /** Runs a program; what a comment behind `console.log` promises is compared. */
  runProgram(block: FencedBlock): Promise<void>
  /** Starts the server of the page; it is ended with the test. */
  start(): Promise<void>
}

/** Whether a block is a program that serves. */
export const isServer = ({ language, text }: FencedBlock): boolean =>
  language === 'ts' && /createSecurity\([\s\S]*\.listen\(9/.test(text)

/** @param isNew - Whether the folder is for an app that the commands make. */
export async function openPageFolder(blocks: readonly FencedBlock[], isNew = false): Promise<PageFolder> {
  const base = mkdtempSync(join(tmpdir(), 'sallyport-page-'))
  onTestFinished(() => rmSync(base, { recursive: true }))
  const [packages, bin, app] = ['node_modules', 'bin', 'app'].map((name) => join(base, name)) as [
    string,
    string,
    string,
  ]
  for (const path of [packages, bin, app]) mkdirSync(path)
  for (const name of readdirSync(`${root}node_modules`)) {
    if (!name.startsWith('.')) symlinkSync(`${root}node_modules/${name}`, join(packages, name))
  }
  symlinkSync(root, join(packages, 'sallyport'))
  for (const [name, text] of Object.entries(commands)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  let folder = app
  const whereFile = join(base, 'where')
  const [port, otherPort] = [await freePort(), await freePort()]
  const asHere = (text: string) =>
    text.replace(documentedPorts, String(port)).replace(secondPort, String(otherPort)).replace(outerFolders, '')
  const environment = {
    ...process.env,
    PATH: `${bin}:${process.env['PATH']}`,
    NODE_PACKAGES: packages,
    NODE_ENV: '',
    XDG_CONFIG_HOME: join(base, 'config'),
  }
  let password = 'made-up-password'

  const write = (name: string, text: string) => writeFileSync(join(folder, name), asHere(text), { mode: 0o600 })
  write('package.json', '{"type":"module"}')
  if (!isNew) {
    const { key, certificate } = keyPair()
    write('cert.pem', certificate.toString())
    write('key.pem', pemOfKey(key))
    write('internal.pem', keyPair({ type: 'rsa' }).pem)
    write('token-key.pem', pemOfKey(keyPair({ type: 'rsa' }).key))
    write('netrc', `machine 127.0.0.1 login backup password ${password}\n`)
    write('routers.js', routers)
    const server = blocks.find(isServer)
    const configuration = readText('test/docs/example.toml')
    write('deployment.toml', server === undefined ? configuration : withTables(configuration, server))
    write('server.ts', server?.text ?? readText('test/docs/example-app.ts'))
    for (const block of blocks) {
      const name = block.notes.get('file')
      if (name !== undefined) write(name, withTables(block.text, block))
    }
  }

  return {
    async run(block) {
      const script = asHere(block.text).replaceAll('PASSWORD', password)
      const options = { cwd: folder, env: environment, timeout: patienceMs }
      const { stdout } = await promisify(execFile)(
        'bash',
        ['-euo', 'pipefail', '-c', `${withMarks(script)}\npwd > '${whereFile}'`],
        options,
      )
      comparePromises(block, stdout)
      password = /password of \w+ is (\S+)/i.exec(stdout)?.[1] ?? password
      folder = readFileSync(whereFile, 'utf8').trim()
    },
    async runProgram({ place, text }) {
      write('program.ts', text)
      const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'program.ts'], {
        cwd: folder,
        env: { ...environment, BACKUP_PASSWORD: password },
        timeout: patienceMs,
      })
      expect(stdout.trim().split('\n'), place).toEqual(printedBy(text))
    },
    async start() {
      const file = existsSync(join(folder, 'server.js')) ? 'server.js' : 'server.ts'
      write(file, readFileSync(join(folder, file), 'utf8'))
      const server = spawn(process.execPath, ['--import', 'tsx', file], {
        cwd: folder,
        env: environment,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      onTestFinished(async () => {
        const ended = once(server, 'exit')
        if (server.exitCode === null && server.kill('SIGKILL')) await ended
      })
      let errors = ''
      server.stderr.setEncoding('utf8').on('data', (text: string) => {
        errors += text
      })
      for (const end = Date.now() + patienceMs; !(await answers(port)); await sleep(100)) {
        if (server.exitCode !== null || Date.now() > end) throw new Error(`The server does not answer. ${errors}`)
      }
    },
  }
}

/** What the lines of a program print, by their comments. */
function printedBy(text: string): readonly string[] {
  return [...text.matchAll(/^console\.log\(.*\) +\/\/ (.*)$/gm)].map(([, value = '']) => value)
}

/** Whether a block is a program that says what it prints. */
export const isProgram = ({ language, text }: FencedBlock): boolean => language === 'ts' && printedBy(text).length > 0

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

/** What a line promises: a status, or a JSON text or a line of TOML, in which `...` stands for anything. */
const promise = /^(.*?\S) +# (\d{3}|\{.*\}|\w+ = ".*")$/

const promisingLines = (text: string) => text.split('\n').filter((line) => promise.test(line))

/** Prints a mark before and after each line that promises something. */
function withMarks(script: string): string {
  return script.replace(new RegExp(promise, 'gm'), (line) => `echo; echo '<<<'\n${line}\necho; echo '>>>'`)
}

function comparePromises({ place, text }: FencedBlock, output: string): void {
  const outputs = [...output.matchAll(/^<<<$(.*?)^>>>$/gms)].map(([, part = '']) => part.trim())
  const expected = promisingLines(text).map((line) => promise.exec(line)![2]!)
  expect(outputs, place).toHaveLength(expected.length)
  for (const [index, part] of outputs.entries()) {
    const words = expected[index]!.split('...').map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    const pattern = /^\d/.test(expected[index]!) ? `^HTTP/\\S+ ${expected[index]}` : `^${words.join('.*')}$`
    expect(part, `${place}: ${expected[index]}`).toMatch(new RegExp(pattern, 'm'))
  }
}
