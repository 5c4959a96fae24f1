import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express, Request } from 'express'
import { afterEach, describe, expect, it } from 'vitest'
import { createExpressServer } from '../../lib/create-server.js'
import { handlerOf } from '../../lib/internal/gate.js'
import { addAgain } from '../../lib/internal/lookup-tables.js'
import { expressVersions } from '../helpers/express-versions.js'

/** V8 11 and 12, that is Node 20 and 22. */
const isNeeded = Number.parseInt(process.versions.v8, 10) < 13

const servers: http.Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

describe.each(expressVersions)('handlers with %s', (_version, express) => {
  /** The names of the request before and after a handler, as the app sees them. */
  async function namesAround(serverFor: (app: Express) => http.Server, mounted = false): Promise<[string[], string[]]> {
    let before: string[] = []
    let after: string[] = []
    const inner = express()
    inner.use(
      (request: Request, _response, next) => {
        before = Object.keys(request)
        next()
      },
      handlerOf(() => undefined),
      (request, response) => {
        after = Object.keys(request)
        response.json({ isWhole: typeof request.next === 'function' && response.req === request })
      },
    )
    const server = serverFor(mounted ? express().use('/', inner) : inner).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a?b=c`)
    expect(await answer.json()).toEqual({ isWhole: true })
    return [before, after]
  }

  it.each([
    ['http.createServer', (app: Express) => http.createServer(app), false],
    ['createExpressServer and a sub-app', createExpressServer as (app: Express) => http.Server, true],
  ])('have V8 keep the messages of %s as tables where it needs that', async (_name, serverFor, mounted) => {
    const [before, after] = await namesAround(serverFor, mounted)
    expect(after.toSorted()).toEqual(before.toSorted())
    // What is added again comes last.
    expect(after.at(-1) === 'next').toBe(isNeeded)
    expect(before.at(-1)).not.toBe('next')
  })

  it('leave the messages of createExpressServer as they were born', async () => {
    const [before, after] = await namesAround(createExpressServer as (app: Express) => http.Server)
    expect(after).toEqual(before)
  })
})

describe('addAgain', () => {
  it('keeps the value', () => {
    const holder = { next: 1, other: 2 }
    addAgain(holder, 'next')
    expect(Object.entries(holder)).toEqual([
      ['other', 2],
      ['next', 1],
    ])
  })

  it('leaves alone what is not there or cannot be deleted', () => {
    const frozen = Object.freeze({ next: 1 })
    for (const holder of [{}, frozen]) {
      addAgain(holder, 'next')
      expect(Object.keys(holder)).toEqual(holder === frozen ? ['next'] : [])
    }
  })
})
