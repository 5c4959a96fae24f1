import type { Express, RequestHandler, RouterOptions } from 'express'
import { describe, expect, it } from 'vitest'
import { pathAuthorization } from '../../lib/middleware/path-authorization.js'
import { expressVersions } from '../helpers/express-versions.js'
import { bytesOf, type PathEntry, pathEntries } from '../helpers/path-corpus.js'
import { type ListeningServer, listen, type RawResponse, sendRaw } from '../helpers/raw-socket.js'
import { type Caller, standInAuthentication } from '../helpers/stand-in-authentication.js'

type ExpressModule = (typeof expressVersions)[number][1]

interface Variant {
  /** Whether guard and routes share one mount; else the guard is mounted, and the routes are the app's own. */
  readonly isNested: boolean
  readonly isStrict: boolean
  readonly isGuarded: boolean
}

/** Requests that run at the same time. */
const width = 16

/** An escape that cannot be decoded has no meaning that could be judged. Without the guard these are 404 or 400. */
const undecodable = [
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
]

/** Where an administrator gets another answer than without the guard, and which. */
const adminDeviations: Readonly<Record<string, number>> = Object.fromEntries(undecodable.map((id) => [id, 400]))

function appOf(
  express: ExpressModule,
  { isNested, isStrict, isGuarded }: Variant,
  onRun: (run: string) => void,
): Express {
  const options: RouterOptions = isStrict ? { strict: true, caseSensitive: true } : {}
  const app = express()
  if (isStrict) app.enable('strict routing').enable('case sensitive routing')
  const protectedRoute: RequestHandler = (request, response) => {
    onRun(request.get('x-run') ?? '')
    response.json({ hit: 'users', id: request.params['id'] })
  }
  const openRoute: RequestHandler = (request, response) => void response.json({ hit: 'open', id: request.params['id'] })
  const guard = pathAuthorization({ rules: [{ path: '/users' }] })
  // Without a guard there is a mount all the same: a mount may change what the routes after it see.
  app.use('/management', standInAuthentication, isGuarded ? guard : (_request, _response, next) => next())

  if (isNested) {
    const users = express.Router(options)
    users.all('/', protectedRoute)
    users.all('/:id', protectedRoute)
    const api = express.Router(options)
    api.use('/users', users)
    api.all('/', openRoute)
    api.all('/apis', openRoute)
    api.all('/apis/:id', openRoute)
    app.use('/management', api)
  } else {
    app.all('/management', openRoute)
    app.all('/management/users', protectedRoute)
    app.all('/management/users/:id', protectedRoute)
    app.all('/management/apis', openRoute)
    app.all('/management/apis/:id', openRoute)
  }
  app.use(((error, _request, response, _next) => {
    response.status(error.status ?? 500).json({ code: error.code })
  }) as import('express').ErrorRequestHandler)
  return app
}

interface Outcome {
  readonly answers: readonly RawResponse[]
  readonly runs: number
}

/** Sends entries to an app, and counts the runs of the protected routes for each. */
async function prober(express: ExpressModule, variant: Variant) {
  const runs = new Map<string, number>()
  const server: ListeningServer = await listen(
    appOf(express, variant, (run) => runs.set(run, (runs.get(run) ?? 0) + 1)),
  )
  let last = 0
  return {
    close: () => server[Symbol.asyncDispose](),
    async send(entry: PathEntry, caller: Caller): Promise<Outcome> {
      const run = String(++last)
      const bytes = bytesOf(entry, `127.0.0.1:${server.port}`, [`X-Caller: ${caller}`, `X-Run: ${run}`])
      const answers = await sendRaw(server.port, bytes)
      return { answers, runs: runs.get(run) ?? 0 }
    },
  }
}

function statusesOf({ answers }: Outcome): string {
  return answers.map(({ status }) => status).join(' ')
}

function contentsOf({ answers }: Outcome): readonly unknown[] {
  return answers.map(({ status, body }) => [status, body])
}

// Covers: E01 E02 E03 E04
describe.each(expressVersions)('path-bypass.json on %s', (version, express) => {
  const variants = [true, false].flatMap((isNested) => [false, true].map((isStrict) => ({ isNested, isStrict })))

  it.each(variants)('passes no guard: %o', { timeout: 60_000 }, async (variant) => {
    const guarded = await prober(express, { ...variant, isGuarded: true })
    const bare = await prober(express, { ...variant, isGuarded: false })
    const mistakes: string[] = []
    const passed: string[] = []

    async function judge(entry: PathEntry): Promise<void> {
      const [unguarded, admin, user, none] = await Promise.all([
        bare.send(entry, 'none'),
        guarded.send(entry, 'admin'),
        guarded.send(entry, 'user'),
        guarded.send(entry, 'none'),
      ])
      const note = (text: string) => mistakes.push(`${entry.id}: ${text}`)
      if (user.runs > 0 || none.runs > 0) passed.push(entry.id)

      const expectedStatus = adminDeviations[entry.id]?.toString() ?? statusesOf(unguarded)
      if (statusesOf(admin) !== expectedStatus) {
        note(`an administrator gets ${statusesOf(admin)}, expected ${expectedStatus}`)
      }
      if (admin.runs !== unguarded.runs) note(`runs for an administrator ${admin.runs} times, not ${unguarded.runs}`)
      if (entry.expect === 'open') {
        if (JSON.stringify(contentsOf(user)) !== JSON.stringify(contentsOf(admin))) note('is refused to a user')
        return
      }
      for (const outcome of [user, none]) {
        const { status = 0 } = outcome.answers.at(-1) ?? {}
        if (status >= 200 && status < 300 && outcome.runs === 0) note(`gets ${status} though it is protected`)
      }
    }

    try {
      for (let index = 0; index < pathEntries.length; index += width) {
        await Promise.all(pathEntries.slice(index, index + width).map(judge))
      }
    } finally {
      await Promise.all([guarded.close(), bare.close()])
    }
    expect(mistakes).toEqual([])
    expect(passed).toEqual([])
  })

  it('gets from an app without a guard the statuses that the corpus has', { timeout: 60_000 }, async () => {
    const bare = await prober(express, { isNested: true, isStrict: false, isGuarded: false })
    const column = version === 'Express 5' ? 'express5' : 'express4'
    const differences: string[] = []
    try {
      for (const entry of pathEntries) {
        // Node closes the connection of a CONNECT that nobody listens for.
        if (entry.method === 'CONNECT') continue
        const status = (await bare.send(entry, 'none')).answers[0]?.status
        if (status !== entry.status[column]) differences.push(`${entry.id}: ${status}, not ${entry.status[column]}`)
      }
    } finally {
      await bare.close()
    }
    expect(differences).toEqual([])
  })
})
