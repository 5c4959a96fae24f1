/** examples/nginx.ts and examples/http2.ts, run as their comments say, with the nginx, openssl and curl of this machine. */

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { freePort } from '../helpers/free-port.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Far more than starting an example takes, so that a busy machine fails nothing. */
const startMs = 60_000

async function startExample(file: string) {
  const port = String(await freePort())
  const example = spawn(process.execPath, ['--import', 'tsx', file], {
    cwd: root,
    env: { ...process.env, PORT: port, ADMIN_PASSWORD: 'Correct-horse-1' },
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
  const lines = output.split('\n').filter((line) => /^ {2}(?:[A-Z]+=|curl )/.test(line))

  return {
    origin: `https://localhost:${port}`,
    /** The statuses that the comments behind the commands promise. */
    promised: lines.flatMap((line) => [...line.matchAll(/# (\d{3})/g)].map(([, status]) => Number(status))),

    /** Runs the commands as a reader would copy them, and further ones. */
    async paste(...further: readonly string[]) {
      const script = [...lines.map((line) => line.replace(/ +# \d.*/, '; echo')), ...further].join('\n')
      const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { timeout: startMs })
      return { stdout, statuses: [...stdout.matchAll(/^HTTP\/\S+ (\d{3})/gm)].map(([, status]) => Number(status)) }
    },

    async end() {
      const ended = once(example, 'exit')
      example.kill('SIGINT')
      expect(await ended).toEqual([0, null])
    },
  }
}

it('examples/nginx.ts prints commands that go as they say, lets people sign in, and ends with Ctrl-C', async () => {
  const { origin, promised, paste, end } = await startExample('examples/nginx.ts')
  const form = '-d username=admin -d password=Correct-horse-1'
  const { stdout, statuses } = await paste(`curl -i --cacert $CA -H 'Origin: ${origin}' ${form} ${origin}/desk/login`)
  expect(promised).toEqual([200, 200, 403])
  expect(statuses).toEqual([...promised, 303])
  expect(stdout.match(/\{"subject":"admin","address":"127\.0\.0\.1"\}/g)).toHaveLength(2)
  expect(stdout).toContain('Set-Cookie: __Host-sallyport-desk=')
  await end()
})

it('examples/http2.ts prints commands that go as they say, over HTTP/2 and HTTP/1.1, and ends with Ctrl-C', async () => {
  const { promised, paste, end } = await startExample('examples/http2.ts')
  const { stdout, statuses } = await paste()
  expect(promised).toEqual([200, 200, 200, 401])
  expect(statuses).toEqual(promised)
  expect(stdout).toContain('{"caller":"admin","protocol":"2.0"}')
  expect(stdout).toContain('{"caller":"admin","protocol":"1.1"}')
  await end()
})

it.each([
  ['docs/proxies.md', 'examples/nginx.conf', /^ *location [\s\S]*?^ *\}/m],
  ['docs/http2.md', 'examples/http2.ts', /^function overHttp2[\s\S]*?^\}/m],
])('%s shows what %s has', (page, example, part) => {
  const [shown, used] = [page, example].map((file) => {
    const [text = file] = part.exec(readFileSync(root + file, 'utf8')) ?? []
    return text.split('\n').map((line) => line.trim())
  })
  expect(shown).toEqual(used)
})
