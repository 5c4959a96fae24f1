/** examples/cluster.ts, run as its comment says but for the build. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { freePort } from '../helpers/free-port.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Far more than starting four processes takes, so that a busy machine fails nothing. */
const startMs = 60_000

it('prints commands that go as they say, and ends with Ctrl-C', async () => {
  const example = spawn(process.execPath, ['--import', 'tsx', 'examples/cluster.ts'], {
    cwd: root,
    env: { ...process.env, PORT: String(await freePort()) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void example.kill('SIGTERM'))
  let output = ''
  for (const stream of [example.stdout, example.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  await expect.poll(() => output, { timeout: startMs, interval: 100 }).toContain('Ctrl-C ends it.')

  const lines = output.split('\n').filter((line) => /^ {2}(?:[A-Z]+=|curl |for )/.test(line))
  const script = lines.map((line) => line.replace(/ {3,}# .*/, '')).join('\n')
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { timeout: startMs })
  for (const name of ['A', 'B', 'C'])
    expect(stdout).toContain(`{"subject":"admin","isAdmin":true,"answeredBy":"${name}"}`)
  expect(stdout).toContain('HTTP/1.1 200 OK')
  expect(stdout).toContain('401 401 401')

  const ended = once(example, 'exit')
  example.kill('SIGINT')
  expect(await ended).toEqual([0, null])
})
