/** Whatever a request causes can be found by its `X-Request-Id` and its `traceparent`. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import express, { type Express } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Security } from '../../lib/app/security.js'
import type { SecurityOptions } from '../../lib/app/security-options.js'
import type { AuditRecord } from '../../lib/audit/audit-record.js'
import { StoreError } from '../../lib/core/errors.js'
import { eventNames } from '../../lib/core/events.js'
import { hashPassword } from '../../lib/index.js'
import { createApiToken, hashApiToken } from '../../lib/tokens/machines/api-token-text.js'
import { basic, bearer, type Front, startFront, users } from '../helpers/front.js'
import { folderWith } from '../helpers/key-files.js'
import { type ManagedFront, people, startManagedFront } from '../helpers/managed-front.js'
import { secret } from '../helpers/recorded-log.js'
import { codeAt, Browser as FormBrowser, startSecondFactors } from '../helpers/second-factor-front.js'
import { oneSetUp } from '../helpers/set-ups.js'
import { FakeProvider } from '../identity-providers/fake-provider.js'
import { startShop, Visitor } from '../identity-providers/provider-front.js'
import {
  callback,
  confidentialSecret,
  exchange,
  issuer,
  newCode,
  type OauthFront,
  oauthFront,
  providers,
} from '../oauth/front.js'
import { type PortalFront, startPortals } from '../portals/portal-front.js'
import { newFolder, readRecords } from './open-trail.js'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const json = 'Content-Type: application/json'
const password = secret('New-password-of-dave')

/** As if each request had come with both headers. */
function correlate(app: Express): void {
  app.use((request, _response, next) => {
    Object.assign(request.headers, { 'x-request-id': 'req-7', traceparent })
    next()
  })
}

type Cause = () => Promise<readonly AuditRecord[]>

const provider = new FakeProvider()
const apiToken = secret(createApiToken())
let now = Date.now()
const api_tokens = [{ name: 'deploy', hash: hashApiToken(apiToken), expires: new Date(now + 86_400_000) }]
let serverApp: object
let break_glass: object
beforeAll(async () => {
  await provider.start()
  break_glass = { enable: true, user: 'helper', password: await hashPassword(password), allow: ['127.0.0.1'] }
  const client_secret = await hashPassword(confidentialSecret)
  serverApp = { name: 'server-app', redirect_uris: [callback], client_secret, grants: ['client_credentials'] }
})
afterAll(() => provider.close())

/** Starts a front, has `work` done with it, and answers with its records. */
function causedBy<F extends { readonly security: Security }>(
  start: (options: Pick<SecurityOptions, 'auditTrail'>) => Promise<F>,
  work: (front: F) => Promise<unknown>,
): Cause {
  return async () => {
    const records: AuditRecord[] = []
    const front = await start({ auditTrail: (record) => void records.push(record) })
    await work(front)
    await front.security.close()
    return records
  }
}

const byManagers = (work: (front: ManagedFront, token: string) => Promise<unknown>, root: () => object = () => ({})) =>
  causedBy(
    (options) => startManagedFront(oneSetUp, { document: { root: { ...root() } }, options, prepare: correlate }),
    async (front) => work(front, bearer(await front.login(people.root))),
  )

const change =
  (method: string, path: string, body?: object) =>
  async (front: Front, token: string): Promise<void> => {
    const answer = await front.call(method, path, [token, json], body && JSON.stringify(body))
    expect(answer.status, answer.body).toBe(200)
  }

const admin = `[[internal_apis.users]]\nuser.name = "admin"\nuser.password = "${users.admin.password}"\nuser.is_admin = true\n`

const byFile = (more: string): Cause => {
  let file = ''
  return causedBy(
    (options) => {
      file = join(folderWith({ 'deployment.toml': admin }), 'deployment.toml')
      return startFront(oneSetUp, { source: file, options, prepare: correlate })
    },
    async (front) => {
      writeFileSync(file, admin + more)
      await front.call('POST', '/reload', [bearer(await front.login()), json])
    },
  )
}

