/** A portal on a real server, and browser windows of its users whose clocks go with the server's. */

import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import express from 'express'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { expect } from 'vitest'
import { createSecurity } from '../../lib/app/create-security.js'
import { getAuth } from '../../lib/core/auth.js'
import { serveBrowserModule } from '../helpers/browser-module.js'
import { certificatesIn } from '../helpers/database-server.js'
import { fileUsers } from '../helpers/front.js'

/** Idle time-out and longest life of the portal's sessions. */
export const idleMs = 15 * 60_000
export const longestLifeMs = 12 * 60 * 60_000

/** Where the portal is mounted. */
export const mount = '/carbon'

/** Where a portal is mounted that lets nobody on this machine in. */
export const closedMount = '/intranet'

/** What {@link startStage} can be told. */
export interface StageOptions {
  readonly protocol: 'https' | 'http'
  /** Options of `watchSession` beside the portal, as JavaScript. */
  readonly watchOptions?: string
}

/** A running portal. */
export interface Stage {
  readonly origin: string
  /** `METHOD /path` of every request below the mount that the app has answered. */
  readonly worked: readonly string[]
  /** A user's browser. Any native dialog fails the test that looks at `dialogs`. */
  newWindow(options?: BrowserContextOptions): Promise<Window>
  /** The file has other users from now on. */
  changeUsers(users: readonly object[]): Promise<void>
  /** Time passes, on the server and in all windows, and every page has heard what it asked for since. */
  pass(milliseconds: number): Promise<void>
  close(): Promise<void>
}

/** The browser of one user. */
export interface Window {
  readonly context: BrowserContext
  /** Native dialogs that opened in any tab. */
  readonly dialogs: readonly string[]
  /** Errors of scripts, and what a content security policy forbade. */
  readonly complaints: readonly string[]
  /** Opens a tab. */
  open(path: string): Promise<Page>
  /** Opens a page in a tab, signs in there, and comes back to it. */
  signIn(path: string, user: { readonly name: string; readonly password: string }): Promise<Page>
  close(): Promise<void>
}

/** When all clocks begin. */
const start = Date.parse('2030-01-07T08:00:00Z')

/**
 * Counts the requests of a page whose answers its scripts have not had yet, so that a test can wait for them. It is run before
 * the page's own scripts.
 */
const countRequests = `
  window.unanswered = 0
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => { window.unanswered -= 1 }
  const answered = () => port2.postMessage('')
  const { fetch } = window
  window.fetch = async (...request) => {
    window.unanswered += 1
    try {
      const response = await fetch(...request)
      const { json } = response
      if (response.ok) response.json = () => json.call(response).finally(answered)
      else answered()
      return response
    } catch (error) {
      answered()
      throw error
    }
  }
`

/** Starts a portal with an administrator and a reader; `browser` shows it. */
export async function startStage(browser: Browser, { protocol, watchOptions = '{}' }: StageOptions): Promise<Stage> {
  let now = start
  const worked: string[] = []
  const windows = new Set<Window>()
  const configWith = (users: readonly object[]): object => ({
    internal_apis: { users },
    portal: {
      allow_insecure_http: protocol === 'http',
      intranet: { allow: ['10.0.0.0/8'], logo: fileURLToPath(new URL('logo.svg', import.meta.url)) },
    },
  })
  const logger = { info() {}, warn() {}, error() {} }
  const security = await createSecurity(configWith(fileUsers), { clock: () => now, logger })

  const app = express()
  app.use('/sallyport', serveBrowserModule())
  app.get('/page.js', (_request, response) => {
    response.type('text/javascript').send(`import { watchSession } from '/sallyport/watch-session.js'
window.watch = watchSession({ portal: '${mount}', ...${watchOptions} })
document.querySelector('output').textContent = 'watching'
`)
  })
  const consoleApp = express.Router()
  consoleApp.use((request, _response, next) => {
    worked.push(`${request.method} ${request.path}`)
    next()
  })
  consoleApp.get('/data', (_request, response) => void response.json({ apis: 2 }))
  consoleApp.get('/*page', (request, response) => {
    response.set('Content-Security-Policy', "default-src 'none'; script-src 'self'; connect-src 'self'")
    response.send(workPage(getAuth(request).subject))
  })
  app.use(mount, security.portal('management_console'), consoleApp)
  app.use(closedMount, security.portal('intranet'))

  const server = security.createServer(app, { protocol, ...(protocol === 'https' ? { tls: throwAwayTls() } : {}) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `${protocol}://localhost:${(server.address() as AddressInfo).port}`

  async function newWindow(options: BrowserContextOptions = {}): Promise<Window> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, reducedMotion: 'reduce', ...options })
    context.setDefaultTimeout(60_000)
    await context.clock.install({ time: now })
    // The clock of a page stands still from here on.
    await context.clock.pauseAt(now + 60_000)
    await context.addInitScript(countRequests)
    const dialogs: string[] = []
    const complaints: string[] = []
    context.on('dialog', (dialog) => {
      dialogs.push(dialog.message())
      dialog.dismiss().catch(() => undefined)
    })
    context.on('weberror', (error) => complaints.push(String(error.error())))
    context.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) complaints.push(message.text())
    })

    const window: Window = {
      context,
      dialogs,
      complaints,
      async open(path) {
        const page = await context.newPage()
        await page.goto(origin + path)
        await settled(page)
        return page
      },
      async signIn(path, { name, password }) {
        const page = await window.open(path)
        await page.getByLabel('User name').fill(name)
        await page.getByLabel('Password').fill(password)
        await page.getByRole('button', { name: 'Sign in' }).click()
        await page.waitForURL(origin + path)
        await settled(page)
        return page
      },
      async close() {
        windows.delete(window)
        await context.close()
      },
    }
    windows.add(window)
    return window
  }

  return {
    origin,
    worked,
    newWindow,
    changeUsers: (users) => security.reload(configWith(users)),

    async pass(milliseconds) {
      now += milliseconds
      for (const { context } of windows) {
        await context.clock.fastForward(milliseconds)
        for (const page of context.pages()) await settled(page)
      }
    },

    async close() {
      for (const window of windows) await window.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await security.close()
    },
  }
}

/** Waits until a page that watches has begun to, and until every page has heard what it asked for. */
export async function settled(page: Page): Promise<void> {
  const state = (): Promise<unknown> =>
    // A page that is just being left has nothing to say.
    page
      .evaluate(`[document.readyState, document.querySelector('output')?.textContent, window.unanswered]`)
      .catch(String)
  await expect.poll(state).toSatisfy(isSettled)
}

function isSettled(state: unknown): boolean {
  return Array.isArray(state) && state[0] === 'complete' && state[1] !== '' && state[2] === 0
}

function workPage(subject: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Console</title>
<main>
<h1>Console</h1>
<p>Signed in as <strong>${subject}</strong></p>
<label>Note <input name="note"></label>
<output></output>
</main>
<script type="module" src="/page.js"></script>
</html>`
}

function throwAwayTls(): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-portal-'))
  const { key, certificate } = certificatesIn(folder)
  const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(certificate, 'utf8') }
  rmSync(folder, { recursive: true })
  return tls
}
