/** A front whose stores and files a test can stop in the middle, with what may happen in its life. */

import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Request, Response } from 'express'
import { expect, onTestFinished } from 'vitest'
import { createSecurity, type Security } from '../../lib/app/create-security.js'
import { getAuth } from '../../lib/core/auth.js'
import { StoreError } from '../../lib/core/errors.js'
import { basic, bearer, document, users } from '../helpers/front.js'
import { holdFile } from '../helpers/held-files.js'
import { HeldStore, type Hold } from '../helpers/held-store.js'
import { type RawAnswer, requestBytes, sendRaw } from '../helpers/raw-http.js'
import { recordedLog, secret } from '../helpers/recorded-log.js'
import type { SetUp } from '../helpers/set-ups.js'
import { origin, ownForm } from '../portals/portal-front.js'

/** What a token of the management API and a session of a portal are to a client. */
export interface Kind {
  readonly name: 'management token' | 'portal session'
  readonly mount: string
  make(security: Security): ReturnType<Security['managementApi']>
  /** Logs in. */
  enter(port: number, user: { readonly name: string; readonly password: string }): Promise<RawAnswer>
  /** The header line with what a login has answered. */
  credentialFrom(login: RawAnswer): string
  readonly loggedIn: number
  readonly logout: { readonly method: string; readonly headers: readonly string[]; readonly ok: number }
}

const send = (port: number, method: string, path: string, headers: readonly string[] = [], body?: string) =>
  sendRaw(port, requestBytes(method, path, headers, body))

/** The two kinds of credentials. */
export const kinds: readonly Kind[] = [
  {
    name: 'management token',
    mount: '/management',
    make: (security) => security.managementApi(),
    enter: (port, { name, password }) => send(port, 'GET', '/management/login', [basic(name, password)]),
    credentialFrom: (login) => bearer(login.json<{ AccessToken: string }>().AccessToken),
    loggedIn: 200,
    logout: { method: 'GET', headers: [], ok: 200 },
  },
  {
    name: 'portal session',
    mount: '/publisher',
    make: (security) => security.portal('publisher'),
    enter(port, { name, password }) {
      const body = new URLSearchParams({ username: name, password }).toString()
      const type = 'Content-Type: application/x-www-form-urlencoded'
      return send(port, 'POST', '/publisher/login', [type, ...ownForm], body)
    },
    credentialFrom: (login) => `Cookie: ${secret(login.header('set-cookie')!.split(';')[0]!)}`,
    loggedIn: 303,
    logout: { method: 'POST', headers: [`Origin: ${origin}`], ok: 204 },
  },
]

/** The address of a client that the second configuration keeps out. */
const stranger = 'X-Forwarded-For: 203.0.113.9'

/** A running front with two users who are logged in; the credential of the first one is what everything happens to. */
export interface Stage {
  readonly security: Security
  readonly store: HeldStore
  readonly targetId: string
  /** Whether the target was ended: it must never be taken again. */
  isEnded: boolean
  isClosed: boolean
  /** Whether the rules are those of the second configuration. */
  areRulesNew: boolean
  /** Reads the other configuration. */
  reload(): Promise<void>
  logOut(): Promise<RawAnswer>
  logIn(): Promise<RawAnswer>
  use(): Promise<RawAnswer>
  /** Makes one more handler; the function it answers mounts it. */
  makeMount(): () => void
  /** Looks whether all is as it must be. */
  check(): Promise<void>
}

/** What {@link startStage} works with. */
export interface StageOptions {
  readonly setUp: SetUp
  readonly kind: Kind
  readonly keyFile: string
}

