/** examples/sockets.ts, in two tabs of a browser. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import { startChromium } from '../helpers/chromium.js'
import { freePort } from '../helpers/free-port.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const patience = { timeout: 30_000 }

it('says in one tab that its connections have ended when the other one signs out', async () => {
  const port = String(await freePort())
  const example = spawn(process.execPath, ['--import', 'tsx', 'examples/sockets.ts'], {
    cwd: root,
    env: { ...process.env, PORT: port, ADMIN_PASSWORD: 'Correct-horse-1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void example.kill('SIGKILL'))
  await once(example.stdout, 'data')
  const browser = await startChromium()
  onTestFinished(() => browser.close())
  const context = await browser.newContext()
  const log = (page: Page): Promise<string | null> => page.locator('#log').textContent()

  const first = await context.newPage()
  await first.goto(`http://127.0.0.1:${port}/desk`)
  await first.getByLabel('User name').fill('admin')
  await first.getByLabel('Password').fill('Correct-horse-1')
  await first.getByRole('button', { name: 'Sign in' }).click()
  await expect.poll(() => log(first), patience).toContain('socket: hello, admin')
  const second = await context.newPage()
  await second.goto(`http://127.0.0.1:${port}/desk`)
  await expect.poll(() => log(second), patience).toContain('event: hello, admin')
  await expect.poll(() => log(second), patience).toContain('socket: hello, admin')

  await second.evaluate("document.querySelector('form').requestSubmit()")
  await expect.poll(() => log(first), patience).toContain('socket ended: 4401')
  await expect.poll(() => log(first), patience).toContain('events ended')

  const ended = once(example, 'exit')
  example.kill('SIGINT')
  expect(await ended).toEqual([0, null])
})
