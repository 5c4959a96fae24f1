import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Request, Response } from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createAuthCore } from '../../lib/app/auth-core.js'
import { portalGates } from '../../lib/app/portal.js'
import { parseConfig } from '../../lib/config/parse.js'
import { getAuth } from '../../lib/core/auth.js'
import { StoreError } from '../../lib/core/errors.js'
import { anyLanguage } from '../../lib/core/languages.js'
import { toHandler } from '../../lib/http/gate.js'
import { refuseAtMount } from '../../lib/http/refusals.js'
import { portalRefusalAnswer } from '../../lib/portals/refusals.js'
import type { SingleSignOn } from '../../lib/portals/single-sign-on.js'
import { createRecord } from '../../lib/testing.js'
import { createKeyRing } from '../../lib/tokens/keys/key-ring.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import type { UserAccount } from '../../lib/users/user-store.js'
import { MemoryUserStore } from '../helpers/memory-user-store.js'
import { requestBytes, sendRaw } from '../helpers/raw-http.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { oneSetUp } from '../helpers/set-ups.js'
import { navigation, origin, ownForm } from './portal-front.js'

const start = Date.UTC(2026, 0, 1)
const password = 'Correct-horse-1'

/** What a test changes of the sign-on. */
interface Shared {
  account: UserAccount | undefined
  failure: Error | undefined
  /** Called when it was found. */
  onFound: (() => void) | undefined
}

/** Portals with a sign-on of the test's own, which is known by the cookie `sso=1`. */
async function startShared(root: Record<string, unknown> = {}) {
  let now = start
  const clock = (): number => now
  const config = parseConfig(root, { env: {} })
  const store = new MemoryTokenStore({ clock })
  const users = new MemoryUserStore({
    users: { alice: { password, roles: ['viewer'] }, root: { password, roles: ['admin'] } },
    roles: ['viewer'],
  })
  const { logger } = recordedLog()
  const keys = await createKeyRing({ algorithm: 'ES256' })
  const core = await createAuthCore({
    users,
    tokenStore: store,
    keys,
    failureFloorMs: 0,
    throttle: false,
    logger,
    clock,
  })
  const { events, revocations } = core
  const logins: unknown[] = []
  events.on('login', (event) => void logins.push(event))
  const { id } = createRecord('shared')
  const calls: string[] = []
  const shared: Shared = { account: undefined, failure: undefined, onFound: undefined }
  const singleSignOn: SingleSignOn = {
    find(request) {
      calls.push('find')
      if (shared.failure !== undefined) throw shared.failure
      const isKnown = request.headers.cookie?.includes('sso=1') === true && store.find(id) !== undefined
      shared.onFound?.()
      return isKnown && shared.account !== undefined ? { id, account: shared.account } : undefined
    },
    async start(_request, response, account) {
      calls.push('begin')
      shared.account = account
      store.add(createRecord('shared', { kind: 'sso', subject: account.subject, expiresAt: now + 3_600_000 }))
      response.appendHeader('Set-Cookie', 'sso=1')
      return id
    },
    end() {
      calls.push('end')
      store.remove(id)
      revocations.noteToken(id)
    },
  }
  const parts = { ...core, singleSignOn }
  const app = oneSetUp.express()
  for (const name of ['publisher', 'devportal', 'management_console']) {
    const row = { gates: portalGates(config, name, parts) }
    app.use(
      `/${name}`,
      toHandler(row, refuseAtMount(events, clock, portalRefusalAnswer({ languageOf: anyLanguage }))),
      (request: Request, response: Response) => {
        response.json(getAuth(request))
      },
    )
  }
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const call = (method: string, path: string, headers: readonly string[], body?: string) =>
    sendRaw(port, requestBytes(method, path, headers, body))
  return {
    calls,
    logins,
    store,
    shared,
    call,
    wait(milliseconds: number) {
      now += milliseconds
    },
    async signIn(portal: string, username = 'alice', headers: readonly string[] = []): Promise<string> {
      const type = 'Content-Type: application/x-www-form-urlencoded'
      const body = new URLSearchParams({ username, password }).toString()
      const answer = await call('POST', `/${portal}/login`, [...ownForm, type, ...headers], body)
      expect(answer.status, answer.body).toBe(303)
      return `${/__Host-sallyport-[^;]+/.exec(answer.header('set-cookie')!)![0]}`
    },
  }
}

const cookie = (...pairs: readonly string[]): string => `Cookie: ${pairs.join('; ')}`