const byOauth = (work: (front: OauthFront) => Promise<unknown>): Cause =>
  causedBy(
    (options) => oauthFront({ oauth: { service_provider: [serverApp, ...providers] }, options, before: correlate }),
    work,
  )

const showSecret = (front: OauthFront, client_secret: string) =>
  front.send('/oauth2/token', {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'server-app', client_secret }),
  })

const byShop = (work: (visitor: Visitor, tell: (token: string) => Promise<unknown>) => Promise<unknown>): Cause => {
  const type = 'Content-Type: application/x-www-form-urlencoded'
  return causedBy(
    (options) => startShop(provider, { options, prepare: correlate }),
    (front) =>
      work(new Visitor(front), (logout_token) =>
        front.call('POST', '/shop/backchannel-logout', [type], new URLSearchParams({ logout_token }).toString()),
      ),
  )
}

const byPortal = (work: (front: PortalFront) => Promise<unknown>): Cause =>
  causedBy((options) => startPortals({ options, prepare: correlate }), work)

const guess = (front: Front, name: string, times: number) =>
  Promise.all(Array.from({ length: times }, () => front.call('GET', '/login', [basic(name, 'Wrong-password-1')])))

const bob = { sub: 'bob', groups: ['sales'], sid: 's1' }

/** What an administrator changes, and the event of it. */
const administered: readonly (readonly [action: string, method: string, path: string, body?: object])[] = [
  ['revocation', 'DELETE', '/sessions?user=bob'],
  ['unlock', 'DELETE', '/locks?user=bob'],
  ['unlock', 'DELETE', '/locks?address=192.0.2.1'],
  ['userAdded', 'POST', '/users', { userId: 'dave', password }],
  ['userRemoved', 'DELETE', '/users/bob'],
  ['passwordChanged', 'PATCH', '/users/bob', { newPassword: password, confirmPassword: password }],
  ['userDisabled', 'PATCH', '/users/bob', { disabled: true }],
  ['userEnabled', 'PATCH', '/users/bob', { disabled: false }],
  ['rolesChanged', 'PUT', '/roles', { userId: 'bob', addedRoles: ['viewers'], removedRoles: [] }],
  ['roleAdded', 'POST', '/roles', { role: 'editors' }],
  ['roleRemoved', 'DELETE', '/roles/viewers'],
]

