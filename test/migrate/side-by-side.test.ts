/** The apps in `examples/migrate/`, before and after, get the same requests. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { hashPassword } from '../../lib/index.js'
import { freePort } from '../helpers/free-port.js'
import { type Answer, type Call, Client, form, password, startExample } from './started-example.js'

const basic = (name: string, word: string) => `Basic ${Buffer.from(`${name}:${word}`).toString('base64')}`

/** Starts each file and tells the same story to both, one after the other. */
async function tell<Story>(
  files: readonly [before: string, after: string],
  story: (client: Client) => Promise<Story>,
  options: Parameters<typeof startExample>[1] = {},
): Promise<readonly [before: Story, after: Story]> {
  const [before, after] = await Promise.all(files.map((file) => startExample(file, options)))
  return [await story(new Client(before!)), await story(new Client(after!))]
}

describe('an app that used passport-local and express-session', () => {
  async function story(client: Client): Promise<Readonly<Record<string, Answer>>> {
    const json = (body: unknown) => ({
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
    return {
      anonymous: await client.call('/shop/basket'),
      refusedLogin: await client.call('/shop/login', form({ username: 'alice', password: 'wrong' })),
      login: await client.call('/shop/login', form({ username: 'alice', password })),
      home: await client.call('/shop/'),
      emptyBasket: await client.call('/shop/basket'),
      purchase: await client.call('/shop/basket', json({ item: 'tea' })),
      basket: await client.call('/shop/basket'),
      logout: await client.call('/shop/logout', { method: 'POST' }),
      afterLogout: await client.call('/shop/basket'),
      secondLogin: await client.call('/shop/login', form({ username: 'alice', password })),
      newBasket: await client.call('/shop/basket'),
    }
  }

  it('answers as before, with request.user and a basket in express-session', async () => {
    const [before, after] = await tell(['passport-local/before.js', 'passport-local/after.js'], story)
    expect(after).toEqual(before)
    expect(after).toEqual({
      anonymous: { status: 401 },
      refusedLogin: { status: 401 },
      login: { status: 303, location: '/shop/' },
      home: { status: 200, body: { hello: 'alice' } },
      emptyBasket: { status: 200, body: { items: [] } },
      purchase: { status: 200, body: { items: ['tea'] } },
      basket: { status: 200, body: { items: ['tea'] } },
      logout: { status: 204 },
      afterLogout: { status: 401 },
      secondLogin: { status: 303, location: '/shop/' },
      newBasket: { status: 200, body: { items: [] } },
    })
  })
})

describe.each([
  { name: 'express-jwt', files: ['jwt/before.js', 'jwt/after.js'], usesExpress4: false },
  { name: 'passport-jwt, in CommonJS on Express 4', files: ['jwt/before.cjs', 'jwt/after.cjs'], usesExpress4: true },
] as const)('an API that used $name', ({ files, usesExpress4 }) => {
  async function story(client: Client) {
    const login = (name: string, word: string) =>
      client.send('/management/login', { headers: { Authorization: basic(name, word) } })
    const tokenOf = async (name: string) => {
      const { text } = await login(name, password)
      return (JSON.parse(text) as { AccessToken: string }).AccessToken
    }
    const call = async (path: string, token: string) => {
      const { status, body } = await client.call(path, { headers: { Authorization: `Bearer ${token}` } })
      return { status, body }
    }
    const [alice, root] = [await tokenOf('alice'), await tokenOf('root')]
    return {
      refusedLogin: (await login('alice', 'wrong')).status,
      anonymous: (await client.call('/management/whoami')).status,
      forged: (await call('/management/whoami', `${alice}x`)).status,
      caller: await call('/management/whoami', alice),
      notForAlice: (await call('/management/reports', alice)).status,
      forRoot: await call('/management/reports', root),
      logout: (await call('/management/logout', alice)).status,
      copiedToken: (await call('/management/whoami', alice)).status,
    }
  }

  it('answers as before, but refuses a token after its logout', async () => {
    const [before, after] = await tell(files, story, { usesExpress4 })
    expect(before).toEqual({
      refusedLogin: 401,
      anonymous: 401,
      forged: 401,
      caller: { status: 200, body: { name: 'alice' } },
      notForAlice: 403,
      forRoot: { status: 200, body: { reports: [] } },
      logout: 200,
      copiedToken: 200,
    })
    expect(after).toEqual({ ...before, copiedToken: 401 })
  })
})

describe('a page that used express-openid-connect', () => {
  /** Follows redirects as a browser does, fills in the form that it comes to, and resolves with the page behind it. */
  async function signIn(client: Client): Promise<Answer> {
    const headers = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }
    let [target, call]: [string, Call] = [`${client.origin}/`, { headers }]
    for (let step = 0; step < 15; step++) {
      const { status, location, text } = await client.send(target, call)
      if (location !== undefined) [target, call] = [new URL(location, target).href, { headers }]
      else if (text.includes('<form')) {
        const action = /action="([^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? ''
        target = new URL(action, target).href
        call = form({ username: 'alice', password, return_to: '/' })
      } else return { status, body: JSON.parse(text) }
    }
    throw new Error(`there is no end of redirects; the last led to ${target}`)
  }

  const story = async (client: Client) => ({
    program: (await client.call('/', { headers: { Accept: 'application/json' } })).status,
    signedIn: await signIn(client),
    again: await client.call('/'),
  })

  it('shows the same page after signing in, without a provider', async () => {
    const ports = [await freePort(), await freePort()]
    const env = {
      PORT: String(ports[0]),
      BASE_URL: `http://127.0.0.1:${ports[0]}`,
      ISSUER: `http://127.0.0.1:${ports[1]}/oauth2`,
      CLIENT_SECRET: 'a secret of this test alone',
      CLIENT_SECRET_HASH: await hashPassword('a secret of this test alone'),
    }
    await startExample('openid-connect/provider.js', { env })
    const before = await story(new Client(await startExample('openid-connect/before.js', { env })))
    const after = await story(new Client(await startExample('openid-connect/after.js')))
    expect(after).toEqual(before)
    const page = { status: 200, body: { hello: 'alice' } }
    expect(after).toEqual({ program: 401, signedIn: page, again: page })
  })
})

describe('an app that used express-ipfilter', () => {
  const statusFrom = async (client: Client, address?: string) =>
    (await client.call('/', address === undefined ? {} : { headers: { 'X-Forwarded-For': address } })).status

  it('lets the same addresses in', async () => {
    const addresses = ['10.1.2.3', '11.1.2.3', '192.0.2.7', '192.0.2.8', '2001:db8::1', '10.1.2.3, 11.1.2.3', undefined]
    const [before, after] = await tell(['ipfilter/before.js', 'ipfilter/after.js'], (client) =>
      Promise.all(addresses.map((address) => statusFrom(client, address))),
    )
    expect(after).toEqual(before)
    expect(after).toEqual([200, 403, 200, 403, 403, 403, 403])
  })
})

describe('a deployment.toml of WSO2', () => {
  const deployments = fileURLToPath(new URL('../config/deployments', import.meta.url))

  it('of Micro Integrator guards an app as it is', async () => {
    const client = new Client(await startExample('wso2/after.js'))
    const call = (path: string, authorization?: string) =>
      client.call(
        `/management${path}`,
        authorization === undefined ? {} : { headers: { Authorization: authorization } },
      )
    const login = await call('/login', basic('admin', password))
    expect(login).toEqual({ status: 200, body: { AccessToken: expect.any(String) } })
    const bearer = `Bearer ${(login.body as { AccessToken: string }).AccessToken}`
    expect(await call('/apis')).toEqual({ status: 401 })
    expect(await call('/apis', bearer)).toEqual({ status: 200, body: { count: 0, list: [] } })
    expect((await call('/users', bearer)).status).toBe(403)
    expect((await call('/logout', bearer)).status).toBe(200)
    expect(await call('/apis', bearer)).toEqual({ status: 401 })
  })

  it('of API Manager starts as it is, and refuses logins with 503 until its database is one that Sallyport reads', async () => {
    const file = `${deployments}/apim/apim-shipped.toml`
    expect(readFileSync(file, 'utf8')).toContain('type = "h2"')
    const client = new Client(await startExample('wso2/after.js', { env: { FILE: file } }))
    expect((await client.call('/publisher/')).status).toBe(401)
    expect((await client.call('/publisher/login', form({ username: 'admin', password: 'admin' }))).status).toBe(503)
  })
})
