import type { RequestHandler } from 'express'
import request from 'supertest'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createTestSecurity } from '../../lib/testing/test-security.js'
import { watchRoutes } from '../../lib/testing/watch-routes.js'
import { routerVersions } from '../helpers/express-versions.js'

const answer: RequestHandler = (_request, response) => {
  response.json({})
}

describe.each(routerVersions)('routes that are watched, on %s', (_name, express) => {
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
    const watch = watchRoutes(app)
    onTestFinished(async () => {
      watch.stop()
      await security.close()
    })
    return { security, app, watch }
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