/** By the event, and what causes it. */
const causes: readonly (readonly [action: string, cause: string, Cause])[] = [
  ...administered.map(
    ([action, ...call]) => [action, call.slice(0, 2).join(' '), byManagers(change(...call))] as const,
  ),
  ['login', 'a login at the management API', byManagers(async () => {})],
  ['login', 'a login at a portal', byPortal((front) => front.cookieOf('/publisher'))],
  ['login', 'a sign-in at an identity provider', byShop((visitor) => visitor.signIn(provider, bob))],
  ['login', 'a sign-in at the authorization server', byOauth((front) => newCode(front.browser()))],
  ['login', 'client credentials', byOauth((front) => showSecret(front, confidentialSecret))],
  [
    'login',
    'an API token',
    causedBy(
      (options) =>
        startManagedFront(oneSetUp, { document: { managementApi: { api_tokens } }, options, prepare: correlate }),
      (front) => front.call('GET', '/apis', [bearer(apiToken)]),
    ),
  ],
  ['loginRefused', 'a wrong password', byManagers((front) => guess(front, 'bob', 1))],
  [
    'loginRefused',
    'a wrong old password',
    byManagers((front, token) =>
      front.call(
        'PATCH',
        '/users/root',
        [token, json],
        JSON.stringify({ newPassword: password, confirmPassword: password, oldPassword: 'wrong-password' }),
      ),
    ),
  ],
  ['loginRefused', 'a wrong password at a portal', byPortal((front) => front.signIn('/publisher', { password: 'x' }))],
  [
    'loginRefused',
    'an identity provider that sends an error',
    byShop(async (visitor) => {
      const url = provider.authorize(await visitor.begin(), bob, { code: undefined, error: 'access_denied' })
      await visitor.open(url.href)
    }),
  ],
  [
    'clientRefused',
    'wrong secrets',
    byOauth(async (front) => {
      for (let guesses = 0; guesses < 6; guesses++) await showSecret(front, 'wrong')
    }),
  ],
  ['logout', 'a logout at the management API', byManagers((front, token) => front.call('GET', '/logout', [token]))],
  [
    'logout',
    'a logout at a portal',
    byPortal(async (front) =>
      front.call('POST', '/publisher/logout', [await front.cookieOf('/publisher'), 'Sec-Fetch-Site: same-origin']),
    ),
  ],
  [
    'logout',
    'a logout at the authorization server',
    byOauth(async (front) => {
      const browser = front.browser()
      const { code, verifier } = await newCode(browser)
      await exchange(front, code, verifier)
      const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec((await browser.go('/oauth2/logout')).text) ?? []
      const body = new URLSearchParams({ logout: 'yes', xsrf })
      await browser.go(`${issuer}/logout/confirm`, { method: 'POST', body })
    }),
  ],
  ['refusal', 'a request without a token', byManagers((front) => front.call('GET', '/apis'))],
  [
    'revocation',
    'a logout token of an identity provider, of a session',
    byShop(async (visitor, tell) => {
      await visitor.signIn(provider, bob)
      await tell(await provider.logoutToken({ sub: 'bob', sid: 's1' }))
    }),
  ],
  [
    'revocation',
    'a logout token of an identity provider, of a user',
    byShop(async (visitor, tell) => {
      await visitor.signIn(provider, bob)
      await tell(await provider.logoutToken({ sub: 'bob' }))
    }),
  ],
  ['lock', 'wrong passwords', byManagers((front) => guess(front, 'bob', 5))],
  ['reload', 'an administrator', byFile('user.roles = ["viewer"]\n')],
  ['reloadRefused', 'an administrator', byFile('[management_api]\nprotocols = ["ftp"]\n')],
  [
    'auditRead',
    'an administrator',
    byManagers(change('GET', '/audit?user=bob'), () => ({ audit_trail: { file: join(newFolder(), 'audit.log') } })),
  ],
  [
    'secondFactorChanged',
    'a user who sets one up',
    async () => {
      const file = join(newFolder(), 'audit.log')
      const front = await startSecondFactors({ audit_trail: { file } })
      const app = express().set('trust proxy', 'loopback')
      correlate(app)
      app.use(front.app)
      const browser = new FormBrowser(app)
      const code = await front.secondFactors.createEnrolmentCode('root', 60_000)
      await browser.signIn('/management_console', 'root')
      const page = await browser.post('/management_console/login', { code })
      const [, seed = ''] = /<code[^>]*>([A-Z2-7 ]+)<\/code>/.exec(page.text) ?? []
      await browser.post('/management_console/login', { code: codeAt(front.now, seed.replaceAll(' ', '')) })
      await front.security.close()
      return readRecords(file)
    },
  ],
  [
    'breakGlassUsed',
    'a login while the user store is away',
    causedBy(
      (options) => {
        const clock = (): number => now
        const document = { managementApi: { break_glass } }
        return startManagedFront(oneSetUp, { document, options: { ...options, clock }, prepare: correlate })
      },
      async (front) => {
        front.store.failure = new StoreError('away')
        await guess(front, 'helper', 1)
        now += 60_000
        await front.call('GET', '/login', [basic('helper', password)])
      },
    ),
  ],
]

/** An eviction makes room in a store, which sees no request. */
const withoutRequest = ['eviction']

describe('the records of what a request causes', () => {
  it.each(causes)('%s has both, caused by %s', async (action, _cause, run) => {
    const records = await run()
    const caused = records.filter((record) => record.action === action)
    expect(caused.length, records.map((record) => record.action).join()).toBeGreaterThan(0)
    for (const record of caused) expect(record).toMatchObject({ requestId: 'req-7', traceparent })
    // No other record of the same requests is without.
    const without = records.filter(({ requestId, address }) => address !== null && requestId === undefined)
    expect(without.map((record) => record.action)).toEqual([])
  })

  it('are looked at here for every event', () => {
    expect([...new Set(causes.map(([action]) => action)), ...withoutRequest].sort()).toEqual([...eventNames].sort())
  })
})
