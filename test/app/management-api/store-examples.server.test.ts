/** The examples with a database and with a directory, run as their comments say, in a copy: the first one makes a file. */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../helpers/free-port.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Far more than starting an example takes, so that a busy machine fails nothing. */
const startMs = 60_000

/** A folder with a copy of some files of `examples/`, as if the package were installed beside them. */
async function copyOf(...files: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-examples-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 30 }))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  for (const file of files) await copyFile(join(root, 'examples', file), join(folder, file))
  return folder
}

/** An example under way. */
interface Example {
  readonly process: ChildProcess
  readonly output: () => string
}

/** Runs a command line until the test ends, and waits until the example listens. */
async function start(folder: string, commandLine: string): Promise<Example> {
  const child = spawn('bash', ['-c', commandLine], {
    cwd: folder,
    env: {
      ...process.env,
      PATH: `${process.env['PATH']}:/usr/sbin`,
      PORT: String(await freePort()),
      TMPDIR: folder,
      TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it starts ends with it.
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const closed = once(child, 'close')
  onTestFinished(async () => {
    try {
      process.kill(-child.pid!, 'SIGKILL')
    } catch {
      // Everything has ended already.
    }
    await closed
  })
  await expect.poll(() => output, { timeout: startMs, interval: 100 }).toContain('Ctrl-C ends it.')
  return { process: child, output: () => output }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Runs the commands that an example prints, as a reader would copy them. Gives the statuses, and those in the comments. */
async function paste(output: string, environment: Record<string, string> = {}) {
  const lines = output.split('\n').filter((line) => /^ {2}(?:[A-Z]+=|call|curl )/.test(line))
  const script = lines.map((line) => (line.startsWith('  curl') ? `${line.replace(/ #.*/, '')}; echo` : line))
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script.join('\n')], {
    env: { ...process.env, ...environment },
    timeout: startMs,
  })
  return {
    stdout,
    statuses: [...stdout.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status)),
    promised: lines.flatMap((line) => [...line.matchAll(/# (\d{3})/g)].map(([, status]) => Number(status))),
  }
}

describe('examples/sql.ts', () => {
  it('makes a database with an administrator once, and goes as it prints', async () => {
    const folder = await copyOf('sql.ts', 'sql.toml')
    const first = await start(folder, 'exec node --import tsx sql.ts')
    const { statuses, promised, stdout } = await paste(first.output())
    expect(statuses).toEqual([200, 200, 200])
    expect(statuses).toEqual(promised)
    expect(stdout).toContain('{"count":2,"list":[{"userId":"admin"},{"userId":"alice"}]}')
    const ended = once(first.process, 'exit')
    first.process.kill('SIGINT')
    expect(await ended).toEqual([0, null])

    const second = await start(folder, 'exec node --import tsx sql.ts')
    expect(second.output()).toContain("'admin:PASSWORD-OF-THE-FIRST-START'")
    const password = /-u 'admin:([\w-]+)'/.exec(first.output())![1]!
    const again = await paste(second.output().replace('PASSWORD-OF-THE-FIRST-START', password))
    expect(again.statuses).toEqual([200, 200, 200])
  })
})

describe('examples/ldap.ts', () => {
  it('logs in at the directory of examples/slapd.sh, and goes as it prints', async () => {
    const folder = await copyOf('ldap.ts', 'ldap.toml')
    const script = await readFile(join(root, 'examples/slapd.sh'), 'utf8')
    expect(script).toContain(':3389')
    // The one thing that is not as it stands there: somebody may use that port on this machine.
    const port = await freePort()
    await writeFile(join(folder, 'slapd.sh'), script.replaceAll(':3389', `:${port}`))
    const tell = 'echo "LDAP_PASSWORD is $LDAP_PASSWORD."'
    const example = await start(folder, `. ./slapd.sh && ${tell} && node --import tsx ldap.ts`)
    await expect.poll(() => isListening(port), { timeout: startMs }).toBe(true)
    const [, password = ''] = /LDAP_PASSWORD is (\w+)\./.exec(example.output())!
    const { statuses, promised, stdout } = await paste(example.output(), { LDAP_PASSWORD: password })
    expect(statuses).toEqual([200, 200, 200])
    expect(statuses).toEqual(promised)
    expect(stdout).toContain('"subject":"admin","roles":["Internal/everyone","admin"],"isAdmin":true')
    expect(stdout).toContain('{"count":1,"list":[{"userId":"admin"}]}')
  })
})
