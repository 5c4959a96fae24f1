import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startChromium } from '../../helpers/chromium.js'
import { startFront, users } from '../../helpers/front.js'
import { serverSetUps } from '../../helpers/set-ups.js'

let browser: Browser

beforeAll(async () => {
  browser = await startChromium()
})
afterAll(() => browser.close())

/** A page of another site: `attack` sends requests in the ways that ask no CORS policy, `submitForm` leaves the page. */
const foreignPage = `<!doctype html><body></body><script>
function added(name, attributes) {
  return new Promise((resolve) => {
    const element = document.createElement(name)
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
    element.onload = element.onerror = resolve
    document.body.append(element)
  })
}
async function attack(login) {
  await added('img', { src: login })
  await added('img', { src: login, crossorigin: 'use-credentials' })
  await added('script', { src: login, type: 'module', crossorigin: 'use-credentials' })
  await added('iframe', { src: login })
  await fetch(login, { mode: 'no-cors', credentials: 'include' })
  await fetch(login, { mode: 'no-cors', credentials: 'include', method: 'POST', body: 'a=b' })
  navigator.sendBeacon(login, 'a=b')
  const form = '<form method="post" action="' + login + '"></form><script>document.forms[0].submit()</scr' + 'ipt>'
  await added('iframe', { sandbox: 'allow-forms allow-scripts', srcdoc: form })
}
function submitForm(login) {
  const form = document.createElement('form')
  form.method = 'post'
  form.action = login
  document.body.append(form)
  form.submit()
}
async function statusFor(login, credentials) {
  const answer = await fetch(login, { headers: { Authorization: 'Basic ' + credentials } })
  return answer.status
}
</script>`

// Covers: H08
describe.each(serverSetUps)('a browser that remembers a password, on $name', (setUp) => {
  // The name is another site, the address another port of the same one.
  it.each(['localhost', '127.0.0.1'])('logs nobody in for a page of %s', async (host) => {
    const { name, password } = users.admin
    const front = await startFront(setUp)
    const elsewhere = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html').end(foreignPage)
    }).listen(0)
    await once(elsewhere, 'listening')
    const context = await browser.newContext()
    onTestFinished(async () => {
      await context.close()
      elsewhere.closeAllConnections()
      elsewhere.close()
    })
    const page = await context.newPage()
    const login = `http://127.0.0.1:${front.port}/management/login`
    const logins = (): number => front.events.filter((event) => event.name === 'login').length
    const refused = (method: string): number =>
      front.events.filter(
        (event) => event.name === 'refusal' && event.code === 'ERR_CROSS_SITE' && event.method === method,
      ).length

    await page.goto(login.replace('//', `//${name}:${password}@`))
    expect(logins()).toBe(1)
    const foreign = `http://${host}:${(elsewhere.address() as AddressInfo).port}/`
    await page.goto(foreign)
    await page.evaluate(`attack('${login}')`)
    await page.goto(foreign)
    await Promise.all([page.waitForURL(login), page.evaluate(`submitForm('${login}')`)])
    expect(logins()).toBe(1)
    expect(refused('POST')).toBeGreaterThanOrEqual(4)
    expect(refused('GET')).toBeGreaterThanOrEqual(4)

    // A script that has the password itself.
    await page.goto(foreign)
    const status = await page.evaluate(`statusFor('${login}', '${btoa(`${name}:${password}`)}')`)
    expect(status).toBe(200)
    expect(logins()).toBe(2)
    expect((await front.security.tokens.list()).length).toBe(2)
  })
})
