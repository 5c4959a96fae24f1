import { describe, expect, it } from 'vitest'
import { FairCache } from '../../lib/oauth/fair-cache.js'
import {
  authorizeUrl,
  callback,
  exchange,
  newCode,
  newTokens,
  oauthFront,
  origin,
  passwords,
  pkce,
  refresh,
  userinfo,
} from './front.js'

const form = new URLSearchParams({ username: 'alice', password: passwords.alice })

// Covers: G21
describe('a started sign-in', () => {
  it('outlives any number of sign-ins that others start, from the same address as well', async () => {
    const front = await oauthFront({ oauth: { max_tokens: 3 } })
    const browser = front.browser()
    const { verifier, challenge } = pkce()
    const started = await browser.go(authorizeUrl(challenge))
    const forgedSession = { cookie: '__Host-sallyport-sso=made-up' }
    for (let count = 0; count < 20; count++) {
      await front.browser().go(authorizeUrl(pkce().challenge), count % 2 === 0 ? {} : { headers: forgedSession })
    }
    const answer = await browser.go(started.headers.location!, { method: 'POST', body: form })
    const back = await browser.go(answer.headers.location!)
    const code = new URL(back.headers.location!).searchParams.get('code')!
    expect((await exchange(front, code, verifier)).status).toBe(200)
  })

  it.each([
    ['changed', (url: string) => `${url.slice(0, -2)}AA`],
    ['of another sign-in', (url: string, other: string) => `${url.split('?')[0]}?${other.split('?')[1]}`],
    ['left out', (url: string) => url.split('?')[0]!],
  ])('is nothing where what the address holds is %s', async (_how, change) => {
    const front = await oauthFront()
    const browser = front.browser()
    const { headers } = await browser.go(authorizeUrl(pkce().challenge))
    const other = await front.browser().go(authorizeUrl(pkce().challenge))
    expect((await browser.go(change(headers.location!, other.headers.location!))).status).toBe(400)
    expect((await browser.go(headers.location!)).status).toBe(200)
  })

  it('ends after a quarter of an hour', async () => {
    let ahead = 0
    const front = await oauthFront({ clock: () => Date.now() + ahead })
    const browser = front.browser()
    const { headers } = await browser.go(authorizeUrl(pkce().challenge))
    ahead = 14 * 60_000
    expect((await browser.go(headers.location!)).status).toBe(200)
    ahead = 15 * 60_000
    expect((await browser.go(headers.location!)).status).toBe(400)
  })

  it('shows nothing of the request in its address', async () => {
    const front = await oauthFront()
    const { headers } = await front.browser().go(authorizeUrl(pkce().challenge, { state: 'a-state-of-the-client' }))
    const [, payload = ''] = headers.location!.split('request=')
    const decoded = payload.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'))
    expect(decoded.join()).not.toContain('a-state-of-the-client')
  })

  it('may have a long state, within what servers and proxies take', async () => {
    const front = await oauthFront()
    const state = 'x'.repeat(4000)
    const { back } = await newCode(front.browser(), { state })
    expect(back.searchParams.get('state')).toBe(state)
    const answer = await front.browser().go(authorizeUrl(pkce().challenge, { state: 'x'.repeat(8000) }))
    const refused = new URL(answer.headers.location!)
    expect([refused.href.startsWith(callback), refused.searchParams.get('error')]).toEqual([true, 'invalid_request'])
  })
})

// Covers: C12
describe('a user who signs in without end', () => {
  it('evicts no grant, token or sign-on of another user', async () => {
    const front = await oauthFront({ oauth: { max_tokens: 6 } })
    const bob = front.browser()
    const tokens = await newTokens(front, bob, 'bob')
    for (let count = 0; count < 12; count++) await newTokens(front, front.browser())
    expect((await userinfo(front, tokens.access_token)).status).toBe(200)
    expect((await refresh(front, tokens.refresh_token)).status).toBe(200)
    expect((await newCode(bob, { prompt: 'none' })).code).not.toBe('')
  })

  it('loses the sign-in that was not used for the longest time', async () => {
    const front = await oauthFront({ oauth: { max_tokens: 2 } })
    const [oldest, older, newest] = [
      await newTokens(front, front.browser()),
      await newTokens(front, front.browser()),
      await newTokens(front, front.browser()),
    ]
    const answers = await Promise.all([oldest, older, newest].map((tokens) => refresh(front, tokens.refresh_token)))
    expect(answers.map(({ status }) => status)).toEqual([400, 200, 200])
  })
})

describe('a cache', () => {
  function cacheOf(maxEntries: number) {
    let now = 0
    const evicted: string[] = []
    const cache = new FairCache<{ id: string; subject: string; expiresAt: number }>({
      maxEntries,
      clock: () => now,
      onEvict: ({ id }) => void evicted.push(id),
    })
    const add = (id: string, subject: string, expiresAt = 100) => cache.set(id, { id, subject, expiresAt })
    const pass = (milliseconds: number) => {
      now += milliseconds
    }
    return { cache, evicted, add, pass }
  }

  it('evicts what has expired first, and only what has', () => {
    const { evicted, add, pass } = cacheOf(3)
    add('a', 'alice', 10)
    add('b', 'bob', 10)
    add('a', 'alice', 20)
    add('c', 'carol', 30)
    pass(10)
    add('d', 'dave', 40)
    expect(evicted).toEqual(['b'])
  })

  it('evicts the longest idle of a user who holds more than half, else that of all', () => {
    const { cache, evicted, add } = cacheOf(4)
    for (const id of ['a1', 'a2', 'a3']) add(id, 'alice')
    add('b1', 'bob')
    cache.get('a1')
    add('a4', 'alice')
    expect(evicted).toEqual(['a2'])
    add('b2', 'bob')
    expect(evicted).toEqual(['a2', 'a3'])
    add('c1', 'carol')
    expect(evicted).toEqual(['a2', 'a3', 'b1'])
  })

  it('counts an entry that is replaced or removed once', () => {
    const { cache, evicted, add } = cacheOf(2)
    add('x', 'alice')
    add('x', 'bob')
    cache.delete('x')
    cache.delete('x')
    add('y', 'alice')
    add('z', 'alice')
    expect([evicted, cache.peek('x')]).toEqual([[], undefined])
    cache.clear()
    expect(cache.get('y')).toBe(undefined)
  })
})

describe('a sign-out of somebody who is not signed in', () => {
  it('asks nothing, and goes where the client wants it', async () => {
    const front = await oauthFront({ oauth: { max_tokens: 1 } })
    const query = new URLSearchParams({
      client_id: 'devportal-app',
      post_logout_redirect_uri: `${origin}/devportal/`,
      state: 'bye',
    })
    const answer = await front.browser().go(`/oauth2/logout?${query}`)
    expect([answer.status, answer.headers.location]).toEqual([303, `${origin}/devportal/?state=bye`])
    const alone = await front.browser().go('/oauth2/logout')
    expect([alone.status, alone.headers.location]).toEqual([303, `${origin}/oauth2/logout/success`])
  })
})
