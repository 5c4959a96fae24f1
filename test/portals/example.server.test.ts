/** examples/portal.ts, run as its comment says but for the build, which no command of curl needs. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { freePort } from '../helpers/free-port.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Far more than starting an example takes, so that a busy machine fails nothing. */
const startMs = 60_000

/** A copy of what the example needs: it leaves a certificate beside its file. */
async function copyOfExample(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-portal-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const name of ['package.json', 'tsconfig.json', 'examples/portal.ts', 'examples/portal.toml']) {
    await cp(join(root, name), join(folder, name))
  }
  for (const name of ['lib', 'node_modules']) await symlink(join(root, name), join(folder, name))
  return folder
}

it('prints a session of curl that goes as it says, and ends with Ctrl-C', async () => {
  const example = spawn(process.execPath, ['--import', 'tsx', 'examples/portal.ts'], {
    cwd: await copyOfExample(),
    env: { ...process.env, PORT: String(await freePort()) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void example.kill('SIGKILL'))
  let output = ''
  for (const stream of [example.stdout, example.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  await expect.poll(() => output, { timeout: startMs, interval: 100 }).toContain('Ctrl-C ends it.')

  const lines = output.split('\n').filter((line) => /^ {2}(?:[A-Z]+=|curl )/.test(line))
  const script = [...lines.map((line) => line.replace(/ # \d.*/, '; echo')), 'rm $JAR']
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script.join('\n')], {
    timeout: startMs,
  })
  const statuses = [...stdout.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status))
  const promised = lines.flatMap((line) => [...line.matchAll(/# (\d{3})/g)].map(([, status]) => Number(status)))
  expect(statuses).toEqual([401, 303, 303, 200, 200, 403, 204, 401])
  expect(promised).toEqual(statuses)
  expect(stdout).toContain('__Host-sallyport-management_console=')
  expect(stdout).toContain('{"subject":"admin","roles":["admin"],"isAdmin":true}')

  const ended = once(example, 'exit')
  example.kill('SIGINT')
  expect(await ended).toEqual([0, null])
})
