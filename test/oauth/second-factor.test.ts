import { describe, expect, it } from 'vitest'
import type { UserAccount } from '../../lib/index.js'
import { codeAt, seed } from '../helpers/second-factor-front.js'
import { authorizeUrl, type Browser, newTokens, oauthFront, passwords, pkce, refresh, userinfo } from './front.js'

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

it('ends a sign-on that lacks a second factor, with all its tokens, as soon as its user needs one', async () => {
  let isAdmin = false
  const account = (): UserAccount => ({ subject: 'bob', roles: [], isAdmin, version: '1' })
  const userStore = { authenticate: async () => ({ account: account() }), find: async () => account(), close() {} }
  const tables = { internal_apis: {}, user_store: {}, portal: { second_factor: 'administrators' } }
  let now = Date.now()
  const front = await oauthFront({ tables, clock: () => now, options: { userStore } })
  const browser = front.browser()
  const tokens = await newTokens(front, browser, 'bob')
  const audience = 'https://api.example.com'
  const isAccepted = () => front.security.tokens.verify(tokens.access_token, { audience })
  expect(await isAccepted()).toMatchObject({ subject: 'bob', factors: ['password'] })
  isAdmin = true
  // The account is read again.
  now += 61_000
  await expect(async () => isAccepted()).rejects.toMatchObject({ code: 'ERR_TOKEN_INVALID' })
  expect((await userinfo(front, tokens.access_token)).status).toBe(401)
  expect((await refresh(front, tokens.refresh_token)).json()).toMatchObject({ error: 'invalid_grant' })
  const again = await browser.go(authorizeUrl(pkce().challenge))
  expect(again.headers.location).toContain('/login/')
})
