/**
 * Makes the pictures of docs/images with the Chromium of Debian's package: the login page, the warning before a session ends
 * and the refusal, light and dark.
 *
 * Run it with `npm run screenshots`.
 *
 * @module
 */

import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { type Browser, chromium, type Page } from 'playwright-core'
import { createSecurity } from '../lib/index.js'
import { serveBrowserModule } from '../test/helpers/browser-module.js'

const folder = fileURLToPath(new URL('../docs/images/', import.meta.url))
const user = { name: 'ada', password: 'a-throw-away-password' } as const
const idleMs = 15 * 60_000
const start = Date.parse('2030-01-07T08:00:00Z')

let now = start
const security = await createSecurity(
  {
    internal_apis: { users: [{ user: { name: user.name, password: user.password, is_admin: true } }] },
    portal: { intranet: { allow: ['10.0.0.0/8'] } },
  },
  { clock: () => now, logger: { info() {}, warn() {}, error() {} } },
)

const app = express()
app.use('/sallyport', serveBrowserModule())
app.get('/page.js', (_request, response) => {
  response.type('text/javascript').send(`import { watchSession } from '/sallyport/watch-session.js'
watchSession({ portal: '/carbon' })
`)
})
app.use('/carbon', security.portal('management_console'), (_request, response) => void response.send(page))
app.use('/intranet', security.portal('intranet'))
const server = security.createServer(app).listen(0, '127.0.0.1')
await once(server, 'listening')
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>APIs</title>
<style>
  :root { color-scheme: light dark }
  body { max-width: 40rem; margin: 2rem auto; font: 1rem/1.5 system-ui, sans-serif }
  td, th { padding: .5rem 1rem .5rem 0; text-align: left }
</style>
<h1>APIs</h1>
<table>
<tr><th>Name<th>Version<th>State
<tr><td>HealthcareAPI<td>1.2.0<td>published
<tr><td>StockQuoteAPI<td>2.0.1<td>published
<tr><td>WeatherAPI<td>0.9.0<td>created
</table>
<script type="module" src="/page.js"></script>
</html>`

const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args })
try {
  mkdirSync(folder, { recursive: true })
  for (const colorScheme of ['light', 'dark'] as const) await takeAll(browser, colorScheme)
} finally {
  await browser.close()
  server.closeAllConnections()
  server.close()
  await security.close()
}

async function takeAll(shown: Browser, colorScheme: 'light' | 'dark'): Promise<void> {
  const viewport = { width: 720, height: 480 }
  const context = await shown.newContext({ colorScheme, viewport, reducedMotion: 'reduce' })
  await context.clock.install({ time: now })
  await context.clock.pauseAt(now + 60_000)
  const tab = await context.newPage()
  const take = (name: string): Promise<unknown> => tab.screenshot({ path: `${folder}${name}-${colorScheme}.png` })

  await tab.goto(`${origin}/intranet/`)
  await take('refusal')
  await tab.goto(`${origin}/carbon/apis`)
  await take('login')
  await signIn(tab)
  now += idleMs - 45_000
  await context.clock.fastForward(idleMs - 45_000)
  await tab.getByRole('alertdialog').waitFor()
  await take('warning')
  await context.close()
}

async function signIn(tab: Page): Promise<void> {
  await tab.getByLabel('User name').fill(user.name)
  await tab.getByLabel('Password').fill(user.password)
  // The page has to know when the session ends before time goes on.
  const known = tab.waitForResponse('**/carbon/session')
  await tab.getByRole('button', { name: 'Sign in' }).click()
  await (await known).finished()
}
