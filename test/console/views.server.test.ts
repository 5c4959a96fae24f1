import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { violationsIn } from '../helpers/axe.js'
import { startChromium } from '../helpers/chromium.js'
import { type PageStage, staff, startPageStage } from './page-stage.js'
import { signIn, type Visit, visit } from './page-visit.js'

const hiddenPassword = 'a password that nobody is to see'

const deployment = `[operator_console]
enable = true

[management_api.jwt_token_security_handler.token_config]
algorithm = "ES256"

[[management_api.authorization_handler.resources]]
path = "/apis"
roles = ["operators"]

[audit_trail]
file = "audit.log"

[secrets]
db = "[${hiddenPassword}]"

[keystore.tls]
file_name = "none.jks"
password = "${hiddenPassword}"

[oauth]
enable = true
issuer = "https://localhost:9443/oauth2"
algorithm = "ES256"

[[oauth.service_provider]]
name = "warehouse"
client_id = "warehouse-app"
redirect_uris = ["https://warehouse.example.com/callback"]
pkce_mandatory = true
allow_without_client_secret = true
scopes = ["orders"]

[portal.publisher]
callback = "https://localhost:9443/publisher/callback"
`

let browser: Browser
beforeAll(async () => {
  browser = await startChromium()
})
afterAll(() => browser?.close())

let folder: string
let file: string
let stage: PageStage
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-views-'))
  file = join(folder, 'deployment.toml')
  writeFileSync(file, deployment)
  stage = await startPageStage({ source: file })
})

const visits: Visit[] = []
afterEach(async () => {
  const complaints = visits.flatMap(({ complaints }) => complaints)
  for (const { context } of visits.splice(0)) await context.close()
  await stage[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
  expect(complaints).toEqual([])
})

async function open(view: string, options?: BrowserContextOptions): Promise<Visit> {
  const opened = await visit(browser, stage, options)
  await signIn(opened.page, stage, view)
  visits.push(opened)
  return opened
}

const rows = (page: Page) => page.locator('tbody tr')
const section = (page: Page, name: string) => page.getByRole('region', { name, exact: true })

async function logIn({ name, password }: { readonly name: string; readonly password: string }): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
  await fetch(`${stage.origin}/management/login`, { headers: { Authorization: authorization } })
}

describe('service providers', () => {
  it('are shown as the console of WSO2 shows them, with the line of the file, and the client id is copied', async () => {
    const { page, context } = await open('service-providers')
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    const warehouse = section(page, 'warehouse')
    await warehouse.waitFor()
    const text = ((await warehouse.textContent()) ?? '').replace(/\s+/g, ' ')
    for (const part of [
      'Client IDwarehouse-app',
      'Client secretNone',
      'Allow authentication without the client secretYes',
      'PKCE mandatoryYes, with S256',
      'Callback URLshttps://warehouse.example.com/callback',
      'Scopesorders',
      'oauth.service_provider[0] line 26',
    ]) {
      expect(text).toContain(part)
    }
    expect(await section(page, 'apim_publisher').textContent()).toContain('portal.publisher.callback line 35')
    await warehouse.getByRole('button', { name: 'Copy Client ID' }).click()
    await warehouse.getByText('Client ID was copied.').waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('warehouse-app')
  })
})

