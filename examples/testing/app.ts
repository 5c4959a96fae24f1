/**
 * An app that gets its security from outside, so that a test can give it another one than the server does:
 *
 * ```ts
 * createApp(await createSecurity('deployment.toml'))     // in server.ts
 * createApp(await createTestSecurity('deployment.toml')) // in a test
 * ```
 */

import express, { type Express } from 'express'
import { getAuth, type Security } from 'sallyport'

export function createApp(security: Security): Express {
  const apis = express.Router()
  apis.get('/apis', (_request, response) => {
    response.json({ count: 0, list: [] })
  })

  const shop = express.Router()
  shop.post('/basket', (request, response) => {
    response.json({ owner: getAuth(request).subject })
  })

  const app = express()
  app.get('/health', (_request, response) => {
    response.send('up')
  })
  app.use('/management', security.managementApi(), apis)
  app.use('/shop', security.portal('shop'), shop)
  return app
}
