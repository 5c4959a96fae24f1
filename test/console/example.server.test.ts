/** examples/operators-page.ts, and `sallyport serve` with a file that has the page. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { freePort } from '../helpers/free-port.js'
import { folderWith } from '../helpers/key-files.js'
import { type RawAnswer, requestBytes, sendRaw } from '../helpers/raw-http.js'
import { navigation, ownScript } from './console-front.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const password = 'Correct-horse-1'

/** Starts a program that prints a line when it listens, and ends it with the test. */
async function start(args: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    cwd: root,
    env: { ...process.env, ADMIN_PASSWORD: password, READER_PASSWORD: password, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [text] = await once(child.stdout.setEncoding('utf8'), 'data')
  return { child, text: String(text) }
}

function signIn(port: number): Promise<RawAnswer> {
  const body = new URLSearchParams({ username: 'admin', password }).toString()
  const headers = ['Content-Type: application/x-www-form-urlencoded', ...navigation, 'Origin: http://front.test']
  return sendRaw(port, requestBytes('POST', '/ops/login', headers, body))
}

it('examples/operators-page.ts has the page on a port of its own', async () => {
  const [port, pagePort] = [await freePort(), await freePort()]
  const { child, text } = await start(['examples/operators-page.ts'], {
    PORT: String(port),
    PAGE_PORT: String(pagePort),
  })
  expect(text).toContain(`http://127.0.0.1:${pagePort}/ops`)
  const login = await signIn(pagePort)
  expect([login.status, login.header('location')]).toEqual([303, '/ops/'])
  const cookie = `Cookie: ${login.header('set-cookie')!.split(';')[0]}`
  const sessions = await sendRaw(pagePort, requestBytes('GET', '/ops/api/sessions', [cookie, ...ownScript]))
  expect(sessions.json()).toMatchObject({ count: 1, list: [{ user: 'admin', kind: 'portal' }] })
  expect((await sendRaw(port, requestBytes('GET', '/ops/', [cookie]))).status).toBe(404)
  expect((await sendRaw(pagePort, requestBytes('GET', '/management/apis', []))).status).toBe(404)
  const ended = once(child, 'exit')
  child.kill('SIGINT')
  expect(await ended).toEqual([0, null])
})

it('sallyport serve has the page where the file enables it, and says where', async () => {
  const toml = `
[operator_console]
enable = true
[management_api]
protocols = "http"
[[internal_apis.users]]
user.name = "admin"
user.password = "$env{ADMIN_PASSWORD}"
user.is_admin = true
`
  const port = await freePort()
  const file = join(folderWith({ 'deployment.toml': toml }), 'deployment.toml')
  const { text } = await start(['lib/cli/main.ts', 'serve', file, '--port', String(port)], {})
  expect(text).toContain(`The operators' page is at http://127.0.0.1:${port}/ops`)
  expect((await signIn(port)).status).toBe(303)
})
