import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity } from '../../lib/index.js'
import { freePort } from '../helpers/free-port.js'
import { recordedLog } from '../helpers/recorded-log.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const password = 'correct horse battery'

let browser: Browser

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
})

afterAll(() => browser.close())

/** A page of a browser that knows nothing. */
async function newPage(): Promise<Page> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  onTestFinished(() => context.close())
  return context.newPage()
}

async function logIn(page: Page): Promise<void> {
  await page.fill('#username', 'alice')
  await page.fill('#password', password)
  await page.click('button[type=submit]')
}

describe('in Chromium', () => {
  it('one login opens both portals, and one sign-out closes them', async () => {
    const port = await freePort()
    const origin = `https://localhost:${port}`
    const home = mkdtempSync(join(tmpdir(), 'sallyport-'))
    const security = await createSecurity(
      {
        internal_apis: { users: [{ user: { name: 'alice', password } }] },
        oauth: { enable: true, issuer: `${origin}/oauth2` },
        portal: { devportal: { callback: `${origin}/devportal/callback` } },
      },
      { logger: recordedLog().logger, home },
    )
    const app = express()
    app.use('/oauth2', security.oauth())
    for (const name of ['publisher', 'devportal']) {
      app.use(
        `/${name}`,
        security.portal(name),
        (_request, response) => void response.send(`<h1>hello from ${name}</h1>`),
      )
    }
    const server = security.createServer(app, { protocol: 'https' })
    server.listen(port, '127.0.0.1')
    onTestFinished(async () => {
      server.closeAllConnections()
      server.close()
      await security.close()
      rmSync(home, { recursive: true })
    })

    const page = await newPage()
    await page.goto(`${origin}/publisher/`)
    expect(await page.title()).toBe('Sign in - Publisher')
    await logIn(page)
    expect(await page.textContent('h1')).toBe('hello from publisher')
    await page.goto(`${origin}/devportal/`)
    expect(await page.textContent('h1')).toBe('hello from devportal')

    await page.goto(`${origin}/oauth2/logout`)
    await page.click('button[name=logout]')
    expect(await page.textContent('h1')).toBe('Signed out')
    for (const [name, title] of [
      ['publisher', 'Not signed in - Sign in - Publisher'],
      ['devportal', 'Not signed in - Sign in - Devportal'],
    ]) {
      await page.goto(`${origin}/${name}/`)
      expect(await page.title()).toBe(title)
    }
  })

  it('the examples sign in once, call the API, refresh, and sign out together', async () => {
    const [port, publisherPort] = [await freePort(), await freePort()]
    const home = mkdtempSync(join(tmpdir(), 'sallyport-'))
    const text = readFileSync(join(root, 'examples/devportal/deployment.toml'), 'utf8')
    const file = join(home, 'deployment.toml')
    writeFileSync(file, text.replaceAll('9443', String(port)).replaceAll('9445', String(publisherPort)))
    onTestFinished(() => rmSync(home, { recursive: true }))
    await started(['examples/devportal/server.ts', file], { ALICE_PASSWORD: password })
    await started(['examples/publisher.ts'], {
      NODE_EXTRA_CA_CERTS: join(home, 'sallyport-tryout.pem'),
      ISSUER: `https://localhost:${port}/oauth2`,
      PORT: String(publisherPort),
    })
    const devportal = `https://localhost:${port}/devportal/`
    const publisher = `http://localhost:${publisherPort}/`

    const page = await newPage()
    await page.goto(devportal)
    await page.click('#sign-in')
    await page.waitForSelector('#username')
    await logIn(page)
    await page.waitForSelector('text=Signed in as alice.')
    expect(await page.locator('#apis li').allTextContents()).toEqual(['HealthcareAPI', 'StockQuoteAPI'])
    expect(page.url()).toBe(devportal)
    await page.click('#refresh')
    await page.waitForSelector('text=Signed in as alice, with a new token.')

    const other = await page.context().newPage()
    await other.goto(publisher)
    expect(await other.textContent('body')).toContain('Publisher: signed in as alice.')

    await page.click('#sign-out')
    await page.waitForSelector('text=Not signed in.')
    await other.goto(publisher)
    expect(await other.title()).toBe('Sign in - Publisher')
    await page.click('#sign-in')
    await page.waitForSelector('#username')
  })
})

describe('in Chromium, an app whose back end sends the browser on to its front end on another port', () => {
  it('arrives there after a sign-in, a sign-out and a login at a portal', async () => {
    const [port, frontEnd, backEnd] = [await freePort(), await arrivals(), await arrivals()]
    const origin = `https://localhost:${port}`
    const home = mkdtempSync(join(tmpdir(), 'sallyport-'))
    const provider = {
      name: 'two-ports',
      redirect_uris: [`${backEnd.origin}/callback`],
      post_logout_redirect_uris: [`${backEnd.origin}/signed-out`],
      pkce_mandatory: true,
      allow_without_client_secret: true,
    }
    const security = await createSecurity(
      {
        internal_apis: { users: [{ user: { name: 'alice', password } }] },
        oauth: { enable: true, issuer: `${origin}/oauth2`, service_provider: [provider] },
        portal: { devportal: {} },
      },
      { logger: recordedLog().logger, home },
    )
    backEnd.leadTo(frontEnd.origin)
    const app = express()
    app.use('/oauth2', security.oauth())
    app.use('/devportal', security.portal('devportal'), (_request, response) =>
      response.redirect(`${backEnd.origin}/portal`),
    )
    const server = security.createServer(app, { protocol: 'https' })
    server.listen(port, '127.0.0.1')
    onTestFinished(async () => {
      server.closeAllConnections()
      server.close()
      await security.close()
      rmSync(home, { recursive: true })
    })

    const page = await newPage()
    const query = new URLSearchParams({
      client_id: 'two-ports',
      response_type: 'code',
      scope: 'openid',
      redirect_uri: `${backEnd.origin}/callback`,
      code_challenge: 'a'.repeat(43),
      code_challenge_method: 'S256',
    })
    await page.goto(`${origin}/oauth2/authorize?${query}`)
    await logIn(page)
    await page.waitForURL(`${frontEnd.origin}/callback`)

    const signOut = { client_id: 'two-ports', post_logout_redirect_uri: `${backEnd.origin}/signed-out` }
    await page.goto(`${origin}/oauth2/logout?${new URLSearchParams(signOut)}`)
    await page.click('button[name=logout]')
    await page.waitForURL(`${frontEnd.origin}/signed-out`)

    await page.goto(`${origin}/devportal/`)
    await logIn(page)
    await page.waitForURL(`${frontEnd.origin}/portal`)
  })
})

/** A server at a port of its own, which answers where it does not lead on. */
async function arrivals() {
  let next: string | undefined
  const app = express()
  app.use((request, response) => {
    if (next === undefined) response.send('<h1>arrived</h1>')
    else response.redirect(`${next}${request.path}`)
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const leadTo = (origin: string): void => {
    next = origin
  }
  return { origin: `http://localhost:${port}`, leadTo }
}

/** Starts an example, and waits until it says that it is open. */
function started(args: readonly string[], env: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], { cwd: root, env: { ...process.env, ...env } })
  onTestFinished(
    () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve())
        child.kill('SIGKILL')
      }),
  )
  return new Promise((resolve, reject) => {
    let output = ''
    const take = (chunk: Buffer): void => {
      output += String(chunk)
      if (output.includes('is open')) resolve(child)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}: ${output}`)))
  })
}
