import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { startChromium } from '../helpers/chromium.js'
import { secret } from '../helpers/recorded-log.js'
import { type PageStage, type PageStageOptions, pageDocument, staff, startPageStage } from './page-stage.js'
import { signIn, type Visit, visit } from './page-visit.js'

let browser: Browser
beforeAll(async () => {
  browser = await startChromium()
})
afterAll(() => browser?.close())

const ends: (() => PromiseLike<unknown> | undefined)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A front where other people have these names, and are signed in. */
async function stageWith(names: readonly string[], options: PageStageOptions = {}): Promise<PageStage> {
  const stage = await startPageStage(options)
  ends.push(() => stage[Symbol.asyncDispose]())
  for (const name of names) {
    const password = secret('Somebody-password-7')
    await stage.store.add({ name, password, isAdmin: false })
    await logIn(stage, name, password)
  }
  return stage
}

async function logIn({ origin }: PageStage, name: string, password: string): Promise<number> {
  const authorization = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
  return (await fetch(`${origin}/management/login`, { headers: { Authorization: authorization } })).status
}

async function open(stage: PageStage, view: string): Promise<Visit> {
  const visited = await visit(browser, stage)
  ends.push(() => visited.context.close())
  await signIn(visited.page, stage, view)
  return visited
}

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true })

it('shows in every view the characters of a name that nobody could see', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-names-'))
  ends.push(async () => rmSync(folder, { recursive: true }))
  const name = 'al\u202Ena\u00AD\u2800'
  const shown = 'al\\u{202E}na\\u{AD}\\u{2800}'
  const role = 'view\u200Bers'
  const shownRole = 'view\\u{200B}ers'
  const source = { ...pageDocument, audit_trail: { file: join(folder, 'audit.log') } }
  const stage = await stageWith([name], { source })
  await stage.store.addRole(role)
  for (let count = 0; count < 5; count++) await logIn(stage, name, `wrong ${count}`)

  const { page, complaints } = await open(stage, 'users')
  const seeNothingHidden = async (): Promise<void> => {
    // What a field sends is the name itself.
    expect((await page.content()).replaceAll(/ value="[^"]*"/g, '')).not.toMatch(/[\u202E\u00AD\u200B\u2800]/)
    expect(await page.title()).not.toMatch(/[\u202E\u00AD\u200B\u2800]/)
  }
  await page.getByRole('link', { name: shown }).click()
  await heading(page, shown).waitFor()
  await page.getByRole('button', { name: 'Give a role' }).click()
  await page.getByRole('combobox', { name: 'Role' }).selectOption({ label: shownRole })
  await seeNothingHidden()
  await page.getByRole('button', { name: 'Give role' }).click()
  await page.getByText(`${shown} has the role ${shownRole} now.`).waitFor()
  await seeNothingHidden()
  await page.getByRole('button', { name: 'Set password' }).click()
  await page.getByRole('dialog', { name: `Set the password of ${shown}` }).waitFor()
  await seeNothingHidden()
  await page.keyboard.press('Escape')

  await page.getByRole('link', { name: shownRole }).click()
  await heading(page, shownRole).waitFor()
  await page.getByRole('link', { name: shown }).waitFor()
  await seeNothingHidden()
  for (const [view, seen] of [
    ['roles', page.getByRole('link', { name: shownRole })],
    ['audit', page.getByRole('cell', { name: shown }).first()],
    ['locks', page.getByRole('button', { name: `Lift the lock of ${shown}` })],
    ['', page.locator('.events').getByText(shown).first()],
    ['sessions', page.getByRole('link', { name: shown })],
  ] as const) {
    await page.goto(`${stage.origin}/ops/#/${view}`)
    await seen.waitFor()
    await seeNothingHidden()
  }
  await page.getByRole('button', { name: `End management token of ${shown}` }).click()
  await page.getByRole('dialog', { name: `End this session of ${shown}?` }).waitFor()
  await seeNothingHidden()
  await page.getByRole('button', { name: 'End session' }).click()
  await page.getByText(`The management token of ${shown} from 127.0.0.1 was ended.`).waitFor()
  await seeNothingHidden()
  expect(complaints).toEqual([])
})

it('counts the sessions that end, also where the name has a star', async () => {
  const stage = await stageWith(['ana*', 'anab', 'anabel'])
  const { page, complaints } = await open(stage, `users/${encodeURIComponent('ana*')}`)
  await page.getByRole('button', { name: 'End all sessions of ana*' }).click()
  expect(await page.locator('tbody tr').count()).toBe(1)
  await page
    .getByRole('dialog', { name: 'End 1 session of ana*?' })
    .getByRole('button', { name: 'End 1 session' })
    .click()
  await page.getByText('1 session of ana* was ended.').waitFor()
  await page.getByText('ana* is not signed in.').waitFor()
  expect(await stage.security.tokens.list({ subject: 'anab' })).toHaveLength(1)
  expect(complaints).toEqual([])
})

it('asks for the events every few seconds where there is no stream', async () => {
  const stage = await stageWith([], {
    prepare: (app) =>
      app.use('/ops/api/events', (request, response, next) => {
        if (request.get('Accept') === 'text/event-stream') response.status(503).json({ Error: 'Too many.' })
        else next()
      }),
  })
  const { page, complaints } = await open(stage, '')
  await page.getByText('Every few seconds', { exact: true }).waitFor()
  await logIn(stage, staff.alan.name, staff.alan.password)
  await page
    .getByRole('listitem')
    .filter({ hasText: /logged in\s*alan/ })
    .waitFor()
  expect(complaints.filter((text) => !text.includes('503'))).toEqual([])
})
