/** An app whose users have second factors, with a clock that stands still, and browsers that keep cookies. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express, { type Express } from 'express'
import { TOTP } from 'otpauth'
import request, { type Response } from 'supertest'
import { onTestFinished } from 'vitest'
import { createSecurity, type Security } from '../../lib/app/create-security.js'
import { openSecondFactors } from '../../lib/app/second-factor.js'
import { parseConfig } from '../../lib/config/parse.js'
import { getAuth } from '../../lib/core/auth.js'
import { isManagedUserStore } from '../../lib/users/managed-user-store.js'
import { openUserStore } from '../../lib/users/open-user-store.js'
import type { SecondFactors } from '../../lib/users/second-factor/second-factors.js'
import { type RecordedLog, recordedLog, secret } from './recorded-log.js'

export const password = secret('Correct-horse-1')
export const seed = secret('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP')
export const start: number = Date.UTC(2026, 0, 1)

/** The code of a seed at a moment. */
export function codeAt(now: number, base32: string = seed): string {
  return TOTP.generate({ secret: secretFrom(base32), timestamp: now })
}

function secretFrom(base32: string): InstanceType<typeof import('otpauth').Secret> {
  return new TOTP({ secret: base32 }).secret
}

/** A browser: it keeps cookies, and comes from an address of its own. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly app: Express
  readonly address: string

  constructor(app: Express, address = '192.0.2.1') {
    this.app = app
    this.address = address
  }

  async open(path: string): Promise<Response> {
    return this.#keep(await this.#as(request(this.app).get(path)))
  }

  async post(path: string, fields: Record<string, string>): Promise<Response> {
    return this.#keep(await this.#as(request(this.app).post(path).type('form')).send(fields))
  }

  signIn(path: string, name: string, ownPassword: string = password): Promise<Response> {
    return this.post(`${path}/login`, { username: name, password: ownPassword })
  }

  #as(call: request.Test): request.Test {
    const cookies = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    return call
      .set('Host', 'front.test')
      .set('Cookie', cookies)
      .set('Accept', 'text/html')
      .set('Origin', 'http://front.test')
      .set('X-Forwarded-For', this.address)
  }

  #keep(response: Response): Response {
    for (const line of [response.headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return response
  }
}

export interface SecondFactorFront {
  readonly app: Express
  readonly security: Security
  readonly log: RecordedLog
  readonly config: object
  /** Those that an operator's command works with. */
  readonly secondFactors: SecondFactors
  now: number
  browser(address?: string): Browser
}

/** `root`: tables of the file. With `users` they are in the file, else in a database with `alice` and the administrator `root`. */
export async function startSecondFactors(
  root: Record<string, unknown> = {},
  users?: readonly object[],
): Promise<SecondFactorFront> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-factor-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const database = {
    internal_apis: { file_user_store: { enable: false } },
    user_store: { type: 'database' },
    datasource: [{ id: 'WSO2CarbonDB', url: `jdbc:sqlite:${join(folder, 'users.db')}` }],
    second_factor: { key: secret('a key of at least thirty-two characters') },
  }
  const config = {
    management_api: {
      jwt_token_security_handler: { token_config: { algorithm: 'ES256' } },
      ...(root['management_api'] as object | undefined),
    },
    ...(users === undefined ? database : { internal_apis: { users } }),
    ...Object.fromEntries(Object.entries(root).filter(([name]) => name !== 'management_api')),
    portal: { allow_insecure_http: true, ...(root['portal'] as object | undefined) },
  }
  const log = recordedLog()
  const parsed = parseConfig(config, { env: {} })
  if (users === undefined) await addUsers(parsed, log)
  const front = { now: start } as SecondFactorFront
  const clock = (): number => front.now
  const security = await createSecurity(config, { clock, logger: log.logger })
  const secondFactors = (await openSecondFactors(parsed, { current: () => parsed, clock }))!
  onTestFinished(async () => {
    await secondFactors?.close()
    await security.close()
  })
  return Object.assign(front, {
    security,
    secondFactors,
    log,
    config,
    app: appOf(security),
    browser(address?: string) {
      return new Browser(this.app, address)
    },
  })
}

/** Mounts everything. */
export function appOf(security: Security): Express {
  const app = express()
  app.set('trust proxy', 'loopback')
  app.use('/management', security.managementApi(), (incoming, response) => void response.json(getAuth(incoming)))
  for (const name of ['shop', 'management_console', 'publisher']) {
    if (!security.config.portals.some((portal) => portal.name === name)) continue
    app.use(`/${name}`, security.portal(name), (incoming, response) => void response.json(getAuth(incoming)))
  }
  return app
}

async function addUsers(config: ReturnType<typeof parseConfig>, { logger }: RecordedLog): Promise<void> {
  const { users, init } = await openUserStore(config, { logger, home: undefined, env: {} })
  await init?.()
  if (!isManagedUserStore(users)) throw new Error('the users cannot be managed')
  await users.add({ name: 'alice', password, isAdmin: false })
  await users.add({ name: 'root', password, isAdmin: true })
  await users.close()
}
