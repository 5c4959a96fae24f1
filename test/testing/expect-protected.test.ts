import { AssertionError } from 'node:assert'
import express, { type Express, type RequestHandler } from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { expectProtected } from '../../lib/testing/expect-protected.js'
import { createTestSecurity, type TestSecurity } from '../../lib/testing/test-security.js'

const health: RequestHandler = (_request, response) => {
  response.send('up')
}
function measure(_request: express.Request, _response: express.Response, next: express.NextFunction): void {
  next()
}

async function start(source: object = {}): Promise<TestSecurity> {
  const security = await createTestSecurity(source)
  onTestFinished(() => security.close())
  return security
}

function appWith(security: TestSecurity): Express {
  const app = express()
  app.use(measure)
  app.get('/health', health)
  app.use('/management', security.managementApi())
  app.get('/management/apis', health)
  return app
}

describe('expectProtected', () => {
  it('lists the routes that nobody guards, and what cannot be told', async () => {
    const app = appWith(await start())
    const message = `Nobody guards:
  GET /health (health)
It cannot be told whether these answer requests:
  ALL / (measure)
Mount routes behind a guard, or name in except what everybody may call.`
    expect(() => expectProtected(app)).toThrow(new AssertionError({ message }))
  })

  it.each([
    ['a method and a path, and a handler', ['GET /health', measure]],
    ['paths', ['/health', '/']],
    ['handlers', [health, measure]],
  ])('takes as exceptions %s', async (_kind, except) => {
    const app = appWith(await start())
    expect(() => expectProtected(app, { except })).not.toThrow()
  })

  it('fails for an exception that the app does not have', async () => {
    const app = appWith(await start())
    const except = [measure, '/health', 'POST /health']
    expect(() => expectProtected(app, { except })).toThrow('does not have these exceptions:\n  POST /health\n')
  })

  it('fails for an app without routes', () => {
    expect(() => expectProtected(express())).toThrow('the app has no routes')
  })

  it('takes a management API without authentication for no guard, until a reload switches it on', async () => {
    const jwt = (enable: boolean) => ({ management_api: { jwt_token_security_handler: { enable } } })
    const security = await start(jwt(false))
    const app = appWith(security)
    const except = [measure, '/health']
    expect(() => expectProtected(app, { except })).toThrow('GET /management/apis')
    await security.reload(jwt(true))
    expect(() => expectProtected(app, { except })).not.toThrow()
  })
})
