import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity } from '../../lib/app/create-security.js'
import { getAuth } from '../../lib/core/auth.js'
import { document, fileUser, fileUsers } from '../helpers/front.js'
import { type RawAnswer, requestBytes, sendRaw } from '../helpers/raw-http.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { ownForm } from '../portals/portal-front.js'

const agent = { name: 'agent', password: 'Staple-battery-3' }

const sourceWith = (more: readonly object[]) =>
  document({ root: { portal: { desk: {}, shop: {} } }, internalApis: { users: [...fileUsers, ...more] } })

/** An app in which whoever is signed in at the desk can act as `reader` in the shop. */
async function startDesk() {
  const source = sourceWith([fileUser(agent.name, agent.password)])
  const security = await createSecurity(source, { logger: recordedLog().logger })
  const app = express()
  app.use('/desk', security.portal('desk'), async (request, response, next) => {
    try {
      response.json(await security.signIn('shop', request, response, 'reader', { impersonator: getAuth(request) }))
    } catch (error) {
      next(error)
    }
  })
  app.use('/shop', security.portal('shop'), (request, response) => void response.json(getAuth(request)))
  const server = security.createServer(app, { protocol: 'http' }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await security.close()
  })
  const { port } = server.address() as AddressInfo
  const call = (method: string, path: string, headers: readonly string[], body?: string): Promise<RawAnswer> =>
    sendRaw(port, requestBytes(method, path, headers, body))
  const cookieIn = (answer: RawAnswer): string => `Cookie: ${answer.header('set-cookie')!.split(';')[0]!}`
  const form = String(new URLSearchParams({ username: agent.name, password: agent.password }))
  const type = 'Content-Type: application/x-www-form-urlencoded'
  const atDesk = cookieIn(await call('POST', '/desk/login', [type, ...ownForm], form))
  const inShop = cookieIn(await call('GET', '/desk/', [atDesk]))
  const shopStatus = async () => (await call('GET', '/shop/', [inShop])).status
  return { security, call, atDesk, shopStatus }
}

describe('a session in which somebody acts as another user', () => {
  it('ends with the account of the caller', async () => {
    const { security, shopStatus } = await startDesk()
    expect(await shopStatus()).toBe(200)
    await security.reload(sourceWith([]))
    expect(await shopStatus()).toBe(401)
  })

  it('ends when the password of the caller is changed', async () => {
    const { security, shopStatus } = await startDesk()
    await security.reload(sourceWith([fileUser(agent.name, 'Another-staple-4')]))
    expect(await shopStatus()).toBe(401)
  })

  it('ends with the sign-out of the caller', async () => {
    const { call, atDesk, shopStatus } = await startDesk()
    await call('POST', '/desk/logout', [atDesk, ...ownForm])
    expect(await shopStatus()).toBe(401)
  })
})
