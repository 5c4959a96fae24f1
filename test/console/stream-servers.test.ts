import { createServer, type Server } from 'node:http'
import express, { type Express } from 'express'
import { describe, expect, it, vi } from 'vitest'
import { basic, document, users } from '../helpers/front.js'
import { secret } from '../helpers/recorded-log.js'
import { type ConsoleFront, ownScript, startConsole } from './console-front.js'
import { type EventStreamReader, openStream } from './event-stream.js'

/** Mounts an app in another one. */
const inside = (app: Express): Express => express().use('/x', app)

/** Not the app itself, but a function that calls it, as that of another framework. */
const calling = (app: Express): Server => createServer((request, response) => void app(request, response))

const servers: readonly (readonly [string, (app: Express) => Server, string])[] = [
  ['that has the app', (app) => createServer(app), ''],
  ['whose app has it as a sub-app', (app) => createServer(inside(app)), '/x'],
  ['whose app calls it', (app) => createServer(express().use('/x', (...call) => app(...call))), '/x'],
  ['whose listener calls it', calling, ''],
  ['whose listener calls the app that has it', (app) => calling(inside(app)), '/x'],
]

/** Express knows nothing of `outer`, whose rules would not be asked again. */
const unknown: readonly (readonly [string, (outer: Express, app: Express) => unknown])[] = [
  ['is mounted in another app, too', (outer, app) => [outer.use(app), express().use(app)]],
  ['is called by the one with the rules', (outer, app) => outer.use((...call) => app(...call))],
]

/** As the page opens it, and as a script does with a token. */
async function openBoth(front: ConsoleFront, at: string): Promise<readonly EventStreamReader[]> {
  const cookie = await front.cookieOf(`${at}/ops`)
  const answer = await front.call('GET', `${at}/management/login`, [basic(users.admin.name, users.admin.password)])
  const token = secret(answer.json<{ AccessToken: string }>().AccessToken)
  const streams = [
    await openStream(front.port, `${at}/ops/api/events`, [cookie, ...ownScript]),
    await openStream(front.port, `${at}/management/events`, [`Authorization: Bearer ${token}`]),
  ]
  expect(streams.map(({ status }) => status)).toEqual([200, 200])
  await front.call('GET', `${at}/management/login`, [basic('nobody', 'wrong')])
  for (const stream of streams) {
    await vi.waitFor(() => expect(stream.entries()).toMatchObject([{ userName: 'nobody' }]), 2000)
  }
  return streams
}

describe.each(servers)('on a server %s, streams', (_name, createServer, at) => {
  it('get events, and end with their sessions', async () => {
    const front = await startConsole({ createServer })
    const streams = await openBoth(front, at)
    await front.security.tokens.revokeUser(users.admin.name)
    await Promise.all(streams.map(({ ended }) => ended))
  })

  it('end when the page is switched off, and the user is no administrator any more', async () => {
    const front = await startConsole({ createServer })
    const streams = await openBoth(front, at)
    const { name, password } = users.admin
    const internal_apis = { users: [{ user: { name, password, is_admin: false } }] }
    await front.security.reload({ ...document(), internal_apis })
    await Promise.all(streams.map(({ ended }) => ended))
  })
})

describe.each(unknown)('behind a listener that calls an app, streams of one that %s', (_name, mount) => {
  it('end at once, with an error in the log', async () => {
    const outer = express()
    const front = await startConsole({ createServer: () => calling(outer) })
    outer.use(front.security.webApps())
    mount(outer, front.app)
    const stream = await openStream(front.port, '/management/events', [await front.bearerOf()])
    await stream.ended
    expect(front.entries).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringContaining('security.createServer(app)') }),
    )
  })
})

it('behind a listener that calls the app with all rules, streams go on', async () => {
  const outer = express()
  const front = await startConsole({ createServer: () => calling(outer) })
  outer.use(front.security.webApps(), front.app)
  await openBoth(front, '')
})