describe('the audit trail', () => {
  it('is searched, newest first, and a record shows all that it has', async () => {
    for (let count = 0; count < 60; count++) await fetch(`${stage.origin}/management/apis`)
    await logIn({ name: staff.mallory.name, password: 'wrong' })
    await logIn(staff.alan)
    const { page } = await open('audit')
    await page
      .getByText(/^1\u201350 of \d+ records$/)
      .first()
      .waitFor()
    await page.getByRole('button', { name: 'Next' }).first().click()
    await page
      .getByText(/^51\u2013\d+ of \d+ records$/)
      .first()
      .waitFor()

    await page.getByLabel('User').fill(staff.mallory.name)
    await page.getByLabel('Outcome').selectOption('Failure')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('1 record', { exact: true }).waitFor()
    expect(await rows(page).textContent()).toContain(`Login refusedFailure${staff.mallory.name}127.0.0.1`)
    await page.getByRole('button', { name: /^Details of record/ }).click()
    const dialog = page.getByRole('dialog', { name: /^Login refused: record \d+$/ })
    expect(await dialog.textContent()).toMatch(/wrong-password.*Hash[0-9a-f]{64}Hash of the record before[0-9a-f]{64}/)
    await dialog.getByRole('button', { name: 'Close' }).click()
    expect(await page.locator('main img').count()).toBe(0)

    await page.reload()
    await page.getByText('1 record', { exact: true }).waitFor()
    expect(await page.getByLabel('User').inputValue()).toBe(staff.mallory.name)
    await page.getByRole('button', { name: 'Show all' }).click()
    await page
      .getByText(/^1\u201350 of/)
      .first()
      .waitFor()
    await page.getByLabel('From').fill('2020-01-01T00:00')
    await page.getByLabel('Until').fill('2020-01-02T00:00')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('No record matches.').waitFor()

    const searches = readFileSync(join(folder, 'audit.log'), 'utf8').match(/"action":"auditRead".*\n/g) ?? []
    expect(searches.some((line) => line.includes('"outcome=failure"') && line.includes('"actor":"ada"'))).toBe(true)
  })

  it('says that it fails, and why', async () => {
    const { page } = await open('audit')
    await section(page, 'Trail').getByText('OK').waitFor()
    const failing = {
      ...{ state: 'failing', file: '/var/audit.log', sequence: 7, lastWriteAt: null, lagMs: 900 },
      queued: 3,
    }
    await page.route('**/api/audit/status', (route) =>
      route.fulfill({ json: { ...failing, lastCheckpoint: null, error: 'ENOSPC: no space left on device' } }),
    )
    await page.reload()
    const alert = page.getByRole('alert')
    await alert.waitFor()
    expect(await alert.textContent()).toBe(
      'Records cannot be written: ENOSPC: no space left on device. 3 records wait.',
    )
    Object.assign(failing, { state: 'degraded' })
    await page.reload()
    await section(page, 'Trail').getByText('Degraded').waitFor()
    expect(await page.getByRole('alert').textContent()).toBe(
      'Records are written, but the anchor cannot be: ENOSPC: no space left on device.',
    )
  })
})

describe('the configuration', () => {
  it('shows what holds, with the lines of the file, findings first, and no secret', async () => {
    const { page } = await open('configuration')
    await section(page, 'Findings').getByText('does not name /users').waitFor()
    const values = section(page, 'Values')
    await values.getByLabel('Key or value').fill('SERVICE_PROVIDER[0].client_id')
    await values.getByText('1 key', { exact: true }).waitFor()
    const row = values.locator('tbody tr')
    expect(await row.textContent()).toBe('oauth.service_provider[0].client_idline 28"warehouse-app"')
    await values.getByLabel('Key or value').fill('no key of this name')
    await values.getByText('No key matches.').waitFor()
    await values.getByLabel('Key or value').fill('')
    await values.getByText('keystore.tls.password').waitFor()
    expect(await page.content()).not.toContain(hiddenPassword)
  })

  it('is reloaded after a preview and a question that names the effect', async () => {
    const { page } = await open('configuration')
    writeFileSync(file, deployment.replace('roles = ["operators"]', 'roles = ["operators", "viewers"]'))
    const reload = section(page, 'Reload')
    await reload.getByRole('button', { name: 'Preview' }).click()
    await reload.getByText('1 class of requests would newly be let in.').waitFor()
    expect(await reload.getByRole('region', { name: 'What sallyport diff says' }).textContent()).toContain(
      'token: viewers',
    )
    const rolesOf = () => stage.security.config.managementApi.authorization.resources[0]?.roles
    expect(rolesOf()).toEqual(['operators'])

    // Another hand is faster: nothing is reloaded, and the preview is that of the new file.
    writeFileSync(file, deployment.replace('roles = ["operators"]', 'roles = ["viewers"]'))
    await reload.getByRole('button', { name: 'Reload\u2026' }).click()
    const dialog = page.getByRole('dialog', { name: 'Reload the configuration?' })
    expect(await dialog.textContent()).toContain(
      '1 class of requests newly let in, 0 newly refused. Tables that change: management_api.authorization_handler.resources.',
    )
    await dialog.getByRole('button', { name: 'Reload' }).click()
    await page.getByText('Nothing was reloaded: the file has changed since the preview.').waitFor()
    expect(rolesOf()).toEqual(['operators'])
    expect(visits[0]!.complaints.splice(0)).toEqual([expect.stringContaining('409')])

    await reload.getByText('token: operators').waitFor()
    await reload.getByRole('button', { name: 'Reload\u2026' }).click()
    await dialog.getByRole('button', { name: 'Reload' }).click()
    await page.getByText('The configuration was reloaded.').waitFor()
    expect(rolesOf()).toEqual(['viewers'])
    await section(page, 'Values').getByText('["viewers"]').waitFor()
  })

  it('with mistakes shows each with its line, and cannot be reloaded', async () => {
    const { page } = await open('configuration')
    writeFileSync(file, `${deployment}titel = "Shop"\nlogo = "none.svg"\n`)
    const reload = section(page, 'Reload')
    await reload.getByRole('button', { name: 'Preview' }).click()
    await reload.getByText('The file has 2 mistakes: it cannot be reloaded. What is in effect stays.').waitFor()
    expect(await reload.locator('tbody tr').allTextContents()).toEqual([
      expect.stringMatching(
        /^portal\.publisher\.titelline 36is not a known key; did you mean portal\.publisher\.title\?$/,
      ),
      expect.stringMatching(/^portal\.publisher\.logoline 37names .*none\.svg, which does not exist$/),
    ])
    expect(await reload.getByRole('button', { name: 'Reload\u2026' }).count()).toBe(0)
  })
})

