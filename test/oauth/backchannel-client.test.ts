import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import express from 'express'
import { auth, type SessionStore } from 'express-openid-connect'
import { expect, it, onTestFinished } from 'vitest'
import { createSecurity, hashPassword } from '../../lib/index.js'
import { freePort } from '../helpers/free-port.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { confidentialSecret, passwords } from './front.js'

/** What is kept, by id. */
function memoryStore(): SessionStore {
  const entries = new Map<string, unknown>()
  return {
    get: (id: string, done: (error: unknown, entry?: unknown) => void) => done(null, entries.get(id)),
    set(id: string, entry: unknown, done?: (error?: unknown) => void) {
      entries.set(id, entry)
      done?.(null)
    },
    destroy(id: string, done?: (error?: unknown) => void) {
      entries.delete(id)
      done?.(null)
    },
  } as unknown as SessionStore
}

async function listening(app: express.Express, port: number): Promise<void> {
  const server = createServer(app).listen(port, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
}

/** A browser without a window: cookies by host and port, redirects followed, the login form filled in. */
async function open(jar: Map<string, Map<string, string>>, start: string): Promise<Response> {
  let url = start
  for (let step = 0; step < 12; step++) {
    const { origin } = new URL(url)
    const cookies = jar.get(origin) ?? new Map<string, string>()
    jar.set(origin, cookies)
    const isForm = url.includes('/oauth2/login/')
    const body = new URLSearchParams({ username: 'alice', password: passwords.alice })
    const headers = { origin, cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
    const answer = await fetch(url, { redirect: 'manual', headers, ...(isForm && { method: 'POST', body }) })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    const location = answer.headers.get('location')
    if (location === null) return answer
    url = new URL(location, url).href
  }
  throw new Error('went in circles')
}

it.each(['query', 'form_post'] as const)(
  'express-openid-connect signs in, and its session ends with revokeUser here (response_mode %s)',
  async (response_mode) => {
    const [port, appPort] = [await freePort(), await freePort()]
    const issuer = `http://localhost:${port}/oauth2`
    const base = `http://localhost:${appPort}`
    const provider = {
      name: 'shop',
      redirect_uris: [`${base}/callback`],
      client_secret: await hashPassword(confidentialSecret),
      response_modes: [response_mode],
      backchannel_logout_uri: `${base}/backchannel-logout`,
    }
    const users = [{ user: { name: 'alice', password: passwords.alice } }]
    const oauth = { enable: true, issuer, service_provider: [provider], backchannel_logout_allow: ['127.0.0.1'] }
    const security = await createSecurity({ internal_apis: { users }, oauth }, { logger: recordedLog().logger })
    onTestFinished(() => security.close())
    await listening(express().use('/oauth2', security.oauth()), port)

    const shop = express()
    const store = memoryStore()
    shop.use(
      auth({
        issuerBaseURL: issuer,
        baseURL: base,
        clientID: 'shop',
        clientSecret: confidentialSecret,
        secret: randomBytes(32).toString('hex'),
        authRequired: false,
        authorizationParams: { response_type: 'code', response_mode, scope: 'openid profile' },
        session: { store },
        backchannelLogout: true,
        ...(response_mode === 'form_post' && { transactionCookie: { sameSite: 'Lax' } }),
      }),
    )
    shop.get('/', (request, response) => void response.json({ user: request.oidc.user?.['sub'] ?? null }))
    await listening(shop, appPort)

    const jar = new Map<string, Map<string, string>>()
    const user = async () => ((await (await open(jar, base)).json()) as { user: unknown }).user
    const page = await open(jar, `${base}/login`)
    if (response_mode === 'form_post') {
      const fields = (await page.text()).matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"\/>/g)
      const body = new URLSearchParams(
        [...fields].map(([, name = '', value = '']) => [name, value] as [string, string]),
      )
      const cookies = jar.get(base)!
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const posted = await fetch(`${base}/callback`, { method: 'POST', redirect: 'manual', body, headers: { cookie } })
      for (const line of posted.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        cookies.set(name, value)
      }
    }
    expect(await user()).toBe('alice')
    await security.tokens.revokeUser('alice')
    await expect.poll(user).toBe(null)
  },
)
