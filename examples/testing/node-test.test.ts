/** Run it with `node --import tsx --test examples/testing/node-test.test.ts`. It asks a server with fetch. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createTestSecurity, expectProtected } from 'sallyport/testing'
import { createApp } from './app.js'

const security = await createTestSecurity(fileURLToPath(new URL('deployment.toml', import.meta.url)))
const app = createApp(security)
const server = security.createServer(app, { protocol: 'http' })
let base = ''

before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

after(async () => {
  server.closeAllConnections()
  server.close()
  await security.close()
})

test('every route but the check of its health is guarded', () => {
  expectProtected(app, { except: ['GET /health'] })
})

test('a session of the shop ends after 30 minutes without a request', async () => {
  const headers = await security.signedIn('alice')
  const fill = async () => (await fetch(`${base}/shop/basket`, { method: 'POST', headers })).status

  assert.equal(await fill(), 200)
  security.clock.pass(29 * 60_000)
  assert.equal(await fill(), 200)
  security.clock.pass(31 * 60_000)
  assert.equal(await fill(), 401)
})
