import { describe, expect, it } from 'vitest'
import { getAuth } from '../../lib/core/auth.js'
import type { HttpError } from '../../lib/core/errors.js'
import {
  appOf,
  type Browser,
  password,
  type SecondFactorFront,
  startSecondFactors,
} from '../helpers/second-factor-front.js'

const users = [
  { user: { name: 'alice', password } },
  { user: { name: 'bob', password, roles: ['buyer'] } },
  { user: { name: 'root', password, is_admin: true } },
]

/** An app that signs in whom a path names, and lets the console act as others. */
async function front(portal: object = {}): Promise<SecondFactorFront & { events: object[] }> {
  const started = await startSecondFactors({ portal: { shop: {}, ...portal } }, users)
  const { security } = started
  const events: object[] = []
  for (const name of ['login', 'logout', 'loginRefused'] as const) {
    security.events.on(name, ((event: object) => void events.push({ name, ...event })) as never)
  }
  const app = appOf(security)
  const fail = (response: import('express').Response) => (error: HttpError) =>
    void response.status(error.status).json(error.code)
  app.get('/link/:name', (request, response) => {
    security.signIn('shop', request, response, request.params.name).then((auth) => response.json(auth), fail(response))
  })
  app.get('/leave', (request, response) => {
    security.signOut('shop', request, response).then(() => response.json('left'), fail(response))
  })
  return Object.assign(started, { app, events })
}

describe('signing in from code', () => {
  it('starts a fresh session with the cookie and the event of the form', async () => {
    const running = await front()
    const browser = running.browser()
    const { body } = await browser.open('/link/alice')
    expect(body).toMatchObject({ subject: 'alice', kind: 'portal', factors: ['app'] })
    expect((await browser.open('/shop/cart')).body).toMatchObject({ subject: 'alice' })
    expect(running.events).toMatchObject([{ name: 'login', subject: 'alice', kind: 'portal', factors: ['app'] }])
  })

  it('ends the session that the browser had', async () => {
    const running = await front()
    const browser = running.browser()
    await browser.open('/link/alice')
    const before = browser.cookies.get('sallyport-shop')!
    await browser.open('/link/bob')
    const old = running.browser()
    old.cookies.set('sallyport-shop', before)
    expect((await old.open('/shop/cart')).status).toBe(303)
  })

  it('refuses users who are not there, may not enter, or lack a second factor', async () => {
    const running = await front({ shop: { roles: ['buyer'] } })
    const browser = running.browser()
    expect((await browser.open('/link/nobody')).status).toBe(401)
    expect((await browser.open('/link/alice')).body).toBe('ERR_ROLE_REQUIRED')
    expect((await browser.open('/link/bob')).status).toBe(200)
    const demanding = await startSecondFactors({ portal: { shop: {}, second_factor: 'all' } }, users)
    const app = appOf(demanding.security)
    app.get('/link', (request, response) => {
      demanding.security.signIn('shop', request, response, 'bob').catch((error: HttpError) => response.json(error.code))
    })
    expect((await Object.assign(demanding, { app }).browser().open('/link')).body).toBe('ERR_SECOND_FACTOR_REQUIRED')
  })

  it('signs out as the logout does', async () => {
    const running = await front()
    const browser = running.browser()
    await browser.open('/link/alice')
    const cookie = browser.cookies.get('sallyport-shop')!
    expect((await browser.open('/leave')).body).toBe('left')
    expect(browser.cookies.has('sallyport-shop')).toBe(false)
    browser.cookies.set('sallyport-shop', cookie)
    expect((await browser.open('/shop/cart')).status).toBe(303)
  })
})

describe('acting as another user', () => {
  async function actAs(
    running: SecondFactorFront,
    name: string,
  ): Promise<{ browser: Browser; status: number; body: unknown }> {
    const browser = running.browser()
    await browser.signIn('/management_console', 'root')
    const { security } = running
    const app = appOf(security)
    // The route stands behind the console's portal, which knows the caller.
    const express = (await import('express')).default
    const outer = express()
    outer.set('trust proxy', 'loopback')
    outer.use('/management_console', security.portal('management_console'), (request, response, next) => {
      const subject = /^\/act\/(.+)$/.exec(request.path)?.[1]
      if (subject === undefined) return next()
      security.signIn('shop', request, response, subject, { impersonator: getAuth(request) }).then(
        (auth) => response.json(auth),
        (error: HttpError) => response.status(error.status).json(error.code),
      )
    })
    outer.use(app)
    Object.assign(running, { app: outer })
    const acting = running.browser()
    for (const [cookie, value] of browser.cookies) acting.cookies.set(cookie, value)
    const { status, body } = await acting.open(`/management_console/act/${name}`)
    return { browser: acting, status, body }
  }

  it('names both in the session and in all events, and ends with the session of who acts', async () => {
    const running = await front()
    const { browser, body } = await actAs(running, 'alice')
    expect(body).toMatchObject({ subject: 'alice', impersonator: 'root' })
    expect((await browser.open('/shop/cart')).body).toMatchObject({ subject: 'alice', impersonator: 'root' })
    expect(running.events.at(-1)).toMatchObject({ name: 'login', subject: 'alice', impersonator: 'root' })
    await browser.post('/management_console/logout', {})
    expect((await browser.open('/shop/cart')).status).toBe(303)
  })

  it('names who acted when it ends by itself', async () => {
    const running = await front()
    const { browser } = await actAs(running, 'alice')
    await browser.post('/shop/logout', {})
    await new Promise(setImmediate)
    expect(running.events.at(-1)).toMatchObject({ name: 'logout', subject: 'alice', impersonator: 'root' })
    expect((await browser.open('/management_console/x')).status).not.toBe(303)
  })

  it('is refused for administrators, for oneself, and for whoever is not there', async () => {
    expect((await actAs(await front(), 'root')).body).toBe('ERR_IMPERSONATION')
    expect((await actAs(await front(), 'nobody')).status).toBe(401)
  })
})
