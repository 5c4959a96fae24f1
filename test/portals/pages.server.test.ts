import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { violationsIn as violations } from '../helpers/axe.js'
import { startChromium } from '../helpers/chromium.js'
import { users } from '../helpers/front.js'
import { closedMount, idleMs, type Stage, startStage, type Window } from './portal-stage.js'

let browser: Browser
let stage: Stage
let window: Window
beforeAll(async () => {
  browser = await startChromium()
  stage = await startStage(browser, { protocol: 'https' })
})
afterAll(async () => {
  await stage.close()
  await browser.close()
})
beforeEach(async () => {
  window = await stage.newWindow()
})
afterEach(async () => {
  const { dialogs, complaints } = window
  await window.close()
  expect({ dialogs, complaints }).toEqual({ dialogs: [], complaints: [] })
})

async function violationsIn(page: Page): Promise<readonly string[]> {
  // axe waits for timers.
  await page.clock.resume()
  return violations(page)
}

async function signInWith(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('User name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

describe.each(['light', 'dark'] as const)('in %s, axe finds nothing wrong with', (colorScheme) => {
  beforeEach(async () => {
    await window.close()
    window = await stage.newWindow({ colorScheme })
  })

  it('the login page', async () => {
    expect(await violationsIn(await window.open('/carbon/login'))).toEqual([])
  })

  it('the login page after a mistake', async () => {
    const page = await window.open('/carbon/login')
    await signInWith(page, users.admin.name, 'wrong')
    await page.getByRole('alert').waitFor()
    expect(await violationsIn(page)).toEqual([])
  })

  it('the refusal of an address', async () => {
    const page = await window.open(closedMount)
    await page.getByText('403 ERR_IP_NOT_ALLOWED').waitFor()
    expect(await violationsIn(page)).toEqual([])
  })

  it('the refusal of somebody who may not enter', async () => {
    const page = await window.open('/carbon/login')
    await signInWith(page, users.reader.name, users.reader.password)
    await page.getByRole('alert').waitFor()
    expect(await violationsIn(page)).toEqual([])
  })

  it('the question whether to sign out', async () => {
    const page = await window.open('/carbon/logout')
    await page.getByRole('button', { name: 'Sign out' }).waitFor()
    expect(await violationsIn(page)).toEqual([])
  })

  it('the warning', async () => {
    const page = await window.signIn('/carbon/apis', users.admin)
    await stage.pass(idleMs - 30_000)
    await page.getByRole('alertdialog').waitFor()
    expect(await violationsIn(page)).toEqual([])
  })

  it('the warning while the server does not answer', async () => {
    const page = await window.signIn('/carbon/apis', users.admin)
    await stage.pass(idleMs - 30_000)
    await page.route('**/carbon/session', (route) => route.abort())
    await page.getByRole('button', { name: 'Stay signed in' }).click()
    await page.getByText('The server cannot be reached.').waitFor()
    expect(await violationsIn(page)).toEqual([])
  })
})

describe.each(['light', 'dark'] as const)('in %s and in German, axe finds nothing wrong with', (colorScheme) => {
  beforeEach(async () => {
    await window.close()
    window = await stage.newWindow({ colorScheme, locale: 'de-DE' })
  })

  it('the login page after a mistake', async () => {
    const page = await window.open('/carbon/login')
    await page.getByLabel('Benutzername').fill(users.admin.name)
    await page.getByLabel('Passwort').fill('wrong')
    await page.getByRole('button', { name: 'Anmelden' }).click()
    await page.getByRole('alert').waitFor()
    expect(await violationsIn(page)).toEqual([])
  })

  it('the refusal of an address, with the logo of the portal', async () => {
    const page = await window.open(closedMount)
    await page.getByText('Zugriffe von dieser Adresse sind nicht erlaubt.').waitFor()
    await page.getByRole('img', { name: 'Intranet' }).waitFor()
    expect(await page.evaluate(`document.querySelector('img').naturalWidth`)).toBe(160)
    expect(await violationsIn(page)).toEqual([])
  })

  it('the question whether to sign out', async () => {
    const page = await window.open('/carbon/logout')
    await page.getByRole('button', { name: 'Abmelden' }).waitFor()
    expect(await violationsIn(page)).toEqual([])
  })
})

describe('the built-in pages', () => {
  it.each(['/carbon/login', '/carbon/logout', closedMount])(
    'fit a phone of 320 pixels whose text is twice as large: %s',
    async (path) => {
      await window.close()
      window = await stage.newWindow({ viewport: { width: 320, height: 568 } })
      const page = await window.open(path)
      await page.evaluate(`document.documentElement.style.fontSize = '200%'`)
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
    },
  )

  it('have fields that differ from what is disabled: they are as light as the card around them', async () => {
    const page = await window.open('/carbon/login')
    const backgroundOf = (selector: string): Promise<unknown> =>
      page.evaluate(`getComputedStyle(document.querySelector('${selector}')).backgroundColor`)
    expect(await backgroundOf('input')).toBe(await backgroundOf('main'))
  })
})

describe('the login page', () => {
  it('says that the session has ended, and leads back', async () => {
    const page = await window.signIn('/carbon/apis', users.admin)
    await stage.pass(idleMs + 1000)
    await page.waitForURL(/\/carbon\/login/)
    await page.getByText('Your session has ended. Sign in again.').waitFor()
    await signInWith(page, users.admin.name, users.admin.password)
    await page.waitForURL(`${stage.origin}/carbon/apis`)
  })

  it('says that the password is wrong, keeps the name, and leads to the page asked for', async () => {
    const page = await window.open('/carbon/apis?sort=name')
    expect(page.url()).toContain('/carbon/login?return_to=')
    await signInWith(page, users.admin.name, 'wrong')
    await page.getByRole('alert').waitFor()
    expect(await page.getByLabel('User name').inputValue()).toBe(users.admin.name)
    expect(await page.getByLabel('Password').inputValue()).toBe('')

    await page.getByLabel('Password').fill(users.admin.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${stage.origin}/carbon/apis?sort=name`)
  })

  it('is used with the keyboard alone', async () => {
    const page = await window.open('/carbon/apis')
    await page.locator('input[name=username]:focus').waitFor()
    await page.keyboard.type(users.admin.name)
    await page.keyboard.press('Tab')
    await page.keyboard.type(users.admin.password)
    await page.keyboard.press('Tab')
    await page.locator('button:focus', { hasText: 'Sign in' }).waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL(`${stage.origin}/carbon/apis`)
  })

  it.each(['https://example.com/', '//example.com', '/\\example.com', '/elsewhere'])(
    'does not lead to %s',
    async (target) => {
      const page = await window.open(`/carbon/login?return_to=${encodeURIComponent(target)}`)
      await signInWith(page, users.admin.name, users.admin.password)
      await page.waitForURL(`${stage.origin}/carbon/`)
    },
  )

  it('refuses a form that another site sends', async () => {
    const page = await window.open('/carbon/login')
    await page.goto('about:blank')
    await page.setContent(
      `<form method="post" action="${stage.origin}/carbon/login"><input name="username" value="admin"><button>Go</button></form>`,
    )
    await page.getByRole('button', { name: 'Go' }).click()
    await page.getByText('403 ERR_CROSS_SITE').waitFor()
    expect(await window.context.cookies()).toEqual([])
  })
})
