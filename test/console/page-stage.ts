/** A front with the operators' page, people and sessions: for a browser, a picture or a measurement. */

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import express, { type Express } from 'express'
import { createSecurity, type Security } from '../../lib/app/create-security.js'
import type { SecurityOptions } from '../../lib/app/security-options.js'
import type { ConfigSource } from '../../lib/config/load.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import type { RecordKind, TokenRecord } from '../../lib/tokens/token-store.js'
import { MemoryUserStore } from '../helpers/memory-user-store.js'
import { secret } from '../helpers/recorded-log.js'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Two administrators, and people who are none; the name of the last one is HTML. */
export const staff = {
  ada: { name: 'ada', password: secret('Ada-password-1'), roles: ['admin'] },
  grace: { name: 'grace', password: secret('Grace-password-2'), roles: ['admin'] },
  alan: { name: 'alan', password: secret('Alan-password-3'), roles: ['operators'] },
  mallory: { name: '<img src=x onerror=alert(1)>', password: secret('Mallory-password-4'), roles: [] },
} as const

export interface PageStageOptions {
  /** Sessions besides those of who signs in. @defaultValue none */
  readonly sessions?: number
  /** More of `deployment.toml`, or its path. */
  readonly source?: ConfigSource
  readonly options?: SecurityOptions
  /** Whether the users are those of the configuration, and cannot be changed. */
  readonly hasFileUsers?: boolean
  /** Changes the app before anything is mounted. */
  readonly prepare?: (app: Express, security: Security) => void
}

export interface PageStage extends AsyncDisposable {
  readonly security: Security
  readonly origin: string
  readonly store: MemoryUserStore
}

/** What a front needs for the page, with room for many sessions. */
export const pageDocument = {
  operator_console: { enable: true },
  management_api: { jwt_token_security_handler: { token_config: { algorithm: 'ES256' } } },
} as const

let built: Promise<unknown> | undefined

/** Builds the page once, and starts a front with it at `/ops`. */
export async function startPageStage(stage: PageStageOptions = {}): Promise<PageStage> {
  const { sessions = 0, source = pageDocument, options = {}, hasFileUsers = false, prepare } = stage
  built ??= promisify(execFile)(process.execPath, ['scripts/build-page.mjs'], { cwd: root })
  await built
  const store = new MemoryUserStore({
    users: Object.fromEntries(Object.values(staff).map(({ name, ...rest }) => [name, rest])),
    roles: ['operators', 'viewers'],
    superAdmin: 'ada',
  })
  const clock = options.clock ?? Date.now
  const tokenStore = new MemoryTokenStore({ maxSize: 20_000, maxSessions: 20_000, clock })
  for (const record of recordsOf(sessions, clock())) await tokenStore.add(record)
  const security = await createSecurity(source, {
    logger: { info() {}, warn() {}, error() {} },
    ...(hasFileUsers ? {} : { userStore: store }),
    tokenStore,
    ...options,
  })
  const app = express()
  prepare?.(app, security)
  app.use('/management', security.managementApi(), (_request, response) => void response.json({ isServed: true }))
  app.use('/carbon', security.portal('management_console'), (_request, response) => void response.send('carbon'))
  app.use('/ops', security.console())
  if (security.config.oauth !== undefined) app.use('/oauth2', security.oauth())
  const server = security.createServer(app, { protocol: 'http' }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    security,
    store,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await security.close()
      await tokenStore.close()
    },
  }
}

const kinds: readonly (readonly [RecordKind, audience: string | undefined])[] = [
  ['management', undefined],
  ['portal', 'publisher'],
  ['portal', 'devportal'],
  ['oauth', 'warehouse-app'],
]
const names = ['alan', 'barbara', 'donald', 'edsger', 'frances', 'grace', 'katherine', 'margaret', 'niklaus', 'tony']
const minute = 60_000

/** The same ones each time: of people of ten names, each a minute older than the one before, some with a second factor. */
function* recordsOf(count: number, now: number): Generator<TokenRecord> {
  for (let index = 0; index < count; index++) {
    const [kind, audience] = kinds[index % kinds.length]!
    const name = names[(index * 7) % names.length]!
    const issuedAt = now - (5 + (index % 600)) * minute
    yield {
      id: createHash('sha256').update(`session ${index}`).digest('base64url'),
      kind,
      audience,
      parent: undefined,
      subject: index < names.length * 4 ? name : `${name}.${Math.floor(index / names.length)}`,
      roles: [],
      isAdmin: false,
      accountVersion: '1',
      scope: 'default',
      issuedAt,
      expiresAt: now + (30 + (index % 700)) * minute,
      idleTimeoutMs: kind === 'portal' ? 15 * minute : undefined,
      lastAccessAt: now - (index % 14) * minute - index,
      address: `10.${index % 4}.${(index * 13) % 200}.${(index * 29) % 250}`,
      ...(index % 3 === 0 ? { factors: ['password', 'otp'] as const } : {}),
    }
  }
}
