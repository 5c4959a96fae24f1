/** A browser at the operators' page. */

import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { type PageStage, staff } from './page-stage.js'

/** What a page must not have: errors, refusals of its policy, requests to other hosts. */
export interface Visit {
  readonly context: BrowserContext
  readonly page: Page
  readonly complaints: string[]
}

/** A browser of its own. */
export async function visit(
  browser: Browser,
  { origin }: PageStage,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) complaints.push(request.url())
  })
  return { context, page, complaints }
}

/** Signs in at the login page that comes in place of the view. */
export async function signIn(
  page: Page,
  { origin }: PageStage,
  view = '',
  user: keyof typeof staff = 'ada',
): Promise<void> {
  await page.goto(`${origin}/ops/#/${view}`)
  await page.getByLabel('User name').fill(staff[user].name)
  await page.getByLabel('Password').fill(staff[user].password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
  // The login page does not know what stood behind the `#`.
  await page.goto(`${origin}/ops/#/${view}`)
}
