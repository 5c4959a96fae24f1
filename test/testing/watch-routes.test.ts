import { createRequire } from 'node:module'
import express5, { type RequestHandler } from 'express'
import request from 'supertest'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createTestSecurity } from '../../lib/testing/test-security.js'
import { watchRoutes } from '../../lib/testing/watch-routes.js'

const answer: RequestHandler = (_request, response) => {
  response.json({})
}

const versions: readonly (readonly [name: string, express: typeof express5])[] = [
  ['Express 5.3, whose router has a channel', express5],
  ['Express 5.3 as if its router had none', express5],
  ['Express 4', createRequire(import.meta.url)('express4')],
]

describe.each(versions)('routes that are watched, on %s', (name, express) => {
  async function start() {
    const security = await createTestSecurity({ management_api: { public_paths: ['/health'] } })
    const app = express()
    const routes = express.Router()
    routes.get('/apis', answer)
    routes.get('/apis/:id', answer)
    routes.get('/health', answer)
    app.get('/ping', answer)
    app.use('/management', security.managementApi(), routes)
    app.use('/sub', express().get('/inner', answer))
    if (name.includes('as if')) hideChannel(app)
    const watch = watchRoutes(app)
    onTestFinished(async () => {
      watch.stop()
      await security.close()
    })
    return { security, app, watch }
  }

  /** Without what router 2.3 is known by. */
  function hideChannel(app: express5.Express): void {
    const hide = (router: { stack: { rawPath?: unknown; handle: unknown; route?: unknown }[] }): void => {
      for (const layer of router.stack) {
        Object.defineProperty(layer, 'path', { value: layer.rawPath, writable: true })
        if (layer.route !== undefined) delete layer.rawPath
      }
    }
    hide(app.router as never)
  }

  it('are found when they ran before any gate, each once, with the stack', async () => {
    const { app, watch, security } = await start()
    const alice = await security.signedIn('alice')
    await request(app).get('/ping?x=1')
    await request(app).get('/ping')
    await request(app).get('/sub/inner')
    await request(app).get('/management/health')
    await request(app).get('/management/apis').set(alice).expect(200)
    await request(app).get('/management/apis').expect(401)
    expect(watch.unguarded).toEqual([
      {
        method: 'GET',
        path: '/ping',
        route: 'GET /ping',
        stack: expect.stringContaining('GET /ping ran before any gate'),
      },
      { method: 'GET', path: '/sub/inner', route: 'GET /sub/inner', stack: expect.any(String) },
    ])
  })

  it('are listed when no test has reached them: a refused request has reached none', async () => {
    const { app, watch, security } = await start()
    await request(app)
      .get('/management/apis/7')
      .set(await security.signedIn('alice'))
    await request(app).get('/management/apis')
    await request(app).get('/management/health')
    await request(app)
      .get('/management/elsewhere')
      .set(await security.signedIn('alice'))
      .expect(404)
    expect(watch.listUnreached()).toEqual(['GET /ping', 'GET /management/apis', 'GET /sub/inner'])
  })

  it('are watched no longer after stop', async () => {
    const { app, watch } = await start()
    watch.stop()
    await request(app).get('/ping').expect(200)
    expect(watch.unguarded).toEqual([])
    expect(watch.listUnreached()).toContain('GET /ping')
  })
})
