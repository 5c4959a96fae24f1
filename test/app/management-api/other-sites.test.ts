import { describe, expect, it } from 'vitest'
import { basic, document, startFront, users } from '../../helpers/front.js'
import { twoSetUps } from '../../helpers/set-ups.js'

// Covers: H08
describe.each(twoSetUps)('a login that another site makes a browser send, on $name', (setUp) => {
  const login = basic(users.admin.name, users.admin.password)
  const script = ['Origin: https://a.example', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: cors']
  const listed = document({ managementApi: { cors: { allowed_origins: 'https://a.example' } } })

  it.each<[string, readonly string[], object?]>([
    ['an image', ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors']],
    ['a link', ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate']],
    ['an image of a sister site', ['Sec-Fetch-Site: same-site', 'Sec-Fetch-Mode: no-cors']],
    ['a form', ['Origin: https://evil.example', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate']],
    ['a form in a sandbox', ['Origin: null', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate']],
    [
      'a form of a sister site',
      ['Origin: https://front.test:1', 'Sec-Fetch-Site: same-site', 'Sec-Fetch-Mode: navigate'],
    ],
    ['a beacon', ['Origin: https://evil.example', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors']],
    ['an image that asks the CORS policy', [...script, 'Sec-Fetch-Dest: image']],
    ['a fetch with what the browser remembers', [...script, 'Sec-Fetch-Storage-Access: none']],
    ['an old browser', ['Origin: https://evil.example']],
    ['an old browser in a sandbox', ['Origin: null']],
    [
      'a script of an origin that is not listed',
      ['Origin: https://b.example', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: cors'],
      listed,
    ],
    ['a form of a listed origin', [...script.slice(0, 2), 'Sec-Fetch-Mode: navigate'], listed],
    ['a script, with CORS off', script, document({ managementApi: { cors: { enable: false } } })],
  ])('by %s is refused, though the browser adds the right password', async (_what, headers, source = document()) => {
    const front = await startFront(setUp, { source })
    for (const method of ['GET', 'POST']) {
      const answer = await front.call(method, '/login', [login, 'Accept: */*', ...headers])
      expect([answer.status, answer.json()['code']]).toEqual([403, 'ERR_CROSS_SITE'])
    }
    expect(await front.security.tokens.list()).toEqual([])
  })

  it.each<[string, readonly string[], object?]>([
    ['a script that the CORS policy lets', script],
    ['a script of a listed origin', [...script, 'Sec-Fetch-Dest: empty'], listed],
    ['a script of a sister site', [...script.slice(0, 1), 'Sec-Fetch-Site: same-site', 'Sec-Fetch-Mode: cors']],
    ['an old browser, from a listed origin', script.slice(0, 1), listed],
    ['the page itself', ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Mode: no-cors']],
    [
      'a form of the page itself',
      ['Origin: http://front.test', 'Sec-Fetch-Site: same-origin', 'Sec-Fetch-Mode: navigate'],
    ],
    ['a person who typed the address', ['Sec-Fetch-Site: none', 'Sec-Fetch-Mode: navigate']],
    ['a program', []],
    ["Node's fetch", ['Sec-Fetch-Mode: cors', 'Accept-Language: *']],
  ])('by %s is taken', async (_what, headers, source = document()) => {
    const front = await startFront(setUp, { source })
    for (const method of ['GET', 'POST'])
      expect((await front.call(method, '/login', [login, ...headers])).status).toBe(200)
  })
})

it('a page of another site cannot have the people who visit it locked out', async () => {
  const front = await startFront()
  const { name, password } = users.admin
  const foreign = ['Origin: https://evil.example', 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: cors']
  for (let guess = 0; guess < 5; guess++) await front.call('GET', '/login', [basic(name, 'a-wrong-guess'), ...foreign])
  expect((await front.call('GET', '/login', [basic(name, password), ...foreign])).status).toBe(429)
  expect((await front.call('GET', '/login', [basic(name, password)])).status).toBe(200)
})
