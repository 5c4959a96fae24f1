import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { violationsIn as violations } from '../helpers/axe.js'
import { startChromium } from '../helpers/chromium.js'
import { codeAt, password, startSecondFactors } from '../helpers/second-factor-front.js'

const desktop = { width: 1000, height: 800 }
const phone = { width: 320, height: 640 }

let browser: Browser
beforeAll(async () => {
  browser = await startChromium()
})
afterAll(async () => {
  await browser.close()
})

/** The rules that a page breaks, and whether it is wider than its window. */
async function violationsIn(page: Page): Promise<readonly string[]> {
  expect(await page.evaluate('document.documentElement.scrollWidth > window.innerWidth')).toBe(false)
  const folder = process.env['SCREENSHOTS']
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${Date.now()}.png`, fullPage: true })
  return violations(page)
}

async function enter(page: Page, label: string, code: string): Promise<void> {
  await page.getByLabel(label, { exact: true }).fill(code)
  await page.getByRole('button', { name: 'Continue' }).click()
}

describe.each([
  { colorScheme: 'light', viewport: desktop },
  { colorScheme: 'dark', viewport: phone },
] as const)('in %o', ({ colorScheme, viewport }) => {
  it('a user sets up a second factor and signs in with it, on pages without a mistake', async () => {
    const front = await startSecondFactors({ portal: { second_factor: 'administrators' } })
    const invitation = await front.secondFactors.createEnrolmentCode('root', 86_400_000)
    const server: Server = front.app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const context = await browser.newContext({ colorScheme, viewport })
    try {
      const page = await context.newPage()
      const complaints: string[] = []
      page.on('console', (message) => void complaints.push(message.text()))
      const { port } = server.address() as AddressInfo
      await page.goto(`http://localhost:${port}/management_console/login`)

      async function signIn(): Promise<void> {
        await page.getByLabel('User name').fill('root')
        await page.getByLabel('Password').fill(password)
        await page.getByRole('button', { name: 'Sign in' }).click()
      }
      await signIn()
      expect(await violationsIn(page)).toEqual([])
      await enter(page, 'Setup code', invitation)
      expect(await violationsIn(page)).toEqual([])
      const secret = (await page.locator('code').textContent())!.replaceAll(' ', '')
      await enter(page, 'Code of the app', codeAt(front.now, secret))
      expect(await page.locator('li').count()).toBe(10)
      expect(await violationsIn(page)).toEqual([])
      await page.getByRole('link', { name: 'Continue' }).click()
      expect(await page.textContent('body')).toContain('"subject":"root"')

      await context.clearCookies()
      front.now += 60_000
      await page.goto(`http://localhost:${port}/management_console/login`)
      await signIn()
      expect(await page.evaluate('document.activeElement.id')).toBe('code')
      expect(await violationsIn(page)).toEqual([])
      await enter(page, 'Code', '000000')
      expect(await violationsIn(page)).toEqual([])
      await enter(page, 'Code', codeAt(front.now, secret))
      expect(await page.textContent('body')).toContain('"subject":"root"')
      expect(complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([])
    } finally {
      await context.close()
      server.closeAllConnections()
      server.close()
    }
  })
})
