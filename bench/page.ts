/**
 * How fast the operators' page is, with 10 000 sessions in the store, 100 000 lines in the audit trail and Chromium on the same machine:
 * its first paint, the first rows, rows after a key press in the search for sessions, and after the button of the search in the trail.
 *
 * Run it with `node --import tsx bench/page.ts`.
 *
 * @module
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { createCheckpointKey } from '../lib/audit/checkpoint.js'
import { type PageStage, pageDocument, staff, startPageStage } from '../test/console/page-stage.js'
import { startChromium } from '../test/helpers/chromium.js'
import { writeTrail } from './audit-lines.js'

const sessions = 10_000
const lines = 100_000
const runs = 15

const firstPaint = `new Promise((resolve) => new PerformanceObserver((list) => {
  const entry = list.getEntriesByName('first-contentful-paint')[0]
  if (entry) resolve(entry.startTime)
}).observe({ type: 'paint', buffered: true }))`

/** Presses the button, and waits until the rows of another search are drawn. */
const searchInTrail = `new Promise((resolve) => {
  const before = document.querySelector('tbody').textContent
  const begin = performance.now()
  document.querySelector('main form button[type=submit]').click()
  const look = () => {
    const body = document.querySelector('tbody')
    if (body === null || body.textContent === before) requestAnimationFrame(look)
    else requestAnimationFrame(() => resolve(performance.now() - begin))
  }
  look()
})`

const folder = mkdtempSync(join(tmpdir(), 'sallyport-page-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const file = join(folder, 'audit.log')
await writeTrail(file, lines, await createCheckpointKey(Buffer.alloc(32, 7)))

await using stage = await startPageStage({ sessions, source: { ...pageDocument, audit_trail: { file } } })
await using browser = await startChromium()
const page = await browser.newPage()
await signIn(page, stage)

const figures = new Map<string, number[]>()
for (let run = 0; run < runs; run++) await measure()
for (const [name, values] of figures) {
  const sorted = values.toSorted((one, other) => one - other)
  const at = (share: number) => `${Math.round(sorted[Math.floor((sorted.length - 1) * share)]!)} ms`
  console.log(`${name}: median ${at(0.5)}, fastest ${at(0)}, 90 of 100 below ${at(0.9)}`)
}

function note(name: string, ms: number): void {
  figures.set(name, [...(figures.get(name) ?? []), ms])
}

async function measure(): Promise<void> {
  await page.goto('about:blank')
  await page.goto(`${stage.origin}/ops/#/sessions`)
  await page.locator('tbody tr').nth(49).waitFor()
  note('first contentful paint', await page.evaluate<number>(firstPaint))
  note('first rows', await page.evaluate<number>('performance.getEntriesByName("rows")[0].startTime'))
  for (const text of ['katherine.7', '']) note('search for sessions', await page.evaluate<number>(search(text)))
  await page.goto(`${stage.origin}/ops/#/audit`)
  await page.getByRole('heading', { name: 'Audit', exact: true }).waitFor()
  await page.locator('tbody tr').nth(10).waitFor()
  for (const user of ['alice.5', 'bob.6']) {
    await page.getByLabel('User', { exact: true }).fill(user)
    note('search in the trail', await page.evaluate<number>(searchInTrail))
  }
}

/** Types into the search, and waits until the rows that it leaves are drawn. */
function search(text: string): string {
  return `new Promise((resolve) => {
    const input = document.querySelector('input[type=search]')
    const before = document.querySelector('.pager [role=status]').textContent
    const begin = performance.now()
    input.value = ${JSON.stringify(text)}
    input.dispatchEvent(new Event('input', { bubbles: true }))
    const look = () => {
      if (document.querySelector('.pager [role=status]').textContent === before) requestAnimationFrame(look)
      else requestAnimationFrame(() => resolve(performance.now() - begin))
    }
    look()
  })`
}

async function signIn(tab: Page, { origin }: PageStage): Promise<void> {
  await tab.addInitScript(`new MutationObserver((_, observer) => {
    if (document.querySelector('tbody tr') === null) return
    performance.mark('rows')
    observer.disconnect()
  }).observe(document, { childList: true, subtree: true })`)
  await tab.goto(`${origin}/ops/`)
  await tab.getByLabel('User name').fill(staff.ada.name)
  await tab.getByLabel('Password').fill(staff.ada.password)
  await tab.getByRole('button', { name: 'Sign in' }).click()
  await tab.getByRole('button', { name: 'Sign out' }).waitFor()
}
