/**
 * Makes the pictures of the operators' page in docs/images, light and dark, and two as on a phone: the second half of
 * `npm run screenshots`.
 *
 * @module
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BrowserContextOptions, Page } from 'playwright-core'
import type { MetricsReport } from '../lib/metrics/report.js'
import { type PageStage, staff, startPageStage } from '../test/console/page-stage.js'
import { startChromium } from '../test/helpers/chromium.js'

const images = fileURLToPath(new URL('../docs/images/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sallyport-pictures-'))
const start = Date.parse('2030-01-07T08:00:00Z')

const views = [
  'overview',
  'sessions',
  'locks',
  'users/alan',
  'api-tokens',
  'service-providers',
  'audit',
  'configuration',
  'health',
]
/** For answers that a view does not wait for: a stream of events keeps the network from being idle. */
const settleMs = 500
const onPhone = ['overview', 'sessions']

const document = `[operator_console]
enable = true

[audit_trail]
file = "${join(folder, 'audit.log')}"

[management_api.jwt_token_security_handler.token_config]
algorithm = "ES256"

[[management_api.api_tokens]]
name = "deploy"
hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
expires = 2030-03-01T00:00:00Z
roles = ["release"]
allow = ["10.20.0.0/16"]
paths = ["/apis"]

[[management_api.api_tokens]]
name = "monitoring"
hash = "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"
expires = 2031-01-01T00:00:00Z
allow = ["10.0.0.12"]

[oauth]
enable = true
issuer = "https://login.example.com/oauth2"

[[oauth.service_provider]]
name = "devportal"
redirect_uris = ["https://devportal.example.com/callback"]
post_logout_redirect_uris = ["https://devportal.example.com/"]
pkce_mandatory = true
allow_without_client_secret = true
audience = "https://api.example.com/"
scopes = ["apis", "subscriptions"]
refresh_tokens = true
`

try {
  const file = join(folder, 'deployment.toml')
  writeFileSync(file, document)
  mkdirSync(images, { recursive: true })
  await using stage = await startPageStage({
    sessions: 240,
    source: file,
    options: { clock: () => start },
    prepare: (app, security) => void app.use('/oauth2', security.oauth()),
  })
  await happen(stage)
  await using browser = await startChromium()
  for (const colorScheme of ['light', 'dark'] as const) {
    await takeAll(views, `-${colorScheme}`, { colorScheme, viewport: { width: 1200, height: 700 } })
  }
  await takeAll(onPhone, '-phone', { viewport: { width: 390, height: 844 } })

  async function takeAll(names: readonly string[], suffix: string, options: BrowserContextOptions): Promise<void> {
    const context = await browser.newContext({ reducedMotion: 'reduce', timezoneId: 'UTC', ...options })
    await context.clock.install({ time: start + 1000 })
    const page = await context.newPage()
    await page.route(/\/api\/(configuration|audit.*|api-tokens.*|service-providers.*)?$/, async (route) => {
      const response = await route.fetch()
      await route.fulfill({
        status: response.status(),
        contentType: 'application/json',
        body: (await response.text()).replaceAll(folder, '/etc/sallyport'),
      })
    })
    await page.route('**/api/metrics', async (route) => {
      const response = await route.fetch()
      const report = (await response.json()) as MetricsReport
      await route.fulfill({ json: { ...report, history: hour() } })
    })
    await signIn(page, stage)
    for (const name of names) {
      await page.goto(`${stage.origin}/ops/#/${name === 'overview' ? '' : name}`)
      await page.locator('main h1').waitFor()
      await page.locator('.loading').first().waitFor({ state: 'detached' })
      await page.waitForTimeout(settleMs)
      await page.screenshot({ path: `${images}console-${name.replace('/', '-')}${suffix}.png` })
    }
    await context.close()
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** The hour before, of a busier front: this one has only just been started. */
function hour(): MetricsReport['history'] {
  const stepSeconds = 10
  const points = Array.from({ length: 3600 / stepSeconds }, (_, index) => {
    const wave = Math.sin(index / 40) + Math.sin(index / 11) / 3
    const isBurst = index > 210 && index < 228
    return {
      at: new Date(start - (360 - index) * stepSeconds * 1000).toISOString(),
      logins: { success: Math.round(2 + wave), refused: isBurst ? 3 : Number(index % 23 === 0) },
      refusals: {
        address: Number(index % 17 === 0),
        authentication: isBurst ? 4 : Number(index % 5 === 0),
        authorization: Number(index % 13 === 0),
      },
      tokens: { management: 62 + Math.round(index / 30), portal: 105 + Math.round(14 * wave), oauth: 60 },
      storeLatencyMs: { users: Math.round((2.4 + wave / 2 + (isBurst ? 3 : 0)) * 100) / 100 },
    }
  })
  return { stepSeconds, points }
}

/** Some good logins, some bad ones until they are locked out, and some refusals. */
async function happen({ origin }: PageStage): Promise<void> {
  const login = (name: string, password: string): Promise<Response> =>
    fetch(`${origin}/management/login`, {
      headers: { Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` },
    })
  for (const { name, password } of [staff.grace, staff.alan, staff.grace]) await login(name, password)
  for (const name of ['mallory', 'eve']) {
    for (let count = 0; count < 5; count++) await login(name, `guess ${count}`)
  }
  for (const path of ['/apis', '/users', '/carbon-apps']) await fetch(`${origin}/management${path}`)
}

async function signIn(page: Page, { origin }: PageStage): Promise<void> {
  await page.goto(`${origin}/ops/`)
  await page.getByLabel('User name').fill(staff.ada.name)
  await page.getByLabel('Password').fill(staff.ada.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
}
