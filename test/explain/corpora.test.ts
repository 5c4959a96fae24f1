import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attacksOf } from '../helpers/attack-request.js'
import { addressEntries } from '../helpers/ip-corpus.js'
import { bytesOf, pathEntries } from '../helpers/path-corpus.js'
import { buildToken, corpus } from '../tokens/corpus-token.js'
import {
  createObservedApp,
  type ObservedApp,
  type ObservedServer,
  openObservedServer,
  requestBytes,
} from './observed-server.js'

let server: ObservedServer
beforeAll(async () => {
  server = await openObservedServer()
})
afterAll(() => server[Symbol.asyncDispose]())

/** What explanations say of the requests of a message, and what the server has answered: equal pairs are left out. */
async function differences(to: ObservedApp, bytes: Uint8Array): Promise<readonly unknown[]> {
  const found: unknown[] = []
  for (const { facts, ...got } of await server.send(to, bytes)) {
    const { outcome, status, code } = await to.explain(facts)
    const said = { outcome, status, code }
    if (JSON.stringify(said) !== JSON.stringify(got)) found.push({ target: facts.path, said, got })
  }
  return found
}

async function closeAfter(observed: ObservedApp, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } finally {
    await observed.close()
  }
}

describe('an explanation says what the server answers', () => {
  it('to the requests of the path corpus', async () => {
    const source = {
      management_api: {
        public_paths: ['/apis'],
        authorization_handler: {
          resources: [
            { path: '/users', roles: ['keeper'] },
            { path: '/users/42', methods: ['DELETE'] },
          ],
        },
      },
    }
    const observed = await createObservedApp(source, (app, security) =>
      app.use('/management', security.managementApi()),
    )
    await closeAfter(observed, async () => {
      let count = 0
      for (const entry of pathEntries) {
        if (entry.method === 'CONNECT') continue
        count++
        expect(await differences(observed, bytesOf(entry, 'localhost', [])), entry.id).toEqual([])
      }
      expect(count).toBeGreaterThan(200)
    })
  })

  it('to the requests of the address corpus', { timeout: 300_000 }, async () => {
    let count = 0
    const apps = new Map<string, ObservedApp | undefined>()
    for (const { id, peer, trust, headers, allow } of addressEntries) {
      const isPlain = headers.every(([, value]) => !value.startsWith('$') && /^[ -~]*$/.test(value))
      if (peer === null || !isPlain || (typeof trust === 'string' && trust.startsWith('$'))) continue
      const source = { management_api: { control_access: { enable: true, allow } } }
      const key = JSON.stringify([trust, allow])
      const app = apps.has(key)
        ? apps.get(key)
        : await createObservedApp(source, (express, security) => {
            express.set('trust proxy', trust ?? false)
            express.use(security.managementApi())
          }).catch(() => undefined)
      apps.set(key, app)
      // A list, or a setting, that is refused at the start.
      if (app === undefined) continue
      count++
      const own = headers.filter(([name]) => name.toLowerCase() !== 'host')
      expect(await differences(app, requestBytes('GET', '/apis', [['X-Peer', peer], ...own])), id).toEqual([])
    }
    for (const app of apps.values()) await app?.close()
    expect(count).toBeGreaterThan(100)
  })

  it('to the tokens of the token corpus', async () => {
    const observed = await createObservedApp({}, (app, security) => app.use('/management', security.managementApi()))
    await closeAfter(observed, async () => {
      const classes = new Set(corpus.entries.map((entry) => entry.class))
      let count = 0
      for (const entry of [...classes].flatMap(attacksOf)) {
        const surroundings = { nowSeconds: 1_700_000_000, trapPort: 1, tokenType: 'at+jwt' }
        const headers = entry.http?.headers.filter(([, value]) => !/[{$]/.test(value)) ?? [
          ['Authorization', `Bearer ${buildToken(entry, surroundings).token}`] as const,
        ]
        if (entry.http !== undefined && headers.length === 0) continue
        count++
        expect(await differences(observed, requestBytes('GET', '/management/apis', headers)), entry.id).toEqual([])
      }
      expect(count).toBeGreaterThan(150)
    })
  })
})