describe('health', () => {
  it('shows each part, and what fails first, as it changes', async () => {
    const { page } = await open('health')
    await page.getByRole('rowheader', { name: 'Token store' }).waitFor()
    const since = new Date().toISOString()
    const checks = [
      { name: 'process', status: 'fail', since, detail: 'shutting down' },
      { name: 'token store', status: 'pass', since, latencyMs: 0.21 },
      { name: 'certificate', status: 'warn', since, detail: '12 days left' },
    ]
    await page.route('**/api/health', (route) => route.fulfill({ json: { status: 'fail', checks } }))
    await page.getByText('New requests should go elsewhere').waitFor()
    const texts = await rows(page).allTextContents()
    expect(texts.map((text) => text.replace(/now|\d+ seconds? ago/, 'now'))).toEqual([
      'ProcessFailingnow\u2013shutting down',
      'CertificateWarningnow\u201312 days left',
      'Token storeOKnow0.21 ms\u2013',
    ])
  })
})

describe.each([
  ['in light', { colorScheme: 'light', viewport: { width: 1280, height: 800 } }],
  ['in dark', { colorScheme: 'dark', viewport: { width: 1280, height: 800 } }],
  ['on a phone, or at 400 %', { colorScheme: 'light', viewport: { width: 320, height: 740 } }],
] as const)('%s', (_, options) => {
  it('axe finds nothing wrong with these views, and nothing is wider than the window', async () => {
    await logIn({ name: staff.mallory.name, password: 'wrong' })
    writeFileSync(file, deployment.replace('roles = ["operators"]', 'roles = ["viewers"]'))
    const { page } = await open('service-providers', options)
    async function check(what: string): Promise<void> {
      expect([what, await violationsIn(page)]).toEqual([what, []])
      expect([what, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([
        what,
        options.viewport.width,
      ])
    }
    const go = (view: string) => page.goto(`${stage.origin}/ops/#/${view}`)
    await section(page, 'warehouse').waitFor()
    await check('service providers')
    await go('audit')
    await rows(page).first().waitFor()
    await check('audit')
    await page
      .getByRole('button', { name: /^Details of record/ })
      .first()
      .click()
    await check('a record')
    await page.getByRole('button', { name: 'Close' }).click()
    await go('health')
    await rows(page).first().waitFor()
    await check('health')
    await go('configuration')
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.getByRole('button', { name: 'Reload\u2026' }).click()
    await check('configuration, before a reload')
  })
})
