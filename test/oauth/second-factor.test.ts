import { describe, expect, it } from 'vitest'
import { codeAt, seed } from '../helpers/second-factor-front.js'
import { authorizeUrl, type Browser, oauthFront, passwords, pkce } from './front.js'

const users = [
  { user: { name: 'alice', password: passwords.alice, totp: seed } },
  { user: { name: 'bob', password: passwords.bob } },
]

async function openLogin(browser: Browser): Promise<string> {
  const asked = await browser.go(authorizeUrl(pkce().challenge))
  return String(asked.headers.location)
}

describe('the login page of the authorization server', () => {
  it('asks for the second factor, and signs nobody in before', async () => {
    const front = await oauthFront({ tables: { internal_apis: { users } } })
    const browser = front.browser()
    const page = await openLogin(browser)
    const form = { username: 'alice', password: passwords.alice }
    const asked = await browser.go(page, { method: 'POST', body: new URLSearchParams(form) })
    expect([asked.status, asked.text.includes('authenticator app')]).toEqual([200, true])
    const wrong = await browser.go(page, { method: 'POST', body: new URLSearchParams({ code: '000000' }) })
    expect(wrong.status).toBe(401)
    const code = codeAt(Date.now())
    const right = await browser.go(page, { method: 'POST', body: new URLSearchParams({ code }) })
    expect(right.status).toBe(303)
    expect((await browser.go(String(right.headers.location))).headers.location).toContain('code=')
  })

  it('is no way around what the portals demand', async () => {
    const tables = { internal_apis: { users }, portal: { second_factor: 'all' } }
    const front = await oauthFront({ tables })
    const browser = front.browser()
    const page = await openLogin(browser)
    const form = { username: 'bob', password: passwords.bob }
    const refused = await browser.go(page, { method: 'POST', body: new URLSearchParams(form) })
    expect([refused.status, refused.text.includes('Ask an administrator')]).toEqual([401, true])
  })
})
