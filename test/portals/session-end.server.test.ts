import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startChromium } from '../helpers/chromium.js'
import { fileUser, users } from '../helpers/front.js'
import {
  idleMs,
  longestLifeMs,
  type Stage,
  type StageOptions,
  settled,
  startStage,
  type Window,
} from './portal-stage.js'

let browser: Browser
beforeAll(async () => {
  browser = await startChromium()
})
afterAll(() => browser.close())

const minuteMs = 60_000
const loginOf = (path: string): string => `/carbon/login?return_to=${encodeURIComponent(path)}`

function warningOf(page: Page): Locator {
  return page.getByRole('alertdialog', { name: 'Are you still there?' })
}

async function openStage(options: StageOptions = { protocol: 'https' }): Promise<{ stage: Stage; window: Window }> {
  const stage = await startStage(browser, options)
  const window = await stage.newWindow()
  onTestFinished(async () => {
    expect(window.dialogs).toEqual([])
    expect(window.complaints).toEqual([])
    await stage.close()
  })
  return { stage, window }
}

/** The page's own request, as its scripts make it. */
function fetchIn(page: Page, path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  return page.evaluate(
    `fetch('/carbon${path}', { headers: ${JSON.stringify(headers)} }).then(async (r) => { if (r.ok) await r.json(); return r.status })`,
  )
}

describe.each(['https', 'http'] as const)('a session over %s', (protocol) => {
  it('is warned of in two tabs, extended in one, and ends at the login page that leads back', async () => {
    const { stage, window } = await openStage({ protocol })
    const first = await window.signIn('/carbon/apis?sort=name', users.admin)
    const second = await window.open('/carbon/users')
    const names = (await window.context.cookies()).map(({ name }) => name)
    expect(names).toEqual([`${protocol === 'https' ? '__Host-' : ''}sallyport-management_console`])

    // Work that one tab does counts for both.
    await stage.pass(10 * minuteMs)
    expect(await fetchIn(first, '/data')).toBe(200)
    await stage.pass(10 * minuteMs)
    for (const page of [first, second]) expect(await warningOf(page).count()).toBe(0)

    await stage.pass(4.5 * minuteMs)
    for (const page of [first, second]) {
      await warningOf(page).waitFor()
      expect(await warningOf(page).textContent()).toContain('signed out in 0:30.')
    }

    await second.getByRole('button', { name: 'Stay signed in' }).click()
    for (const page of [first, second]) await warningOf(page).waitFor({ state: 'detached' })
    await stage.pass(idleMs - 2 * minuteMs)
    for (const page of [first, second]) expect(await warningOf(page).count()).toBe(0)

    await stage.pass(minuteMs + 1000)
    for (const page of [first, second]) await warningOf(page).waitFor()
    await first.evaluate("location.hash = '/apis/7'")
    await stage.pass(minuteMs)
    await first.waitForURL(stage.origin + loginOf('/carbon/apis?sort=name#/apis/7'))
    await second.waitForURL(stage.origin + loginOf('/carbon/users'))

    await first.getByLabel('User name').fill(users.admin.name)
    await first.getByLabel('Password').fill(users.admin.password)
    await first.getByRole('button', { name: 'Sign in' }).click()
    await first.waitForURL(`${stage.origin}/carbon/apis?sort=name#/apis/7`)
    await first.getByText('Signed in as admin').waitFor()
  })
})

// Covers: D05
it('ends while a page polls', async () => {
  const { stage, window } = await openStage()
  const page = await window.signIn('/carbon/apis', users.admin)
  for (let minutes = 0; minutes < 14; minutes += 2) {
    await stage.pass(2 * minuteMs)
    expect(await fetchIn(page, '/data', { 'Sallyport-Background': '?1' })).toBe(200)
  }
  await warningOf(page).waitFor()
  await stage.pass(minuteMs + 1000)
  await page.waitForURL(stage.origin + loginOf('/carbon/apis'))
})

it('refuses the scripts of a page after its end, and opens no dialog', async () => {
  const { stage, window } = await openStage()
  const page = await window.signIn('/carbon/apis', users.admin)
  await page.evaluate('window.watch.stop()')
  await stage.pass(idleMs)
  expect(await fetchIn(page, '/data')).toBe(401)
  const xhr = 'const x = new XMLHttpRequest(); x.open("GET", "/carbon/data", false); x.send(); x.status'
  expect(await page.evaluate(xhr)).toBe(401)
})