/** Starts the front, and ends it with the test. */
export async function startStage({ setUp, kind, keyFile }: StageOptions): Promise<Stage> {
  const store = new HeldStore({ maxSize: 2, maxSessions: 2 })
  const jwt = { token_config: { algorithm: 'ES256', key_file: keyFile } }
  const allow = { control_access: { enable: true, allow: ['127.0.0.1'] } }
  const before = document({ jwt })
  const after = document({ jwt, managementApi: allow, root: { web_app: allow } })
  const security = await createSecurity(before, { tokenStore: store, logger: recordedLog().logger })
  const handled: (string | undefined)[] = []
  const mounts: string[] = []
  let reloads = 0
  let lastApplied = 0
  const app = setUp.express()
  app.set('trust proxy', 'loopback')

  function makeMount(path: string): () => void {
    const handler = kind.make(security)
    return () => {
      mounts.push(path)
      app.use(path, handler, (request: Request, response: Response) => {
        handled.push(getAuth(request).tokenId)
        response.json({})
      })
    }
  }
  makeMount(kind.mount)()
  const server: Server = setUp.usesCreateServer
    ? security.createServer(app, { protocol: 'http' }).listen(0, '127.0.0.1')
    : app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await security.close()
  })
  const { port } = server.address() as AddressInfo

  const enter = async (user: { readonly name: string; readonly password: string }): Promise<string> => {
    const answer = await kind.enter(port, user)
    expect(answer.status, answer.body).toBe(kind.loggedIn)
    return kind.credentialFrom(answer)
  }
  const idOf = async (subject: string): Promise<string> => (await security.tokens.list({ subject }))[0]!.id
  const target = await enter(users.reader)
  const witness = await enter(users.admin)
  const targetId = await idOf(users.reader.name)
  const witnessId = await idOf(users.admin.name)
  const use = (credential: string, path = kind.mount) => send(port, 'GET', `${path}/apis`, [credential])

  async function expectVerdict(credential: string, id: string, isEnded: boolean): Promise<void> {
    for (const path of mounts) {
      const isLive = store.inner.find(id) !== undefined && !isEnded
      const count = handled.length
      expect((await use(credential, path)).status, `${id} at ${path}`).toBe(isLive ? 200 : 401)
      expect(handled.slice(count)).toEqual(isLive ? [id] : [])
    }
  }

  const stage: Stage = {
    security,
    store,
    targetId,
    isEnded: false,
    isClosed: false,
    areRulesNew: false,
    async reload() {
      // The second one puts the rules back. The one that was called last holds, whenever it ends.
      const call = reloads++
      const isNew = call % 2 === 0
      await security.reload(isNew ? after : before)
      lastApplied = Math.max(lastApplied, call)
      if (lastApplied === call) stage.areRulesNew = isNew
    },
    logOut: () => send(port, kind.logout.method, `${kind.mount}/logout`, [target, ...kind.logout.headers]),
    logIn: () => kind.enter(port, users.reader),
    use: () => use(target),
    makeMount: () => makeMount(`${kind.mount}-${mounts.length}`),

    async check() {
      await expectVerdict(target, targetId, stage.isEnded)
      await expectVerdict(witness, witnessId, false)
      for (const path of mounts) {
        const { status } = await send(port, 'GET', `${path}/apis`, [stranger])
        expect(status, `rules at ${path}`).toBe(stage.areRulesNew ? 403 : 401)
      }
    },
  }
  return stage
}

/** Lets a held call go on, and waits for all that follows from it. */
export type Finish = () => Promise<void>

/** What happens in the life of a front. It is begun, up to its middle, and finished. */
export type Happening = (stage: Stage, kind: Kind) => Promise<Finish>

async function held<T>(hold: Hold, begun: Promise<T>, failure?: Error): Promise<() => Promise<T>> {
  // What is refused before it gets there has no middle.
  await Promise.race([hold.reached, begun.catch(() => undefined)])
  return () => {
    hold.release(failure)
    return begun
  }
}

/** Rejects where the front was closed before the end, and nowhere else. */
async function unlessClosed(stage: Stage, work: Promise<void>): Promise<void> {
  const reason = await work.then(
    () => 'it has worked',
    (error: unknown) => String(error),
  )
  expect(reason).toContain(stage.isClosed ? 'close()' : 'it has worked')
}

const down = new StoreError('the store is down')

/** Everything that may happen. */
export const happenings: Readonly<Record<string, Happening>> = {
  async mount(stage) {
    if (stage.isClosed) {
      expect(() => stage.makeMount()).toThrow('close()')
      return async () => {}
    }
    const mount = stage.makeMount()
    return async () => mount()
  },

  async reload(stage) {
    const hold = holdFile('key.pem')
    return held(hold, unlessClosed(stage, stage.reload()))
  },

  async close(stage) {
    stage.isClosed = true
    const closing = stage.security.close()
    return () => closing
  },

  async revoke(stage) {
    const finish = await held(stage.store.hold('remove'), stage.security.tokens.revoke(stage.targetId))
    return async () => {
      await finish()
      stage.isEnded = true
    }
  },

  async 'revoke of a user'(stage) {
    const finish = await held(stage.store.hold('removeBySubject'), stage.security.tokens.revokeUser(users.reader.name))
    return async () => {
      await finish()
      stage.isEnded = true
    }
  },

  async logout(stage, kind) {
    const finish = await held(stage.store.hold('remove'), stage.logOut())
    return async () => {
      const { status } = await finish()
      // 401: something else was faster.
      expect([kind.logout.ok, 401]).toContain(status)
      stage.isEnded = true
    }
  },

  async evict(stage, kind) {
    const finish = await held(stage.store.hold('add'), stage.logIn())
    return async () => {
      const { status } = await finish()
      // Revoked in the middle, the login has to be refused.
      expect([kind.loggedIn, 401]).toContain(status)
    }
  },

  async 'store failure'(stage) {
    const finish = await held(stage.store.hold('remove'), stage.logOut(), down)
    return async () => {
      const { status } = await finish()
      expect([503, 401]).toContain(status)
      stage.isEnded = true
    }
  },

  async 'store failure at a request'(stage) {
    const finish = await held(stage.store.hold('find'), stage.use(), down)
    return async () => expect([503, 401]).toContain((await finish()).status)
  },
}
