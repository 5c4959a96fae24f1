import type { ErrorRequestHandler } from 'express'
import express from 'express'
import request from 'supertest'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ForbiddenError, HttpError, StoreError } from '../../lib/core/errors.js'
import { type Gate, type GateRow, type Refuse, refusalFrom, toHandler } from '../../lib/http/gate.js'
import { expressVersions } from '../helpers/express-versions.js'

const refusal = new ForbiddenError('ERR_PATH_DENIED', 'No.')
const later = <T>(value: T): Promise<T> => new Promise((resolve) => setImmediate(() => resolve(value)))

describe.each(expressVersions)('handlerOf on %s', (_name, express) => {
  function appWith(gates: Gate | GateRow, refuse?: Refuse) {
    const seen: unknown[] = []
    const app = express()
    app.use(toHandler(gates, refuse))
    app.use((_request, response) => {
      seen.push('route')
      response.send('the route')
    })
    const note: ErrorRequestHandler = (error, _request, response, _next) => {
      seen.push(error)
      response.sendStatus(error.status)
    }
    app.use(note)
    return { app, seen }
  }

  it.each([
    ['at once', (): undefined => undefined],
    ['later', () => later(undefined)],
  ])('lets a request pass when its gate says so %s', async (_when, gate) => {
    const { app, seen } = appWith(gate)
    await request(app).get('/').expect(200, 'the route')
    expect(seen).toEqual(['route'])
  })

  it.each<[string, Gate]>([
    ['at once', () => refusal],
    ['later', () => later(refusal)],
    [
      'by throwing',
      () => {
        throw refusal
      },
    ],
    ['by rejecting', () => Promise.reject(refusal)],
  ])('passes a refusal to next when its gate refuses %s', async (_when, gate) => {
    const { app, seen } = appWith(gate)
    await request(app).get('/').expect(403)
    expect(seen).toEqual([refusal])
  })

  it.each<[string, () => 'answered' | Promise<'answered'>]>([
    ['at once', () => 'answered'],
    ['later', () => later('answered' as const)],
  ])('goes no further when its gate has answered %s', async (_when, verdict) => {
    const { app, seen } = appWith((_request, response) => {
      response.send('the gate')
      return verdict()
    })
    await request(app).get('/').expect(200, 'the gate')
    expect(seen).toEqual([])
  })

  it.each([[false], [true]])(
    'asks the gates of a row in order, and none after a refusal (later: %j)',
    async (isLater) => {
      const order: string[] = []
      const gateThat =
        (name: string, verdict: undefined | ForbiddenError): Gate =>
        () => {
          order.push(name)
          return isLater ? later(verdict) : verdict
        }
      const row = { gates: [gateThat('one', undefined), gateThat('two', refusal), gateThat('three', undefined)] }
      const { app, seen } = appWith(row)
      await request(app).get('/').expect(403)
      expect(order).toEqual(['one', 'two'])
      expect(seen).toEqual([refusal])
    },
  )

  it('lets a request pass an empty row', async () => {
    await request(appWith({ gates: [] }).app)
      .get('/')
      .expect(200, 'the route')
  })

  it('gives a refusal to the answerer of a mount, and nothing to next', async () => {
    const { app, seen } = appWith(
      () => later(refusal),
      (error, _request, response) => void response.status(error.status).send('the mount'),
    )
    await request(app).get('/').expect(403, 'the mount')
    expect(seen).toEqual([])
  })

  it('leaves a request that is under way the row it began with', async () => {
    let release = (): void => {}
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined)
    })
    const begun: string[] = []
    const row: GateRow = {
      gates: [
        () => {
          begun.push('old')
          return held
        },
        (): undefined => undefined,
      ],
    }
    const { app } = appWith(row)
    const first = request(app)
      .get('/')
      .then(({ status }) => status)
    await expect.poll(() => begun.length).toBe(1)
    row.gates = [() => refusal]
    release()
    expect(await first).toBe(200)
    await request(app).get('/').expect(403)
  })

  it('refuses with 503 when a gate never settles, and drops what it says later', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    let settle = (_verdict: undefined): void => {}
    let hasBegun = false
    const { app, seen } = appWith(() => {
      hasBegun = true
      return new Promise<undefined>((resolve) => {
        settle = resolve
      })
    })
    const answer = request(app)
      .get('/')
      .then(({ status }) => status)
    await expect.poll(() => hasBegun).toBe(true)
    await vi.advanceTimersByTimeAsync(120_000)
    expect(await answer).toBe(503)
    settle(undefined)
    await vi.advanceTimersByTimeAsync(0)
    expect(seen).toMatchObject([{ code: 'ERR_STORE_UNAVAILABLE' }])
  })

  it('answers all the same when the answerer of a mount throws', async () => {
    const refuse: Refuse = () => {
      throw Object.assign(new Error('a bug'), { status: 500 })
    }
    for (const gate of [() => refusal, () => later(refusal)]) {
      const { app } = appWith(gate, refuse)
      await request(app).get('/').timeout(2000).expect(500)
    }
  })
})

describe('what a gate answers in place of a verdict', () => {
  const answers: readonly unknown[] = [null, false, true, 0, '', 'pass', {}, { status: 200 }, () => undefined]

  it('refuses with 500 and is passed on by nobody', async () => {
    for (const value of answers) {
      for (const given of [value, later(value)]) {
        const app = express()
        app.use(toHandler((() => given) as Gate), (_request, response) => void response.send('the route'))
        app.use(((error, _request, response, _next) => response.sendStatus(error.status)) as ErrorRequestHandler)
        await request(app).get('/').expect(500)
      }
    }
  })

  it('is awaited where it can be', async () => {
    for (const [verdict, status] of [
      [undefined, 200],
      [refusal, 403],
    ] as const) {
      const thenable = Object.defineProperty({}, 'then', {
        value: (resolve: (value: unknown) => void) => resolve(verdict),
      })
      const app = express()
      app.use(toHandler((() => thenable) as never), (_request, response) => void response.send('the route'))
      app.use(((error, _request, response, _next) => response.sendStatus(error.status)) as ErrorRequestHandler)
      await request(app).get('/').expect(status)
    }
  })
})

describe('refusalOf', () => {
  it('keeps an HttpError', () => {
    expect(refusalFrom(refusal)).toBe(refusal)
  })

  it('is 503 for a StoreError, and says nothing of it', () => {
    const cause = new StoreError('redis://10.0.0.9 is gone')
    const error = refusalFrom(cause)
    expect(error).toMatchObject({ status: 503, code: 'ERR_STORE_UNAVAILABLE', headers: { 'Retry-After': '5' }, cause })
    expect(error.message).toBe('A store cannot be reached. Try again later.')
  })

  it.each([[new TypeError('a bug')], ['a text'], [null], [undefined], [{ status: 200 }]])('is 500 for %s', (thrown) => {
    const error = refusalFrom(thrown)
    expect(error).toBeInstanceOf(HttpError)
    expect(error).toMatchObject({ status: 500, code: 'ERR_INTERNAL', message: 'The request could not be checked.' })
    expect(error.cause).toBe(thrown)
  })
})
