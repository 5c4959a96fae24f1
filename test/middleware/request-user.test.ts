import express from 'express'
import request from 'supertest'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createAuthCore } from '../../lib/app/auth-core.js'
import { createSecurity } from '../../lib/app/create-security.js'
import type { Auth } from '../../lib/core/auth.js'
import { StoreError } from '../../lib/core/errors.js'
import { bearerAuthentication } from '../../lib/middleware/bearer-authentication.js'
import { type CreateUser, requestUser } from '../../lib/middleware/request-user.js'
import { MemoryUserStore } from '../helpers/memory-user-store.js'
import { recordedLog } from '../helpers/recorded-log.js'

const password = 'Correct-horse-1'
const config = {
  management_api: { public_paths: ['/open'] },
  internal_apis: { users: [{ user: { name: 'alice', password } }] },
}

/** An app that claims to be mallory before the mount; its routes answer with `request.user`. */
async function appWith(requestUser?: CreateUser): Promise<{ app: express.Express; token: string }> {
  const { logger } = recordedLog()
  const security = await createSecurity(config, requestUser === undefined ? { logger } : { logger, requestUser })
  onTestFinished(() => security.close())
  const app = express()
  app.use((claims, _response, next) => {
    Object.assign(claims, { user: 'mallory' })
    next()
  })
  app.use('/management', security.managementApi(), (called, response) => {
    response.json({ user: (called as { user?: unknown }).user })
  })
  const { body } = await request(app).get('/management/login').auth('alice', password).expect(200)
  return { app, token: body.AccessToken }
}

function call({ app, token }: Awaited<ReturnType<typeof appWith>>) {
  return request(app).get('/management/whoami').auth(token, { type: 'bearer' })
}

const asPassport = ({ subject, roles }: Auth) => ({ id: subject, roles })

describe('the option requestUser', () => {
  it.each<[how: string, createUser: CreateUser]>([
    ['at once', asPassport],
    ['by a promise', async (auth) => asPassport(auth)],
  ])('sets request.user to what the function answers %s', async (_how, createUser) => {
    const { body } = await call(await appWith(createUser)).expect(200)
    expect(body).toEqual({ user: { id: 'alice', roles: [] } })
  })

  it('removes what others said of the user on a public path', async () => {
    const { app } = await appWith(asPassport)
    await request(app).get('/management/open').expect(200, {})
  })

  it('leaves request.user alone when it is absent', async () => {
    await call(await appWith()).expect(200, { user: 'mallory' })
  })

  it.each<[status: number, error: Error]>([
    [503, new StoreError('the database is away')],
    [500, new Error('no such row')],
  ])('refuses with %i when the function fails', async (status, error) => {
    const throwing = () => {
      throw error
    }
    for (const createUser of [throwing, async () => throwing()]) {
      const { text } = await call(await appWith(createUser)).expect(status)
      expect(text).not.toContain(error.message)
    }
  })

  it('must be a function', async () => {
    await expect(createSecurity(config, { requestUser: true as never })).rejects.toThrow('must be a function')
  })
})

it('requestUser() stands after a gate that authenticates', async () => {
  const users = new MemoryUserStore({ users: { alice: { password, roles: [] } } })
  const core = await createAuthCore({ users, logger: recordedLog().logger })
  onTestFinished(() => core.close())
  const { account } = await users.authenticate('alice', password)
  const { token } = await core.tokens.issue(account!)
  const app = express().use(bearerAuthentication(core), requestUser(asPassport), (called, response) => {
    response.json((called as { user?: unknown }).user)
  })
  await request(app)
    .get('/')
    .auth(token, { type: 'bearer' })
    .expect(200, { id: 'alice', roles: ['Internal/everyone'] })
})
