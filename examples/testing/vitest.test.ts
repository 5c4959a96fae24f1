/** Run it with `npx vitest run examples/testing/vitest.test.ts`. Remove a guard in app.ts, and the first test fails. */

import { fileURLToPath } from 'node:url'
import { createTestSecurity, expectProtected } from 'sallyport/testing'
import request from 'supertest'
import { afterAll, expect, it } from 'vitest'
import { createApp } from './app.js'

const security = await createTestSecurity(fileURLToPath(new URL('deployment.toml', import.meta.url)))
const app = createApp(security)
afterAll(() => security.close())

it('guards every route but the check of its health', () => {
  expectProtected(app, { except: ['GET /health'] })
})

it('shows the APIs to creators, and to nobody else', async () => {
  const alice = await security.signedIn('alice', { roles: ['creator'] })
  const bob = await security.signedIn('bob')

  await request(app).get('/management/apis').set(alice).expect(200)
  await request(app).get('/management/apis').set(bob).expect(403)
  await request(app).get('/management/apis').expect(401)

  expect(security.decisions.at(-2)).toMatchObject({ code: 'ERR_ROLE_REQUIRED', subject: 'bob', position: { line: 6 } })
})
