/** Starts a database server of the distribution in a folder of its own, and ends it by its pid. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.js'
import { holdProcess } from './hold-process.js'

/** A database server for tests, on the loopback interface. */
export interface DatabaseServer {
  readonly port: number
  readonly folder: string
  /** The server's process. */
  pid(): number
  /**
   * Sends a signal to the server. After one that ends it, it resolves when the process is gone; with SIGSTOP the server stands
   * still when the call returns.
   */
  signal(signal: NodeJS.Signals): Promise<void>
  /** Starts the server again with the same data. */
  start(): Promise<void>
  /** Ends the server and removes its folder. */
  stop(): Promise<void>
}

/** How a server is set up. The two command lines are made for the folder and the port. */
export interface ServerRecipe {
  /** The user whom a server is run as when the tests run as root: most servers refuse to run as root. */
  readonly user: string
  readonly prepare: (folder: string) => readonly (readonly string[])[]
  readonly command: (folder: string, port: number) => readonly string[]
  /** Resolves when a client is served. */
  readonly check: (port: number) => Promise<unknown>
}

/** Far more than any of them takes, so that a busy machine fails none. */
const startMs = 120_000

/** Starts a server and waits until it answers. */
export async function startDatabaseServer(recipe: ServerRecipe): Promise<DatabaseServer> {
  const account = accountOf(recipe.user)
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-db-'))
  if (account.uid !== undefined) chownSync(folder, account.uid, account.gid!)
  for (const [program, ...options] of recipe.prepare(folder)) {
    execFileSync(program!, options, { ...account, cwd: folder, stdio: 'pipe' })
  }
  const port = await freePort()
  let server: ChildProcess | undefined
  let output = ''

  function launch(): ChildProcess {
    const [program, ...options] = recipe.command(folder, port)
    const child = spawn(program!, options, { ...account, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output = (output + String(chunk)).slice(-4000)
      })
    }
    return child
  }

  async function start(): Promise<void> {
    const endsAt = Date.now() + startMs
    server = launch()
    for (;;) {
      try {
        await recipe.check(port)
        return
      } catch (error) {
        if (Date.now() > endsAt) throw new Error(`the server does not start: ${output}`, { cause: error })
        await delay(50)
        // After a kill, what is left of the last server may still hold its memory for a moment.
        if (server.exitCode !== null) server = launch()
      }
    }
  }

  async function signal(name: NodeJS.Signals): Promise<void> {
    const child = server
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    if (name === 'SIGSTOP') return holdProcess(child.pid!)
    child.kill(name)
    if (name === 'SIGKILL' || name === 'SIGTERM' || name === 'SIGQUIT' || name === 'SIGINT') await gone
  }

  const running: DatabaseServer = {
    port,
    folder,
    pid: () => server!.pid!,
    signal,
    start,
    async stop() {
      if (server?.pid !== undefined) await signal('SIGCONT')
      await signal('SIGKILL')
      rmSync(folder, { recursive: true, force: true, maxRetries: 30 })
    },
  }
  try {
    await start()
  } catch (error) {
    await running.stop()
    throw error
  }
  return running
}

/** Files of a throw-away authority and of a certificate that it gave to the host `localhost`, made in a folder. */
export interface TestCertificates {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

/** Makes keys and certificates with OpenSSL, once for a folder; the files belong to whom the folder belongs to. */
export function certificatesIn(folder: string): TestCertificates {
  const files = { ca: join(folder, 'ca.pem'), certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') }
  if (existsSync(files.certificate)) return files
  const caKey = join(folder, 'ca.key')
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const openssl = (...options: readonly string[]): void => {
    execFileSync('openssl', options, { stdio: 'pipe' })
  }
  openssl(...request, '-subj', '/CN=throw-away authority', '-keyout', caKey, '-out', files.ca)
  openssl(
    ...request,
    ...[
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost',
      '-addext',
      'basicConstraints=critical,CA:FALSE',
    ],
    ...['-CA', files.ca, '-CAkey', caKey, '-keyout', files.key, '-out', files.certificate],
  )
  const { uid, gid } = statSync(folder)
  for (const file of Object.values(files)) chownSync(file, uid, gid)
  return files
}

function accountOf(user: string): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const idOf = (option: string): number => Number(execFileSync('id', [option, user], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}