describe('a sign-on that portals share', () => {
  it('begins with a password and opens the other portals, each with a session of its own', async () => {
    const front = await startShared()
    await front.signIn('publisher')
    const answer = await front.call('GET', '/devportal/x', [...navigation, cookie('sso=1')])
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({ subject: 'alice', kind: 'portal' })
    expect(answer.header('set-cookie')).toMatch(/^__Host-sallyport-devportal=[\w-]{43}; /)
    expect(front.store.list({ kind: 'portal' })).toHaveLength(2)
    const login = { at: start, address: '127.0.0.1', subject: 'alice', kind: 'portal' }
    expect(front.logins).toMatchObject([login, login])
    expect(front.store.list({ kind: 'portal' }).every(({ parent }) => parent === createRecord('shared').id)).toBe(true)
  })

  it.each([
    ['a fetch', 'GET', ['Accept: */*'], 401],
    ['a form', 'POST', ownForm, 303],
  ])('opens nothing for %s', async (_what, method, headers, status) => {
    const front = await startShared()
    await front.signIn('publisher')
    const answer = await front.call(method, '/devportal/x', [...headers, cookie('sso=1')])
    expect(answer.status).toBe(status)
    expect(answer.header('set-cookie')).toBeUndefined()
    expect(front.calls).toEqual(['begin'])
  })

  it('opens no portal whose own session was idle for too long', async () => {
    const front = await startShared()
    const session = await front.signIn('publisher')
    front.wait(30 * 60_000)
    const answer = await front.call('GET', '/publisher/x', [...navigation, cookie(session, 'sso=1')])
    expect(answer.status).toBe(303)
    expect(answer.header('location')).toBe('/publisher/login?return_to=%2Fpublisher%2Fx')
    expect(answer.header('set-cookie')).toBeUndefined()
    expect(front.calls).toEqual(['begin'])
    expect((await front.call('GET', '/devportal/x', [...navigation, cookie('sso=1')])).status).toBe(200)
  })

  it('never opens the management console, which begins none either', async () => {
    const front = await startShared()
    await front.signIn('publisher', 'root')
    const answer = await front.call('GET', '/management_console/x', [...navigation, cookie('sso=1')])
    expect(answer.status).toBe(303)
    const session = await front.signIn('management_console', 'root')
    await front.call('POST', '/management_console/logout', [...ownForm, cookie(session)])
    expect(front.calls).toEqual(['begin'])
  })

  it('ends with the logout at any portal, and takes the sessions of all of them along', async () => {
    const front = await startShared()
    const publisher = await front.signIn('publisher')
    const opened = await front.call('GET', '/devportal/x', [...navigation, cookie('sso=1')])
    const devportal = opened.header('set-cookie')!.split(';')[0]!
    await front.call('POST', '/publisher/logout', [`Origin: ${origin}`, cookie(publisher, 'sso=1')])
    expect(front.calls).toEqual(['begin', 'find', 'end'])
    for (const pair of [publisher, devportal]) {
      const path = pair.includes('publisher') ? '/publisher/x' : '/devportal/x'
      expect((await front.call('GET', path, [cookie(pair, 'sso=1')])).json()).toMatchObject({
        code: 'ERR_SESSION_ENDED',
      })
    }
    expect((await front.call('GET', '/devportal/x', [...navigation, cookie('sso=1')])).status).toBe(303)
  })

  it('ends with a logout that cannot end the session of the portal', async () => {
    const front = await startShared()
    const publisher = await front.signIn('publisher')
    const { remove } = front.store
    front.store.remove = (id) => {
      if (id === createRecord('shared').id) return remove.call(front.store, id)
      throw new StoreError('gone')
    }
    const answer = await front.call('POST', '/publisher/logout', [`Origin: ${origin}`, cookie(publisher, 'sso=1')])
    expect(answer.status).toBe(503)
    expect(front.calls).toEqual(['begin', 'end'])
    expect((await front.call('GET', '/devportal/x', [...navigation, cookie('sso=1')])).status).toBe(303)
  })

  it('lets nobody in whom the portal does not admit', async () => {
    const front = await startShared({ portal: { devportal: { roles: ['editor'] } } })
    await front.signIn('publisher')
    const answer = await front.call('GET', '/devportal/x', [...navigation, cookie('sso=1')])
    expect(answer.status).toBe(403)
    expect(answer.header('set-cookie')).toBeUndefined()
    expect(answer.body).toContain('403 ERR_ROLE_REQUIRED')
  })

  it('gives 503 and no way in when it cannot be read', async () => {
    const front = await startShared()
    front.shared.failure = new StoreError('gone')
    const answer = await front.call('GET', '/publisher/x', [...navigation, cookie('sso=1')])
    expect(answer.status).toBe(503)
    expect(answer.header('retry-after')).toBe('5')
    expect(answer.body).toContain('<h1>Not available right now</h1>')
    expect(answer.body).toContain('Try again in 5 seconds.')
  })

  it('opens nothing when it ends at the same moment', async () => {
    const front = await startShared()
    await front.signIn('publisher')
    front.shared.onFound = () => void front.store.remove(createRecord('shared').id)
    const answer = await front.call('GET', '/devportal/x', [...navigation, cookie('sso=1')])
    expect(answer.status).toBe(303)
    expect(answer.header('set-cookie')).toBeUndefined()
    expect(front.store.size).toBe(1)
  })
})
