import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../helpers/free-port.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Loading TypeScript through tsx takes a while on a busy machine. */
const startMs = 60_000

interface Example {
  readonly process: ChildProcess
  /** Everything written to stdout and stderr so far. */
  readonly output: () => string
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>
}

function run(environment: Record<string, string>, ...values: string[]): Example {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/management-api.ts', ...values], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      output += text
    })
  }
  onTestFinished(() => void child.kill('SIGKILL'))
  return { process: child, output: () => output, ended: once(child, 'close').then(([code]) => code as number | null) }
}

async function started(environment: Record<string, string> = {}): Promise<Example> {
  const example = run({ PORT: String(await freePort()), HTTPS_PORT: String(await freePort()), ...environment })
  await expect.poll(example.output, { timeout: startMs, interval: 100 }).toContain('Ctrl-C ends it.')
  return example
}

/** The commands that the example prints, as a reader would copy them; `curl -i` answers go through unchanged. */
function commandsIn(output: string): readonly string[] {
  return output.split('\n').filter((line) => /^ {2}(?:[A-Z]+=|curl )/.test(line))
}

const passwordIn = (output: string): string | undefined => /-u 'admin:([^']+)'/.exec(output)?.[1]

describe('examples/management-api.ts', () => {
  it('prints a session of curl that goes as it says, and ends at once with Ctrl-C', {
    timeout: 2 * startMs,
  }, async () => {
    const example = await started()
    expect(passwordIn(example.output()), 'a random password').toMatch(/^[\w-]{16}$/)
    const commands = commandsIn(example.output())
    expect(commands).toHaveLength(10)

    const script = commands.map((line) => (line.includes('curl -i') ? `${line.replace(/ #.*/, '')}\necho` : line))
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script.join('\n')], {
      timeout: startMs,
    })
    const statuses = [...stdout.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status))
    expect(statuses).toEqual([200, 401, 403, 200, 200, 401])
    const written = commands.flatMap((line) => [...line.matchAll(/# (\d{3})/g)].map(([, status]) => Number(status)))
    expect(written).toEqual([200, 401, 403, 200, 401])
    expect(stdout).toContain('{"subject":"reader","roles":[],"isAdmin":false}')
    expect(stdout).toContain('"name":"StockQuoteAPI"')
    expect(stdout).not.toContain('HealthcareAPI')

    // A connection that a browser keeps open: waiting for its end would take for ever.
    const [, port] = /127\.0\.0\.1:(\d+)/.exec(example.output())!
    const idle = connect(Number(port), '127.0.0.1').on('error', () => {})
    onTestFinished(() => void idle.destroy())
    await once(idle, 'connect')
    example.process.kill('SIGINT')
    expect(await example.ended).toBe(0)
  })

  it('takes the password that it is given', { timeout: 2 * startMs }, async () => {
    const example = await started({ ADMIN_PASSWORD: 'my-own-password-1' })
    expect(passwordIn(example.output())).toBe('my-own-password-1')
  })

  it('prints every mistake of another file and ends with code 1', { timeout: startMs }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-test-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const file = join(folder, 'deployment.toml')
    const lines = ['[management_api.cors]', 'enabled = "perhaps"', 'allowed_origin = "*"', '[managment_api]', 'x = 1']
    await writeFile(file, `${lines.join('\n')}\n`)
    const example = run({}, file)
    expect(await example.ended).toBe(1)
    const output = example.output()
    expect(output).toContain(`${file}:2:1 management_api.cors.enabled`)
    expect(output).toContain(`${file}:3:1 management_api.cors.allowed_origin`)
    expect(output).toContain('did you mean')
    expect(output).toMatch(/:4:\d+ managment_api/)
    expect(output).not.toContain('    at ')
  })
})
