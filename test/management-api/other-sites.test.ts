import { describe, expect, it } from 'vitest'
import { basic, startFront, users } from '../helpers/front.js'
import { serverSetUps } from '../helpers/set-ups.js'

describe.each(serverSetUps)('a login that another site makes a browser send, on $name', (setUp) => {
  it.each([
    ['an image', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' }],
    ['a link', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' }],
    ['an image of a sister site', { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'no-cors' }],
  ])('by %s is refused, though the browser adds the right password', async (_what, headers) => {
    const front = await startFront(setUp)
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    const answer = await front.call('GET', '/login', [basic(users.admin.name, users.admin.password), ...lines])
    expect(answer.status).toBe(403)
    expect(await front.security.tokens.list()).toEqual([])
  })

  it.each([
    [
      'a script that the CORS policy lets',
      { Origin: 'https://a.example', 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'cors' },
    ],
    ['the page itself', { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'no-cors' }],
    ['a person who typed the address', { 'Sec-Fetch-Site': 'none', 'Sec-Fetch-Mode': 'navigate' }],
    ['a program', {}],
  ])('by %s is taken', async (_what, headers) => {
    const front = await startFront(setUp)
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    expect((await front.call('GET', '/login', [basic(users.admin.name, users.admin.password), ...lines])).status).toBe(
      200,
    )
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
