import { once } from 'node:events'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity } from '../../lib/app/create-security.js'
import { expressVersions } from '../helpers/express-versions.js'
import { basic, document, users } from '../helpers/front.js'
import { quiet } from '../helpers/ip-corpus.js'
import { navigation } from './portal-front.js'

const browser = Object.fromEntries(navigation.map((line) => line.toLowerCase().split(': ')))

/** Has an app take the requests of Node's HTTP/2 server, as bridges for Express do it. */
function overHttp2(app: Express): Express {
  for (const [name, nodes] of [
    ['request', http2.Http2ServerRequest.prototype],
    ['response', http2.Http2ServerResponse.prototype],
  ] as const) {
    const methods = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(app[name]))
    Object.setPrototypeOf(app[name], Object.create(nodes, methods))
  }
  return app
}

describe.each(expressVersions)('over HTTP/2, which sends :authority in place of Host, with %s', (_version, express) => {
  it('people sign in to a portal and programs to the management API', async () => {
    const security = await createSecurity(document({}), { logger: quiet })
    const app = overHttp2(express())
    app.use('/publisher', security.portal('publisher'), (_request, response) => void response.json('the portal'))
    app.use('/management', security.managementApi())
    const server = http2.createServer(app as never).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const client = http2.connect(origin)
    onTestFinished(async () => {
      client.close()
      server.close()
      await security.close()
    })

    async function call(method: string, path: string, headers: object = {}, body?: string) {
      const stream = client.request({ ':method': method, ':path': path, ...headers }, { endStream: body === undefined })
      if (body !== undefined) stream.end(body)
      const [answer] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader]
      let text = ''
      for await (const chunk of stream) text += chunk
      return { status: answer[':status'], location: answer.location, cookie: answer['set-cookie']?.[0], text }
    }

    expect((await call('GET', '/publisher/', browser)).location).toBe('/publisher/login')
    const form = { ...browser, origin, 'content-type': 'application/x-www-form-urlencoded' }
    const fields = new URLSearchParams({ username: users.admin.name, password: users.admin.password }).toString()
    expect((await call('POST', '/publisher/login', { ...form, origin: 'http://other.test' }, fields)).status).toBe(403)
    const signedIn = await call('POST', '/publisher/login', form, fields)
    expect([signedIn.status, signedIn.location]).toEqual([303, '/publisher/'])
    const cookie = signedIn.cookie!.split(';')[0]!
    expect((await call('GET', '/publisher/', { cookie })).text).toBe('"the portal"')

    const [, authorization] = basic(users.admin.name, users.admin.password).split(': ')
    expect((await call('GET', '/management/login', { authorization })).text).toContain('AccessToken')
  })
})
