import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import express from 'express'
import request from 'supertest'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { readPageFiles } from '../../lib/console/page-files.js'
import { pageGate } from '../../lib/console/page-gate.js'
import { SecurityEvents } from '../../lib/core/events.js'
import { toHandler } from '../../lib/http/gate.js'
import { refuseAtMount } from '../../lib/http/refusals.js'
import { recordedLog } from '../helpers/recorded-log.js'

const script = 'document.title = "Operators"'
const html = '<!doctype html><title>Operators</title><script type="module" src="page-1A2B3C4D.js"></script>'

let app: express.Express

function appWith(files: Readonly<Record<string, string>> | undefined): express.Express {
  const folder = mkdtempSync(join(tmpdir(), 'page-files-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files ?? {})) writeFileSync(join(folder, name), text)
  const from = pathToFileURL(files === undefined ? join(folder, 'nowhere/') : `${folder}/`)
  const refuse = refuseAtMount(new SecurityEvents(recordedLog().logger), Date.now)
  return express().use(
    '/ops',
    toHandler({ gates: [pageGate(async () => readPageFiles(from))], readsPath: true }, refuse),
  )
}

describe('the files of the page', () => {
  beforeEach(() => {
    app = appWith({
      'index.html': html,
      'page-1A2B3C4D.js': script,
      'page-5E6F.css': 'a{}',
      'page-1A2B3C4D.js.map': '{}',
      'secret.txt': 'x',
    })
  })

  it('are the page itself, which no cache keeps and which runs nothing but its own scripts', async () => {
    const { status, text, headers } = await request(app).get('/ops/')
    expect([status, text, headers['content-type'], headers['cache-control']]).toEqual([
      200,
      html,
      'text/html; charset=utf-8',
      'no-store',
    ])
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
        "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    )
    expect([headers['x-content-type-options'], headers['x-frame-options']]).toEqual(['nosniff', 'DENY'])
  })

  it('are kept for a year by the browser alone, where a hash is in their names', async () => {
    for (const [name, type] of [
      ['page-1A2B3C4D.js', 'text/javascript'],
      ['page-5E6F.css', 'text/css'],
    ]) {
      const { status, headers } = await request(app).get(`/ops/${name}`)
      expect([status, headers['content-type'], headers['cache-control']]).toEqual([
        200,
        `${type}; charset=utf-8`,
        'private, max-age=31536000, immutable',
      ])
    }
  })

  it('are compressed for who takes it', async () => {
    const raw = (accept: string) => request(app).get('/ops/page-1A2B3C4D.js').set('Accept-Encoding', accept)
    const zipped = await raw('gzip')
    expect([zipped.headers['content-encoding'], zipped.headers['vary'], zipped.text]).toEqual([
      'gzip',
      'Accept-Encoding',
      script,
    ])
    const plain = await raw('identity')
    expect([plain.headers['content-encoding'], plain.headers['vary']]).toEqual([undefined, 'Accept-Encoding'])
    expect(plain.text).toBe(script)
    expect(plain.headers['content-length']).toBe(String(script.length))
  })

  it('are found at the mount with a slash at its end', async () => {
    for (const path of ['/ops', '/ops?x=1']) {
      const answer = await request(app).get(path)
      expect([answer.status, answer.headers['location']]).toEqual([303, '/ops/'])
    }
  })

  it('have a head, and nothing but GET', async () => {
    const head = await request(app).head('/ops/page-1A2B3C4D.js').set('Accept-Encoding', 'identity')
    expect([head.status, head.headers['content-length'], head.text]).toEqual([200, String(script.length), undefined])
    const post = await request(app).post('/ops/')
    expect([post.status, post.headers['allow']]).toEqual([405, 'GET, HEAD'])
  })

  it.each([
    '/ops/index.html',
    '/ops/secret.txt',
    '/ops/page-1A2B3C4D.js.map',
    '/ops/../package.json',
    '/ops/..%2f..%2fpackage.json',
    '/ops/%2e%2e/%2e%2e/package.json',
    '/ops/page-1A2B3C4D.js/',
    '/ops/PAGE-1A2B3C4D.JS',
    '/ops/page-1A2B3C4D.js%00',
    '/ops/.',
    '/ops//',
    '/ops/__proto__',
  ])('are nothing else: %s', async (path) => {
    expect((await request(app).get(path)).status).toBe(404)
  })

  it('say what to run where there are none', async () => {
    const { status, body } = await request(appWith(undefined)).get('/ops/')
    expect([status, (body as { Error: string }).Error]).toEqual([
      503,
      'The page was not built: run "npm run build" in the folder of the package.',
    ])
  })
})