it('is warned of by the server, not by the clock of the page', async () => {
  const { stage, window } = await openStage()
  const page = await window.signIn('/carbon/apis', users.admin)
  await page.clock.setSystemTime('2001-01-01')
  await stage.pass(idleMs - minuteMs - 5000)
  expect(await warningOf(page).count()).toBe(0)
  await stage.pass(10_000)
  await warningOf(page).waitFor()
})

it('is signed out of from the warning, in all tabs', async () => {
  const { stage, window } = await openStage()
  const first = await window.signIn('/carbon/apis', users.admin)
  const second = await window.open('/carbon/users')
  await stage.pass(idleMs - 30_000)
  await warningOf(first).getByRole('button', { name: 'Sign out' }).click()
  await first.waitForURL(`${stage.origin}/carbon/login`)
  await second.waitForURL(stage.origin + loginOf('/carbon/users'))
  expect(await window.context.cookies()).toEqual([])
})

it('goes on quietly in the other tab when a page is opened during the warning', async () => {
  const { stage, window } = await openStage()
  const first = await window.signIn('/carbon/apis', users.admin)
  await stage.pass(idleMs - 30_000)
  await warningOf(first).waitFor()
  await window.open('/carbon/users')
  await warningOf(first).waitFor({ state: 'detached' })
})

it('is found to be over by a tab that is looked at again', async () => {
  const { stage, window } = await openStage()
  const first = await window.signIn('/carbon/apis', users.admin)
  const second = await window.open('/carbon/users')
  const status = await second.evaluate(`fetch('/carbon/logout', { method: 'POST' }).then((r) => r.status)`)
  expect(status).toBe(204)
  await first.evaluate(`dispatchEvent(new Event('focus'))`)
  await first.waitForURL(stage.origin + loginOf('/carbon/apis'))
})

it('leads to the refusal of the portal, in all tabs, when its user may not enter any more', async () => {
  const { stage, window } = await openStage()
  const first = await window.signIn('/carbon/apis', users.admin)
  const second = await window.open('/carbon/users')
  await stage.changeUsers([fileUser(users.admin.name, users.admin.password)])
  await first.evaluate(`dispatchEvent(new Event('focus'))`)
  for (const page of [first, second]) {
    await page.getByText('403 ERR_ADMIN_REQUIRED').waitFor()
    expect(page.url()).toBe(`${stage.origin}/carbon/`)
  }
  await first.getByRole('button', { name: 'Sign in as somebody else' }).click()
  await first.waitForURL(`${stage.origin}/carbon/login`)
})

it('has nothing to put off at the end of its longest life', async () => {
  const { stage, window } = await openStage()
  const page = await window.signIn('/carbon/apis', users.admin)
  const lastWarning = page.getByRole('alertdialog', { name: 'Your session is about to end' })
  for (let hours = 0; hours < longestLifeMs; hours += 10 * minuteMs) {
    await stage.pass(Math.min(10 * minuteMs, longestLifeMs - hours - 40_000))
    if (hours + 10 * minuteMs < longestLifeMs) expect(await fetchIn(page, '/data')).toBe(200)
  }
  await lastWarning.getByText('signed out in 0:40.').waitFor()
  expect(await lastWarning.getByRole('button').allTextContents()).toEqual(['Close', 'Sign out'])

  await page.keyboard.press('Escape')
  await lastWarning.waitFor({ state: 'hidden' })
  await stage.pass(20_000)
  expect(await lastWarning.count()).toBe(0)
  await stage.pass(21_000)
  await page.waitForURL(stage.origin + loginOf('/carbon/apis'))
})

