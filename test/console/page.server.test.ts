import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { violationsIn } from '../helpers/axe.js'
import { startChromium } from '../helpers/chromium.js'
import { type PageStage, type PageStageOptions, pageDocument, staff, startPageStage } from './page-stage.js'
import { signIn, type Visit, visit as visitWith } from './page-visit.js'

let browser: Browser
beforeAll(async () => {
  browser = await startChromium()
})
afterAll(() => browser?.close())

const ends: (() => PromiseLike<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function stageWith(options: PageStageOptions = {}): Promise<PageStage> {
  const stage = await startPageStage(options)
  ends.push(() => stage[Symbol.asyncDispose]())
  return stage
}

async function visit(stage: PageStage, options: BrowserContextOptions = {}): Promise<Visit> {
  const made = await visitWith(browser, stage, options)
  ends.push(() => made.context.close())
  return made
}

async function tokenOf(
  { origin }: PageStage,
  { name, password }: { readonly name: string; readonly password: string },
): Promise<string> {
  const answer = await fetch(`${origin}/management/login`, {
    headers: { Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` },
  })
  return ((await answer.json()) as { readonly AccessToken: string }).AccessToken
}

async function statusWith({ origin }: PageStage, token: string): Promise<number> {
  return (await fetch(`${origin}/management/apis`, { headers: { Authorization: `Bearer ${token}` } })).status
}

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true })
const rows = (page: Page) => page.locator('tbody tr')

describe('sessions', () => {
  it('are searched, sorted and seen page by page, and a reload shows the same', async () => {
    const stage = await stageWith({ sessions: 400 })
    const { page, complaints } = await visit(stage)
    await signIn(page, stage, 'sessions')
    await page.getByText('1\u201350 of 401 sessions').first().waitFor()

    await page.getByRole('button', { name: 'Next' }).first().click()
    await page.getByText('51\u2013100 of 401 sessions').first().waitFor()
    await page.getByRole('button', { name: 'User' }).click()
    await page.getByText('1\u201350 of 401 sessions').first().waitFor()
    await expect
      .poll(() => page.getByRole('columnheader', { name: 'User' }).getAttribute('aria-sort'))
      .toBe('ascending')
    await expect.poll(() => rows(page).first().textContent()).toContain('ada')

    await page.getByLabel('User', { exact: true }).fill('BARBARA')
    await page.getByLabel('Kind').selectOption('OAuth token')
    await page.getByText('20 sessions', { exact: true }).waitFor()
    for (const text of await rows(page).allTextContents()) expect(text).toMatch(/^barbara.*OAuth token/)
    const found = await rows(page).count()
    await page.reload()
    await expect.poll(() => rows(page).count()).toBe(found)
    expect(await page.getByLabel('User', { exact: true }).inputValue()).toBe('BARBARA')

    await page.getByLabel('User', { exact: true }).fill('nobody of this name')
    await page.getByText('No session matches.').waitFor()
    await page.getByRole('button', { name: 'Show all sessions' }).click()
    await page.getByText('of 401 sessions').first().waitFor()
    expect(complaints).toEqual([])
  })

  it('that is ended is refused at its next request', async () => {
    const stage = await stageWith()
    const token = await tokenOf(stage, staff.alan)
    expect(await statusWith(stage, token)).toBe(200)
    const { page, complaints } = await visit(stage)
    await signIn(page, stage, 'sessions')
    await rows(page)
      .filter({ hasText: 'This session' })
      .getByRole('button', { name: /^End portal/ })
      .click()
    const own = page.getByRole('dialog', { name: 'End the session of this page?' })
    expect(await own.textContent()).toContain('you are signed out of this page at once')
    await own.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'End management token of alan from 127.0.0.1' }).click()
    const dialog = page.getByRole('dialog', { name: 'End this session of alan?' })
    expect(await dialog.textContent()).toContain('This cannot be undone.')
    await dialog.getByRole('button', { name: 'End session' }).click()
    await page.getByText('The management token of alan from 127.0.0.1 was ended.').waitFor()
    await expect.poll(() => rows(page).count()).toBe(1)
    expect(await statusWith(stage, token)).toBe(401)
    expect(complaints).toEqual([])
  })

  it('of one user end together, in another browser too, which says so at its next click', async () => {
    const stage = await stageWith()
    const tokens = [await tokenOf(stage, staff.grace), await tokenOf(stage, staff.grace)]
    const other = await visit(stage)
    await signIn(other.page, stage, 'locks', 'grace')
    const { page, complaints } = await visit(stage)
    await signIn(page, stage, 'users/grace')
    await page.getByRole('button', { name: 'End all sessions of grace' }).click()
    await page
      .getByRole('dialog', { name: 'End 3 sessions of grace?' })
      .getByRole('button', { name: 'End 3 sessions' })
      .click()
    await page.getByText('3 sessions of grace were ended.').waitFor()
    await page.getByText('grace is not signed in.').waitFor()

    expect(await Promise.all(tokens.map((token) => statusWith(stage, token)))).toEqual([401, 401])
    await other.page.getByRole('link', { name: 'Users' }).click()
    await other.page.getByRole('heading', { name: /session has ended|Management console/ }).waitFor()
    expect(complaints).toEqual([])
  })
})

describe('who may not be here any more', () => {
  it('is out of the page at the next click, when the role was taken', async () => {
    const stage = await stageWith()
    const { page } = await visit(stage)
    await signIn(page, stage, 'sessions', 'grace')
    await rows(page).first().waitFor()
    const admin = await visit(stage)
    await signIn(admin.page, stage, 'users/grace')
    await admin.page.getByRole('button', { name: 'Take the role admin' }).click()
    await admin.page.getByRole('button', { name: 'Take role' }).click()
    await admin.page.getByText('The role admin was taken from grace.').waitFor()

    await page.getByRole('link', { name: 'Lock-outs' }).click()
    await expect.poll(() => page.getByRole('button', { name: 'Sign out' }).count()).toBe(0)
    expect(await page.locator('body').textContent()).not.toContain('Sessions')
    expect(admin.complaints).toEqual([])
  })

  it('learns that the session has ended, and is led back after the login', async () => {
    const stage = await stageWith()
    const { page } = await visit(stage)
    await signIn(page, stage, 'sessions')
    await rows(page).first().waitFor()
    // The warning of the portal asks as well: it must not be faster.
    await page.route('**/ops/session', (route) => route.abort())
    await stage.security.tokens.revokeUser('ada')
    await page.getByRole('link', { name: 'Roles' }).click()
    await heading(page, 'Your session has ended').waitFor()
    await page.unroute('**/ops/session')
    await page.getByRole('link', { name: 'Sign in again' }).click()
    await page.getByLabel('User name').fill(staff.ada.name)
    await page.getByLabel('Password').fill(staff.ada.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await heading(page, 'Roles').waitFor()
  })

  it('signs out with the button', async () => {
    const stage = await stageWith()
    const { page, complaints } = await visit(stage)
    await signIn(page, stage)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: 'Sign in' }).waitFor()
    expect(await stage.security.tokens.list()).toEqual([])
    expect(complaints).toEqual([])
  })
})

describe('lock-outs', () => {
  it('are listed and lifted, and the user can log in', async () => {
    const stage = await stageWith()
    for (let count = 0; count < 5; count++) await tokenOf(stage, { name: 'alan', password: `wrong ${count}` })
    expect(await tokenOf(stage, staff.alan)).toBeUndefined()
    const { page, complaints } = await visit(stage)
    await signIn(page, stage, 'locks')
    await page.getByRole('button', { name: 'Lift the lock of alan' }).click()
    await page
      .getByRole('dialog', { name: 'Lift the lock of alan?' })
      .getByRole('button', { name: 'Lift lock' })
      .click()
    await page.getByText('The lock of alan was lifted.').waitFor()
    await page.getByText('Nobody is locked out.').waitFor()
    expect(await tokenOf(stage, staff.alan)).toBeDefined()

    await page.getByRole('button', { name: 'Lift by name' }).click()
    await page.getByLabel('User name').fill('barbara')
    await page.getByRole('button', { name: 'Lift lock' }).click()
    await page.getByText('barbara was not locked out.').waitFor()
    expect(complaints).toEqual([])
  })
})

describe('a name that anybody can type', () => {
  it('shows the characters that would turn it into another', async () => {
    const stage = await stageWith()
    const turned = '\u202Enimda'
    // The header of a token login is read as UTF-8.
    for (let count = 0; count < 5; count++) await tokenOf(stage, { name: turned, password: `wrong ${count}` })
    const { page, complaints } = await visit(stage)
    await signIn(page, stage, 'locks')
    await page.getByRole('button', { name: 'Lift the lock of \\u{202E}nimda' }).click()
    await page.getByRole('dialog', { name: 'Lift the lock of \\u{202E}nimda?' }).waitFor()
    expect(await page.locator('main').textContent()).not.toContain(turned)
    await page.goto(`${stage.origin}/ops/#/`)
    await page.locator('.events strong').getByText('\\u{202E}nimda').first().waitFor()
    expect(await page.locator('.events').textContent()).not.toContain(turned)
    expect(complaints).toEqual([])
  })
})

describe('users and roles', () => {
  it('are added, changed and deleted, and a refusal stays in its dialog', async () => {
    const stage = await stageWith()
    const { page, complaints } = await visit(stage)
    await signIn(page, stage, 'users')
    await page.getByRole('button', { name: 'Add user' }).click()
    await page.getByLabel('User name').fill('barbara')
    await page.getByLabel('Password').fill('short')
    const dialog = page.getByRole('dialog', { name: 'Add a user' })
    await dialog.getByRole('button', { name: 'Add user' }).click()
    await dialog.getByRole('alert').waitFor()
    expect(complaints.splice(0)).toHaveLength(1)
    await page.getByLabel('Password').fill('Barbara-password-5')
    await dialog.getByRole('button', { name: 'Add user' }).click()
    await page.getByText('The user barbara was added.').waitFor()
    await page.getByRole('link', { name: 'barbara' }).click()

    await page.getByRole('button', { name: 'Give a role' }).click()
    await page.getByRole('combobox', { name: 'Role' }).selectOption('viewers')
    await page.getByRole('button', { name: 'Give role' }).click()
    await page.getByText('barbara has the role viewers now.').waitFor()
    await page.getByRole('link', { name: 'viewers' }).click()
    await page.getByRole('rowheader', { name: 'barbara' }).getByRole('link').click()
    await page.getByRole('button', { name: 'Disable' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click()
    await page.getByText('Cannot log in', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('button', { name: 'Delete user' }).click()
    await page.getByText('The user barbara was deleted.').waitFor()
    await heading(page, 'Users').waitFor()
    expect(await page.getByRole('link', { name: 'barbara' }).count()).toBe(0)
    expect(complaints).toEqual([])
  })

  it('of a file are shown without anything that changes them', async () => {
    const internalApis = {
      users: [
        { user: { name: 'ada', password: staff.ada.password, is_admin: true } },
        { user: { name: 'alan', password: staff.alan.password, roles: ['operators'] } },
      ],
    }
    const stage = await stageWith({ hasFileUsers: true, source: { ...pageDocument, internal_apis: internalApis } })
    const { page, complaints } = await visit(stage)
    await signIn(page, stage, 'users')
    await page.getByText('They stand in the configuration file').waitFor()
    await page.getByRole('link', { name: 'alan' }).click()
    await page.getByRole('link', { name: 'operators' }).waitFor()
    expect(await page.getByRole('button').allTextContents()).toEqual(['Skip to content', 'Sign out'])
    expect(complaints).toEqual([])
  })

  it('whose name is HTML are text, in lists, dialogs and titles', async () => {
    const stage = await stageWith()
    const { name } = staff.mallory
    await tokenOf(stage, staff.mallory)
    const { page, complaints } = await visit(stage)
    await signIn(page, stage, 'users')
    await page.getByRole('link', { name }).click()
    await heading(page, name).waitFor()
    await page.getByRole('button', { name: `End all sessions of ${name}` }).click()
    await page.getByRole('button', { name: 'End 1 session' }).click()
    await page.getByText(`1 session of ${name} was ended.`).waitFor()
    expect(await page.locator('main img').count()).toBe(0)
    expect(await page.title()).toBe(`${name} - Management console`)
    expect(complaints).toEqual([])
  })
})

describe('the page', () => {
  it('is used by keyboard alone', async () => {
    const stage = await stageWith()
    const token = await tokenOf(stage, staff.alan)
    const { page, complaints } = await visit(stage)
    await signIn(page, stage)
    await heading(page, 'Overview').waitFor()
    await page.locator('body').click({ position: { x: 1, y: 1 } })
    const focused = () => page.evaluate<string>('document.activeElement.textContent')
    const tabTo = async (text: RegExp) => {
      for (let presses = 0; presses < 60 && !text.test(await focused()); presses++) await page.keyboard.press('Tab')
      expect(await focused()).toMatch(text)
    }
    await tabTo(/^Skip to content$/)
    await tabTo(/^Sessions$/)
    await page.keyboard.press('Enter')
    await expect.poll(focused).toBe('Sessions')
    expect(await page.evaluate('document.activeElement.tagName')).toBe('H1')
    await rows(page).nth(1).waitFor()
    for (let presses = 0; presses < 60; presses++) {
      const label = await page.evaluate<string | null>("document.activeElement.getAttribute('aria-label')")
      if (label?.includes('of alan')) break
      await page.keyboard.press('Tab')
    }
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    expect(await focused()).toBe('Cancel')
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0)
    await expect
      .poll(() => page.evaluate<string | null>("document.activeElement.getAttribute('aria-label')"))
      .toContain('of alan')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await tabTo(/^End session$/)
    await page.keyboard.press('Enter')
    await page.getByText('was ended').waitFor()
    // The row is gone: the focus is not lost with it.
    await expect.poll(() => page.evaluate('document.activeElement.tagName')).toBe('H1')
    expect(await statusWith(stage, token)).toBe(401)
    expect(complaints).toEqual([])
  })

  it('says that the server fails or is gone, keeps what it has, and goes on after a retry', async () => {
    const stage = await stageWith()
    const { page } = await visit(stage)
    await signIn(page, stage, 'users')
    await page.getByRole('link', { name: 'alan' }).waitFor()

    stage.store.failure = new Error('The database is down')
    await page.getByRole('link', { name: 'Roles' }).click()
    await page.getByRole('alert').waitFor()
    stage.store.failure = undefined
    await page.getByRole('button', { name: 'Retry' }).click()
    await page.getByRole('link', { name: 'operators' }).waitFor()

    await page.getByRole('link', { name: 'Lock-outs' }).click()
    await page.getByText('Nobody is locked out.').waitFor()
    await page.route('**/api/**', (route) => route.abort())
    await page.getByRole('link', { name: 'Sessions' }).click()
    await page.getByText('The server cannot be reached.').waitFor()
    await page.unroute('**/api/**')
    await page.getByRole('button', { name: 'Retry' }).click()
    await rows(page).first().waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
  })

  it('asks again by itself without being taken for activity of the user', async () => {
    const stage = await stageWith()
    const { page, complaints } = await visit(stage)
    await page.clock.install()
    await signIn(page, stage, 'sessions')
    await rows(page).first().waitFor()
    const background: (string | undefined)[] = []
    page.on('request', (request) => {
      if (request.url().includes('/api/sessions')) background.push(request.headers()['sallyport-background'])
    })
    await page.clock.fastForward(16_000)
    await expect.poll(() => background).toEqual(['?1'])
    await page.getByRole('button', { name: 'User' }).click()
    await expect.poll(() => background).toEqual(['?1', undefined])
    expect(complaints).toEqual([])
  })

  it('shows events as they happen, and holds them back while it is told to', async () => {
    const stage = await stageWith()
    const { page, complaints } = await visit(stage)
    await signIn(page, stage)
    await page.getByText('Live', { exact: true }).waitFor()
    await tokenOf(stage, staff.alan)
    await page
      .getByRole('listitem')
      .filter({ hasText: /logged in\s*alan/ })
      .waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await tokenOf(stage, { name: 'alan', password: 'wrong' })
    await page.getByText('1 newer event').waitFor()
    expect(await page.getByText('login refused').count()).toBe(0)
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('login refused').first().waitFor()
    expect(complaints).toEqual([])
  })
})

describe.each([
  ['in light', 120, { colorScheme: 'light', viewport: { width: 1280, height: 800 } }],
  ['in dark', 12, { colorScheme: 'dark', viewport: { width: 1280, height: 800 } }],
  ['on a phone, or at 400 %', 12, { colorScheme: 'light', viewport: { width: 320, height: 740 } }],
] as const)('%s', (_name, sessions, options) => {
  it('axe finds nothing wrong with any view, and nothing is wider than the window', async () => {
    const stage = await stageWith({ sessions })
    for (let count = 0; count < 5; count++) await tokenOf(stage, { name: 'alan', password: `wrong ${count}` })
    const { page, complaints } = await visit(stage, options)
    await signIn(page, stage)
    await page.getByText('Live', { exact: true }).waitFor()
    const links = page.getByRole('navigation', { name: 'Views' }).locator('a')
    const hrefs = await links.evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''))
    expect(hrefs.length).toBeGreaterThan(5)
    for (const href of [...hrefs, '#/users/alan', '#/roles/operators', '#/nowhere']) {
      await page.goto(`${stage.origin}/ops/${href}`)
      await page.locator('main h1').waitFor()
      await expect.poll(() => page.locator('.loading').count()).toBe(0)
      expect([href, await violationsIn(page)]).toEqual([href, []])
      expect(await page.evaluate<number>('document.documentElement.scrollWidth'), href).toBeLessThanOrEqual(
        options.viewport.width,
      )
    }
    await page.goto(`${stage.origin}/ops/#/sessions`)
    await page.getByRole('button', { name: /^End / }).first().click()
    await page.getByRole('dialog').waitFor()
    expect(await violationsIn(page)).toEqual([])
    expect(complaints).toEqual([])
  })
})
