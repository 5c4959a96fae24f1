import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { Express, RequestHandler, RouterOptions } from 'express'
import { describe, expect, it } from 'vitest'
import { createSecurity, type Security } from '../../lib/app/create-security.js'
import { expressVersions } from '../helpers/express-versions.js'
import { basic, document, users } from '../helpers/front.js'
import { bytesOf, type PathEntry, pathEntries } from '../helpers/path-corpus.js'
import { requestBytes, sendRaw as sendOne } from '../helpers/raw-http.js'
import { type RawResponse, sendRaw } from '../helpers/raw-socket.js'
import { recordedLog } from '../helpers/recorded-log.js'

type ExpressModule = (typeof expressVersions)[number][1]

/** An older line of Express 5: how it reads a URL has changed since. */
const express51: ExpressModule = createRequire(import.meta.url)('express51')

const variants = [...expressVersions, ['Express 5.1', express51] as const].flatMap(([version, express]) => [
  { name: `${version}, default routing, createServer`, express, isStrict: false, usesCreateServer: true },
  { name: `${version}, strict routing, app.listen`, express, isStrict: true, usesCreateServer: false },
])
type Variant = (typeof variants)[number]

/** Requests that run at the same time. */
const width = 16

/** Where an administrator does not reach the route, but gets another answer than without the front: which, and why. */
const deviations: Readonly<Record<string, readonly [status: string, reason: string]>> = {
  ...Object.fromEntries(
    [
      'enc-85',
      'enc-ff',
      'enc-pct-trunc2',
      'enc-pct-bad',
      'enc-pct-u',
      'encname-u',
      'dot-dotdot-ff',
      'dot-overlong-dot',
      'dot-overlong-dot3',
      'mix-case-item-ff',
    ].map((id) => [id, ['400', 'an escape that cannot be decoded has no meaning that could be judged'] as const]),
  ),
  'qf-q-token': ['400', 'a token in the query beside one in the header: more than one credential (RFC 6750 section 2)'],
}

/** Nested routers behind the front, or behind nothing, in one mount. */
function appOf({ express, isStrict }: Variant, front: RequestHandler, onRun: (run: string) => void): Express {
  const options: RouterOptions = isStrict ? { strict: true, caseSensitive: true } : {}
  const app = express()
  if (isStrict) app.enable('strict routing').enable('case sensitive routing')
  const protectedRoute: RequestHandler = (request, response) => {
    onRun(request.get('x-run') ?? '')
    response.json({ hit: 'users', id: request.params['id'] })
  }
  const openRoute: RequestHandler = (request, response) => void response.json({ hit: 'open', id: request.params['id'] })
  const usersRoutes = express.Router(options).all('/', protectedRoute).all('/:id', protectedRoute)
  const routes = express.Router(options).use('/users', usersRoutes)
  for (const path of ['/', '/apis', '/apis/:id']) routes.all(path, openRoute)
  app.use('/management', front, routes)
  return app
}

interface Outcome {
  readonly answers: readonly RawResponse[]
  /** How often the protected routes ran. */
  readonly runs: number
}

interface Target extends AsyncDisposable {
  readonly port: number
  /** Sends an entry with more header lines in each of its messages. */
  send(entry: PathEntry, lines: readonly string[]): Promise<Outcome>
}

async function start(variant: Variant, security: Security | undefined): Promise<Target> {
  const runs = new Map<string, number>()
  const count = (run: string): void => void runs.set(run, (runs.get(run) ?? 0) + 1)
  const front: RequestHandler =
    security === undefined ? (_request, _response, next) => next() : security.managementApi({ resources: false })
  const app = appOf(variant, front, count)
  const usesCreateServer = variant.usesCreateServer && security !== undefined
  const server = usesCreateServer ? security.createServer(app).listen(0, '127.0.0.1') : app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let last = 0
  return {
    port,
    async send(entry, lines) {
      const run = String(++last)
      const answers = await sendRaw(port, bytesOf(entry, `127.0.0.1:${port}`, [...lines, `X-Run: ${run}`]))
      return { answers, runs: runs.get(run) ?? 0 }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function tokenOf(port: number, { name, password }: { name: string; password: string }): Promise<string> {
  const answer = await sendOne(port, requestBytes('GET', '/management/login', [basic(name, password)]))
  return `Authorization: Bearer ${answer.json<{ AccessToken: string }>().AccessToken}`
}

const statusesOf = ({ answers }: Outcome): string => answers.map(({ status }) => status).join(' ')
const bodiesOf = ({ answers }: Outcome): string => JSON.stringify(answers.map(({ status, body }) => [status, body]))

describe.each(variants)('path-bypass.json against the whole front on $name', (variant) => {
  // Covers: E01 E02 E03 E04 H03
  it('runs a protected route for administrators only, and refuses nothing else', { timeout: 60_000 }, async () => {
    await using security = await createSecurity(document(), { logger: recordedLog().logger })
    await using guarded = await start(variant, security)
    await using bare = await start(variant, undefined)
    const [adminToken, readerToken] = await Promise.all([
      tokenOf(guarded.port, users.admin),
      tokenOf(guarded.port, users.reader),
    ])
    const mistakes: string[] = []

    async function judge(entry: PathEntry): Promise<void> {
      const note = (text: string) => mistakes.push(`${entry.id}: ${text}`)
      const [unguarded, admin, reader, nobody] = await Promise.all([
        bare.send(entry, []),
        guarded.send(entry, [adminToken]),
        guarded.send(entry, [readerToken]),
        guarded.send(entry, []),
      ])
      if (reader.runs > 0) note('runs for a user who is no administrator')
      if (nobody.runs > 0) note('runs for nobody')

      if (entry.expect === 'preflight') {
        for (const outcome of [admin, reader, nobody]) {
          if (statusesOf(outcome) !== '200' || outcome.runs > 0) note('is a preflight, to be answered by CORS alone')
        }
        return
      }
      const deviation = deviations[entry.id]
      const expectedStatus = deviation?.[0] ?? statusesOf(unguarded)
      const expectedRuns = deviation === undefined ? unguarded.runs : 0
      if (statusesOf(admin) !== expectedStatus) {
        note(`an administrator gets ${statusesOf(admin)}, expected ${expectedStatus}`)
      }
      if (admin.runs !== expectedRuns) note(`runs for an administrator ${admin.runs} times, not ${expectedRuns}`)
      if (entry.expect === 'open') {
        if (bodiesOf(reader) !== bodiesOf(admin)) note('is refused to a user')
        return
      }
      for (const outcome of [reader, nobody]) {
        const { status = 0 } = outcome.answers.at(-1) ?? {}
        if (status >= 200 && status < 300) note(`gets ${status} though it is protected`)
      }
    }

    for (let index = 0; index < pathEntries.length; index += width) {
      await Promise.all(pathEntries.slice(index, index + width).map(judge))
    }
    expect(mistakes).toEqual([])
  })
})