describe('the warning', () => {
  it('takes the focus to its button, stays on Escape, and gives the focus back', async () => {
    const { stage, window } = await openStage()
    const page = await window.signIn('/carbon/apis', users.admin)
    await page.getByLabel('Note').focus()
    await stage.pass(idleMs - 30_000)
    await warningOf(page).locator('button:focus', { hasText: 'Stay signed in' }).waitFor()
    await page.keyboard.press('Escape')
    await warningOf(page).waitFor({ state: 'detached' })
    await page.locator('input[name=note]:focus').waitFor()
    await stage.pass(idleMs - 2 * minuteMs)
    expect(await warningOf(page).count()).toBe(0)
  })

  it('counts down, and tells a screen reader twice', async () => {
    const { stage, window } = await openStage()
    const page = await window.signIn('/carbon/apis', users.admin)
    await stage.pass(idleMs - 45_000)
    const said = warningOf(page).locator('[aria-live]')
    const heard: string[] = []
    await warningOf(page).getByText('signed out in 0:45.').waitFor()
    for (let seconds = 44; seconds > 0; seconds -= 1) {
      await stage.pass(1000)
      await warningOf(page)
        .getByText(`signed out in 0:${String(seconds).padStart(2, '0')}.`)
        .waitFor()
      const text = (await said.textContent()) ?? ''
      if (text !== (heard.at(-1) ?? '')) heard.push(text)
    }
    expect(heard).toEqual(['30 seconds left.', '10 seconds left.'])
  })

  it('speaks another language', async () => {
    const texts = `{ title: 'Noch da?', message: (time) => 'Noch ' + time, stay: 'Angemeldet bleiben' }`
    const { stage, window } = await openStage({
      protocol: 'https',
      watchOptions: `{ texts: ${texts}, warnBeforeMs: 120_000 }`,
    })
    const page = await window.signIn('/carbon/apis', users.admin)
    await stage.pass(idleMs - 100_000)
    const warning = page.getByRole('alertdialog', { name: 'Noch da?' })
    await warning.getByText('Noch 1:40').waitFor()
    await warning.getByRole('button', { name: 'Angemeldet bleiben' }).click()
    await warning.waitFor({ state: 'detached' })
  })

  it('speaks German on a German page', async () => {
    const { stage, window } = await openStage({
      protocol: 'https',
      watchOptions: `(document.documentElement.lang = 'de-AT', {})`,
    })
    const page = await window.signIn('/carbon/apis', users.admin)
    await stage.pass(idleMs - 30_000)
    const warning = page.getByRole('alertdialog', { name: 'Sind Sie noch da?' })
    await warning.getByText('werden Sie in 0:30 Minuten abgemeldet.').waitFor()
    expect(await warning.getAttribute('lang')).toBe('de')
    await warning.getByRole('button', { name: 'Angemeldet bleiben' }).click()
    await warning.waitFor({ state: 'detached' })
  })

  it('is closed by the end of the watch', async () => {
    const { stage, window } = await openStage()
    const page = await window.signIn('/carbon/apis', users.admin)
    await stage.pass(idleMs - 30_000)
    await warningOf(page).waitFor()
    await page.evaluate('window.watch.stop()')
    await warningOf(page).waitFor({ state: 'detached' })
    await stage.pass(minuteMs)
    expect(page.url()).toBe(`${stage.origin}/carbon/apis`)
  })
})

describe('a server that does not answer', () => {
  const troubles = ['no connection', '503', 'a 403 of a proxy', 'a page of a proxy', 'a redirect']

  it.each(troubles)('keeps the page through %s', async (trouble) => {
    const { stage, window } = await openStage()
    const page = await window.signIn('/carbon/apis', users.admin)
    await stage.pass(idleMs - 30_000)
    await warningOf(page).waitFor()
    await page.route('**/carbon/session', (route) => {
      if (trouble === 'no connection') return route.abort('connectionreset')
      if (trouble === '503') return route.fulfill({ status: 503, json: { Error: 'down' } })
      if (trouble === 'a 403 of a proxy') return route.fulfill({ status: 403, json: { code: 'ERR_IP_NOT_ALLOWED' } })
      if (trouble === 'a redirect') return route.fulfill({ status: 302, headers: { Location: '/elsewhere' } })
      return route.fulfill({ status: 200, contentType: 'text/html', body: '<h1>Hello</h1>' })
    })

    const stay = warningOf(page).getByRole('button', { name: 'Stay signed in' })
    await stay.click()
    await warningOf(page).getByText('The server cannot be reached. Trying again.').waitFor()
    for (let minutes = 0; minutes < 3; minutes += 1) await stage.pass(minuteMs)
    expect(page.url()).toBe(`${stage.origin}/carbon/apis`)
    await warningOf(page).getByText('signed out in 0:00.').waitFor()

    await page.unroute('**/carbon/session')
    await stage.pass(minuteMs)
    await page.waitForURL(stage.origin + loginOf('/carbon/apis'))
  })

  it('goes quiet again when the session has gone on meanwhile', async () => {
    const { stage, window } = await openStage()
    const page = await window.signIn('/carbon/apis', users.admin)
    await stage.pass(idleMs - 30_000)
    await page.route('**/carbon/session', (route) => route.abort('connectionreset'))
    await stage.pass(20_000)
    expect(await fetchIn(page, '/data')).toBe(200)
    await stage.pass(20_000)
    await warningOf(page).getByText('The server cannot be reached. Trying again.').waitFor()
    await page.unroute('**/carbon/session')
    await stage.pass(minuteMs)
    await warningOf(page).waitFor({ state: 'detached' })
    await settled(page)
    expect(page.url()).toBe(`${stage.origin}/carbon/apis`)
  })
})
