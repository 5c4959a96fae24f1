import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createExpressServer } from '../../lib/http/express/create-server.js'
import { hashPassword } from '../../lib/users/passwords/password-hash.js'
import { basic, bearer, document, fileUser, startFront, users } from '../helpers/front.js'
import { listen, open } from '../helpers/raw-exchange.js'
import { requestBytes } from '../helpers/raw-http.js'
import { oneSetUp, twoSetUps } from '../helpers/set-ups.js'

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** A file with two users whose passwords are hashed: each login costs what it costs in production. */
async function hashedUsers(): Promise<object> {
  const [admin, reader] = await Promise.all([hashPassword(users.admin.password), hashPassword(users.reader.password)])
  return document({
    internalApis: {
      users: [fileUser(users.admin.name, admin, { is_admin: true }), fileUser(users.reader.name, reader)],
    },
  })
}

describe.each(twoSetUps)('a client that does not play by the rules, on $name,', (setUp) => {
  // Covers: K06
  it('may break off a request at any byte', async () => {
    const front = await startFront(setUp)
    const token = await front.login()
    const requests = [
      requestBytes('POST', '/management/login', [basic(users.admin.name, users.admin.password)], 'a body'),
      requestBytes('GET', '/management/whoami', [bearer(token)]),
      requestBytes('POST', '/management/apis', [bearer(token), 'Transfer-Encoding: chunked'], '').concat('5\r\nab'),
    ]
    const cuts = requests.flatMap((bytes) => Array.from({ length: 24 }, (_, index) => bytes.slice(0, index * 13 + 1)))
    await Promise.all(
      cuts.map(async (bytes, index) => {
        const socket = await connected(front.port)
        socket.write(bytes)
        await new Promise((resolve) => setImmediate(resolve))
        if (index % 2 === 0) socket.resetAndDestroy()
        else socket.destroy()
      }),
    )
    expect((await front.call('GET', '/whoami', [bearer(token)])).status).toBe(200)
    expect(front.appErrors).toEqual([])
  })

  // Covers: K06
  it('may reset the connection while its password is hashed', async () => {
    const front = await startFront(setUp, { source: await hashedUsers() })
    const sockets = await Promise.all(Array.from({ length: 20 }, () => connected(front.port)))
    const wrong = [basic(users.admin.name, 'a-wrong-password'), basic(users.reader.name, users.reader.password)]
    sockets.forEach((socket, index) => void socket.write(requestBytes('GET', '/management/login', [wrong[index % 2]!])))
    await new Promise((resolve) => setImmediate(resolve))
    for (const socket of sockets) socket.resetAndDestroy()
    expect((await front.call('GET', '/login', [basic(users.reader.name, users.reader.password)])).status).toBe(200)
    expect(front.handled).toEqual([])
    expect(front.appErrors).toEqual([])
  })

  // Covers: K06
  it('may keep 1000 idle connections open, some of them broken, while others are served', async () => {
    const front = await startFront(setUp)
    const idle = await Promise.all(Array.from({ length: 1000 }, () => connected(front.port)))
    for (const socket of idle.slice(0, 100)) socket.resetAndDestroy()
    const token = await front.login()
    expect((await front.call('GET', '/whoami', [bearer(token)])).status).toBe(200)
    for (const socket of idle) socket.destroy()
    expect((await front.call('GET', '/logout', [bearer(token)])).status).toBe(200)
  })

  // Covers: A15
  it('may flood the login: every call with a token is served meanwhile', { timeout: 60_000 }, async () => {
    const front = await startFront(setUp, { source: await hashedUsers() })
    const token = await front.login()
    const flood = Array.from({ length: 150 }, (_, index) =>
      front.call('GET', '/login', [basic(`${users.admin.name}${index % 7}`, `a-wrong-password-${index}`)]),
    )
    const calls = []
    for (let count = 0; count < 100; count++) calls.push((await front.call('GET', '/whoami', [bearer(token)])).status)
    expect(calls).toEqual(Array.from({ length: 100 }, () => 200))
    const statuses = (await Promise.all(flood)).map(({ status }) => status)
    expect(statuses.filter((status) => ![401, 429, 503].includes(status))).toEqual([])
    expect(front.handled).toHaveLength(100)
  })

  // Covers: K07
  it('gets an answer when the front is closed under load, and nothing passes afterwards', async () => {
    const front = await startFront(setUp, { source: await hashedUsers() })
    const token = await front.login()
    const load = Array.from({ length: 40 }, (_, index) =>
      index % 2 === 0
        ? front.call('GET', '/whoami', [bearer(token)])
        : front.call('GET', '/login', [basic(users.reader.name, users.reader.password)]),
    )
    await new Promise((resolve) => setImmediate(resolve))
    await front.security.close()
    for (const { status } of await Promise.all(load)) expect([200, 401, 503]).toContain(status)
    const ran = front.handled.length
    expect((await front.call('GET', '/whoami', [bearer(token)])).status).toBe(401)
    expect((await front.call('GET', '/login', [basic(users.reader.name, users.reader.password)])).status).toBe(503)
    expect(front.handled).toHaveLength(ran)
  })
})

describe('a client that sends its headers one byte at a time', () => {
  // Covers: I07
  it('gets 408 from a server of createServer', { timeout: 60_000 }, async () => {
    const server = createExpressServer(oneSetUp.express())
    server.headersTimeout = 1
    await listen(server)
    onTestFinished(() => void server.close())
    const socket = await open(server)
    socket.setEncoding('latin1').write('GET / HTTP/1.1\r\nHost: front.test\r\nX-Slow: ')
    const [answer] = await once(socket, 'data')
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    socket.destroy()
  })
})
