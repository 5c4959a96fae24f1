/**
 * Run it with `NODE_OPTIONS=--experimental-vm-modules npx jest examples/testing/jest.test.js`. For app.ts, jest.config.mjs has
 *
 * ```js
 * export default {
 *   extensionsToTreatAsEsm: ['.ts'],
 *   moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
 *   transform: { '\\.ts$': '@swc/jest' },
 * }
 * ```
 */

import { createTestSecurity, expectProtected } from 'sallyport/testing'
import request from 'supertest'
import { createApp } from './app.js'

const resources = [{ path: '/apis', roles: ['creator'] }]
const security = await createTestSecurity({
  management_api: { authorization_handler: { enable: true, resources } },
  portal: { shop: {} },
})
const app = createApp(security)
afterAll(() => security.close())

test('every route but the check of its health is guarded', () => {
  expectProtected(app, { except: ['GET /health'] })
})

test('a token ends with the logout', async () => {
  const alice = await security.signedIn('alice', { roles: ['creator'] })
  await request(app).get('/management/apis').set(alice).expect(200)
  await request(app).post('/management/logout').set(alice).expect(200)
  await request(app).get('/management/apis').set(alice).expect(401)
  expect(security.decisions.map(({ outcome }) => outcome)).toEqual(['passed', 'answered', 'refused'])
})
