import { once } from 'node:events'
import { connect } from 'node:net'
import express from 'express'
import { expect, it } from 'vitest'
import type { UserStore } from '../../lib/index.js'
import { basicLogin } from '../../lib/middleware/basic-login.js'
import { createAuthenticator, createKeyRing, createTokens, MemoryTokenStore } from '../../lib/middleware.js'
import { listen } from '../helpers/raw-socket.js'

it('gives up a login whose client has gone, which takes no token and writes no event', async () => {
  let begin: (signal: AbortSignal) => void
  const begun = new Promise<AbortSignal>((resolve) => {
    begin = resolve
  })
  const users: UserStore = {
    authenticate: (_name, _password, signal) => {
      begin(signal!)
      return new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)))
    },
    find: () => undefined,
    close() {},
  }
  const tokens = createTokens({
    store: new MemoryTokenStore(),
    keys: await createKeyRing({ algorithm: 'ES256' }),
    issuer: 'i',
    audience: 'a',
    expiryMs: 60_000,
  })
  const app = express().use(basicLogin({ authenticator: createAuthenticator({ users }), tokens }))
  await using server = await listen(app)
  const socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(
    `GET /login HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${Buffer.from('a:b').toString('base64')}\r\n\r\n`,
  )
  const signal = await begun
  expect(signal.aborted).toBe(false)
  const aborted = once(signal, 'abort')
  socket.destroy()
  await aborted
  expect(await tokens.list()).toEqual([])
})
