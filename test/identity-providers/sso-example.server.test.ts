/** examples/sso.ts and examples/sso-provider.ts in Chromium: sign-ins at a real provider in another process, from several tabs, and the end of them. */

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { startChromium } from '../helpers/chromium.js'
import { freePort } from '../helpers/free-port.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

const passwords = {
  admin: 'the password of admin',
  alice: 'alice at Corporate',
  bob: 'bob at Corporate',
  eve: 'eve at C',
}

let example: ChildProcess
let chromium: Browser
let desk: string
let carbon: string
let provider: number
let output = ''

beforeAll(async () => {
  const [port, providerPort] = [await freePort(), await freePort()]
  const names = Object.entries(passwords).map(([name, password]) => [`${name.toUpperCase()}_PASSWORD`, password])
  example = spawn(process.execPath, ['--import', 'tsx', 'examples/sso.ts'], {
    cwd: root,
    env: { ...process.env, ...Object.fromEntries(names), PORT: String(port), PROVIDER_PORT: String(providerPort) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [example.stdout!, example.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  await vi.waitFor(() => expect(output).toContain('the provider listens on'), { timeout: 120_000, interval: 100 })
  ;[desk, carbon] = ['desk', 'carbon'].map((path) => `http://localhost:${port}/${path}`) as [string, string]
  provider = Number(/The provider is process (\d+)/.exec(output)![1])
  chromium = await startChromium()
})

afterAll(async () => {
  await chromium?.close()
  // It ends its provider, which the last test may have ended before.
  example?.kill('SIGTERM')
})

async function newBrowser(): Promise<BrowserContext> {
  const context = await chromium.newContext()
  onTestFinished(() => context.close())
  return context
}

/** Opens a page and goes to the provider. */
async function beginAt(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  await page.getByRole('link', { name: 'Sign in with Corporate' }).click()
  await page.getByRole('heading', { name: 'Corporate' }).waitFor()
  return page
}

async function enter(page: Page, user: 'alice' | 'bob' | 'eve'): Promise<void> {
  await page.getByLabel('User').fill(user)
  await page.getByLabel('Password').fill(passwords[user])
  await page.getByRole('button', { name: 'Sign in' }).click()
}

const rightsOn = async (page: Page): Promise<string> =>
  `${await page.locator('#subject').textContent()}: ${await page.locator('#rights').textContent()}`

it('signs in from two tabs at once, each to the page that it asked for, with groups as roles', async () => {
  const context = await newBrowser()
  const first = await beginAt(context, `${desk}/tickets?open=1`)
  const second = await beginAt(context, `${desk}/reports`)
  await enter(first, 'bob')
  await first.waitForURL(`${desk}/tickets?open=1`)
  expect(await rightsOn(first)).toBe('CORP/bob: agent')
  await enter(second, 'bob')
  await second.waitForURL(`${desk}/reports`)
  expect(await rightsOn(second)).toBe('CORP/bob: agent')
})

it('makes an administrator of a member of the group for it, who enters the console', async () => {
  const page = await beginAt(await newBrowser(), `${carbon}/`)
  await enter(page, 'alice')
  await page.waitForURL(`${carbon}/`)
  expect(await rightsOn(page)).toBe('CORP/alice: administrator')
})

it('says what to do to a user without a group that is a role, and to one who cancels', async () => {
  const page = await beginAt(await newBrowser(), `${desk}/`)
  await enter(page, 'eve')
  expect(await page.getByRole('alert').textContent()).toContain('has no access here. Ask for it')
  const cancelled = await beginAt(await newBrowser(), `${desk}/`)
  await cancelled.getByRole('button', { name: 'Cancel' }).click()
  expect(await cancelled.getByRole('alert').textContent()).toContain('was cancelled')
  expect(await cancelled.getByLabel('User name').count()).toBe(1)
})

it('ends both sessions with a sign-out here', async () => {
  const context = await newBrowser()
  const page = await beginAt(context, `${desk}/`)
  await enter(page, 'bob')
  await page.waitForURL(`${desk}/`)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Yes, sign me out' }).click()
  await page.waitForURL(`${desk}/login`)
  expect(await page.getByText('You are signed out.').count()).toBe(1)
  await page.getByRole('link', { name: 'Sign in with Corporate' }).click()
  // The session there is over as well.
  await page.getByLabel('Password').waitFor()
})

it('ends the session here with a sign-out at the provider', async () => {
  const context = await newBrowser()
  const page = await beginAt(context, `${desk}/`)
  await enter(page, 'bob')
  await page.waitForURL(`${desk}/`)
  const other = await context.newPage()
  await other.goto(`${new URL(/the provider listens on (\S+)/.exec(output)![1]!).origin}/session/end`)
  await other.getByRole('button', { name: 'Yes, sign me out' }).click()
  await other.getByText('Sign-out Success').waitFor()
  await page.goto(`${desk}/tickets`)
  expect(new URL(page.url()).pathname).toBe('/desk/login')
})

it('goes on without the provider: live sessions, and sign-ins with a password', async () => {
  const context = await newBrowser()
  const page = await beginAt(context, `${desk}/`)
  await enter(page, 'bob')
  await page.waitForURL(`${desk}/`)
  process.kill(provider, 'SIGSTOP')
  try {
    await page.goto(`${desk}/tickets`)
    expect(await rightsOn(page)).toBe('CORP/bob: agent')
    const local = await (await newBrowser()).newPage()
    await local.goto(`${carbon}/`)
    await local.getByLabel('User name').fill('admin')
    await local.getByLabel('Password').fill(passwords.admin)
    await local.getByRole('button', { name: 'Sign in' }).click()
    await local.waitForURL(`${carbon}/`)
    expect(await rightsOn(local)).toBe('admin: administrator')
  } finally {
    process.kill(provider, 'SIGCONT')
  }
  process.kill(provider, 'SIGKILL')
  await page.goto(`${desk}/tickets`)
  expect(await rightsOn(page)).toBe('CORP/bob: agent')
})
