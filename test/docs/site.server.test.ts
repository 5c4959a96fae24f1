import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import express from 'express'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { violationsIn } from '../helpers/axe.js'
import { startChromium } from '../helpers/chromium.js'
import { root } from './pages.js'

const site = `${root}docs/.vitepress/dist`

let browser: Browser
let server: Server
let origin: string
beforeAll(async () => {
  // `npm run verify` has just built it.
  if (!existsSync(`${site}/index.html`)) await promisify(execFile)('npm', ['run', 'docs:build'], { cwd: root })
  server = createServer(express().use(express.static(site, { extensions: ['html'] }))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await startChromium()
})
afterAll(async () => {
  await browser?.close()
  server.closeAllConnections()
  server.close()
})

// Axe takes half a minute for the longest pages, which have nothing that the others have not.
describe.each([
  ['in light', { colorScheme: 'light', viewport: { width: 1280, height: 800 } }],
  ['in dark, on a phone', { colorScheme: 'dark', viewport: { width: 375, height: 740 } }],
] as const)('%s', (_name, options) => {
  it.each([
    ['the home page', '/'],
    ['a task page', '/proxies'],
    ['a page of the reference', '/errors'],
  ])(
    'axe finds nothing wrong with %s, nothing is wider than the window, and no other host is asked',
    async (_page, path) => {
      const context = await browser.newContext(options)
      try {
        const page = await context.newPage()
        const complaints: string[] = []
        page.on('pageerror', (error) => complaints.push(error.message))
        page.on('request', (request) => {
          if (!request.url().startsWith(origin)) complaints.push(request.url())
        })
        await page.goto(origin + path, { waitUntil: 'networkidle' })
        expect(await violationsIn(page)).toEqual([])
        expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
          options.viewport.width,
        )
        expect(complaints).toEqual([])
      } finally {
        await context.close()
      }
    },
  )
})
