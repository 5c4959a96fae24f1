import request from 'supertest'
import { describe, expect, it } from 'vitest'
import type { HttpError } from '../../lib/core/errors.js'
import { toHandler } from '../../lib/http/gate.js'
import { type RemoteAddressFilterOptions, remoteAddressFilterGate } from '../../lib/middleware/remote-address-filter.js'
import { expressVersions } from '../helpers/express-versions.js'
import { requestBytes, sendRaw } from '../helpers/raw-http.js'
import { listen } from '../helpers/raw-socket.js'

const here = '127\\.0\\.0\\.1'
const elsewhere = '10\\.0\\.0\\.1'

describe.each(expressVersions)('remoteAddressFilterGate on %s', (_name, express) => {
  function appWith(options: RemoteAddressFilterOptions, mount = '/') {
    const errors: HttpError[] = []
    const app = express()
    app.use(
      mount,
      toHandler(remoteAddressFilterGate(options), (error, _request, response) => {
        errors.push(error)
        response.sendStatus(error.status)
      }),
    )
    app.use((_request, response) => void response.sendStatus(200))
    return { app, errors }
  }

  it.each<[string, RemoteAddressFilterOptions, number]>([
    ['lets an address pass that is allowed', { allow: [here] }, 200],
    ['refuses an address that is not allowed', { allow: [elsewhere] }, 403],
    ['refuses everybody with an empty list', { allow: [] }, 403],
    ['refuses everybody without any list', {}, 403],
    ['lets an address pass that is not denied', { deny: [elsewhere] }, 200],
    ['refuses an address that is denied', { deny: [here] }, 403],
    ['refuses an address that is both allowed and denied', { allow: [here], deny: [here] }, 403],
    ['refuses with the status that was asked for', { allow: [elsewhere], denyStatus: 404 }, 404],
  ])('%s', async (_what, options, status) => {
    const { app, errors } = appWith(options)
    await request(app).get('/any/path').expect(status)
    expect(errors).toMatchObject(
      status === 200
        ? []
        : [
            {
              status,
              code: 'ERR_IP_NOT_ALLOWED',
              message: 'Calls from this address are not allowed.',
              bare: 'always',
            },
          ],
    )
  })

  it.each([
    ['/carbon/admin', 403],
    ['/carbon/admin/', 403],
    ['/CARBON/Admin', 403],
    ['/carbon/%61dmin', 403],
    ['/carbon/x/../admin', 403],
    ['//carbon//admin', 403],
    ['/carbon;v=1/admin', 403],
    ['/carbon/admin?x=1', 403],
    ['http://front.test/carbon/admin', 403],
    ['/carbon/admin%', 400],
    ['/carbon/admin2', 200],
    ['/carbon', 200],
    ['/x?/carbon/admin', 200],
    ['/', 200],
  ])('for /carbon/admin refuses %s with %i', async (path, status) => {
    const { app, errors } = appWith({ allow: [elsewhere], urlPattern: '/carbon/admin' })
    await using server = await listen(app)
    expect((await sendRaw(server.port, requestBytes('GET', path, []))).status).toBe(status)
    if (status === 400) {
      expect(errors).toMatchObject([{ code: 'ERR_PATH_AMBIGUOUS', message: 'The path cannot be read in one way.' }])
    }
  })

  it('asks nobody who may pass what the path means', async () => {
    const { app } = appWith({ allow: [here], urlPattern: '/carbon/admin' })
    await using server = await listen(app)
    expect((await sendRaw(server.port, requestBytes('GET', '/carbon/admin%', []))).status).not.toBe(403)
    expect((await sendRaw(server.port, requestBytes('GET', '/carbon/admin', []))).status).toBe(200)
  })

  it('judges the whole path below a mount', async () => {
    const { app } = appWith({ allow: [elsewhere], urlPattern: '/carbon/admin/*' }, '/carbon')
    await request(app).get('/carbon/admin/users').expect(403)
    await request(app).get('/carbon/users').expect(200)
    await request(app).get('/admin/users').expect(200)
  })
})
