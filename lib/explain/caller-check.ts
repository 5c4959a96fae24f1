/**
 * Asks the gates before a route about callers of each kind. Rules about addresses are left out.
 *
 * @module
 */

import type { Express, RequestHandler } from 'express'
import { type FrontParts, findMount, mountTitle } from '../app/mounts.js'
import { withFields } from '../config/checks/origins.js'
import type { Config } from '../config/config.js'
import { parseConfig } from '../config/parse.js'
import { type Auth, setAuth } from '../core/auth.js'
import { innerRouterIn, listLayers, routerIn } from '../http/express/layers.js'
import type { RowOnTheWay } from '../http/express/rows-on-the-way.js'
import { findGateRow, type Gate, type GateRow, toHandler } from '../http/gate.js'
import { factsFrom, type MountPlace } from './request.js'
import { type Answer, type Caller, Sandbox } from './sandbox.js'
import { asksForLogin } from './stages.js'

/** Who gets past the gates. */
export interface Passed {
  readonly nobody: Answer['outcome']
  /** Has no roles. */
  readonly user: Answer['outcome']
  readonly admin: Answer['outcome']
  /** Each is enough; several joined by ` + ` are needed together. */
  readonly roles: readonly string[]
}

export class CallerCheck {
  /** All that rules name. */
  readonly roles: readonly string[]
  readonly #app: Express
  readonly #sandboxes: ReadonlyMap<FrontParts, Sandbox>
  /** For requests that meet no mount of a front. */
  readonly #any: Sandbox
  #caller: Caller | undefined

  private constructor(
    app: Express,
    roles: readonly string[],
    { sandboxes, any }: { readonly sandboxes: ReadonlyMap<FrontParts, Sandbox>; readonly any: Sandbox },
  ) {
    this.#app = app
    this.#any = any
    this.roles = roles
    this.#sandboxes = sandboxes
  }

  /** Opens a sandbox for each front that the app has mounts of. */
  static async open(app: Express): Promise<CallerCheck> {
    const handlers = listHandlers(routerIn(app), [])
    const sandboxes = new Map<FrontParts, Sandbox>()
    const roles = new Set<string>()
    for (const handler of handlers) {
      for (const role of findGateRow(handler)?.askedRoles ?? []) roles.add(role)
      const front = findMount(handler)?.front
      if (front === undefined || sandboxes.has(front)) continue
      for (const role of rolesIn(front.config)) roles.add(role)
      sandboxes.set(front, await Sandbox.open(withoutAddresses(front.config), front))
    }
    const { wireSecurity: wire } = await import('../app/create-security.js')
    const any = await Sandbox.open(parseConfig({}), { wire })
    return new CallerCheck(app, [...roles].sort(), { sandboxes, any })
  }

  async ask(rows: readonly RowOnTheWay[], method: string, path: string): Promise<Passed> {
    const shadow = await this.#createShadow(rows)
    const ask = async (caller: Caller | undefined): Promise<Answer['outcome']> => {
      const { outcome, ...answer } = await this.#ask(shadow, rows, { method, path, caller })
      return asksForLogin({ outcome, ...answer }) ? 'refused' : outcome
    }
    const withRoles = async (roles: readonly string[]): Promise<boolean> =>
      (await ask({ name: 'somebody', roles, isAdmin: false })) === 'passed'

    const nobody = await ask(undefined)
    const user = await ask({ name: 'user', roles: [], isAdmin: false })
    const admin = await ask({ name: 'admin', roles: [], isAdmin: true })
    const roles: string[] = []
    if (nobody !== 'passed' && user !== 'passed' && (await withRoles(this.roles))) {
      for (const role of this.roles) if (await withRoles([role])) roles.push(role)
      if (roles.length === 0) roles.push((await fewest(this.roles, withRoles)).join(' + '))
    }
    return { nobody, user, admin, roles }
  }

  async close(): Promise<void> {
    await Promise.all([this.#any, ...this.#sandboxes.values()].map((sandbox) => sandbox.close()))
  }

  async #ask(
    shadow: Express,
    rows: readonly RowOnTheWay[],
    { method, path, caller }: { readonly method: string; readonly path: string; readonly caller: Caller | undefined },
  ): Promise<Answer> {
    this.#caller = caller
    const headers: [string, string][] = [['Sec-Fetch-Site', 'same-origin']]
    let sandbox = this.#any
    for (const [front, own] of this.#sandboxes) {
      const places = placesOf(rows, front)
      if (places.length === 0) continue
      sandbox = own
      const facts = await factsFrom({ method, path }, path, own, { caller, places })
      headers.push(
        ...facts.headers.filter(([name]) => name !== 'Host').map(([name, value]): [string, string] => [name, value]),
      )
    }
    const facts = { method, url: path, headers: [['Host', 'localhost'] as const, ...headers], address: '127.0.0.1' }
    return sandbox.ask({ ...facts, isSecure: true }, shadow)
  }

  async #createShadow(rows: readonly RowOnTheWay[]): Promise<Express> {
    const { default: express } = await import('express')
    const shadow = express()
    for (const name of ['case sensitive routing', 'strict routing']) shadow.set(name, this.#app.get(name))
    for (const { handler, at, isInRoute } of rows) {
      const own = this.#standIn(handler)
      if (own === undefined) continue
      if (isInRoute) shadow.all(at || '/', own)
      else shadow.use(at || '/', own)
    }
    return shadow
  }

  /** What stands for a handler; `undefined` for one that asks for nobody. */
  #standIn(handler: unknown): RequestHandler | undefined {
    const mount = findMount(handler)
    if (mount?.front !== undefined) return mount.make(this.#sandboxes.get(mount.front)!.security)
    const row = findGateRow(handler)
    if (row === undefined || (row.admits === undefined && row.askedRoles === undefined)) return undefined
    return toHandler({ ...row, gates: row.admits === undefined ? row.gates : [this.#findCaller(row)] })
  }

  /** Nobody is refused by the gates themselves; anybody else counts as signed in. */
  #findCaller(row: GateRow): Gate {
    const { gates, admits } = row
    return async (request, response) => {
      if (this.#caller === undefined) {
        for (const gate of gates) {
          const verdict = await gate(request, response)
          if (verdict !== undefined) return verdict
        }
        return undefined
      }
      const auth = authOf(this.#caller)
      setAuth(request, auth)
      return admits!(auth)
    }
  }
}

function authOf({ name, roles, isAdmin }: Caller): Auth {
  const times = { issuedAt: 0, expiresAt: undefined }
  return { subject: name, roles, isAdmin, scope: '', tokenId: undefined, kind: 'management', ...times }
}

/** The roles without each that is not needed. */
async function fewest(
  roles: readonly string[],
  isEnough: (roles: readonly string[]) => Promise<boolean>,
): Promise<readonly string[]> {
  let needed = roles
  for (const role of roles) {
    const fewer = needed.filter((one) => one !== role)
    if (await isEnough(fewer)) needed = fewer
  }
  return needed
}

function placesOf(rows: readonly RowOnTheWay[], front: FrontParts): readonly MountPlace[] {
  return rows.flatMap(({ handler, at }) => {
    const mount = findMount(handler)
    if (mount?.front !== front) return []
    return [{ mount: mountTitle(mount), portal: mount.portal, at }]
  })
}

function listHandlers(router: unknown, above: readonly unknown[]): readonly unknown[] {
  if (above.includes(router)) return []
  return listLayers(router).flatMap(({ handle, route }) => {
    if (route !== undefined) return route.stack.map((part) => part.handle)
    const inner = innerRouterIn(handle)
    return inner === undefined ? [handle] : listHandlers(inner, [...above, router])
  })
}

function rolesIn({ managementApi, portals }: Config): readonly string[] {
  const named = [...managementApi.authorization.resources, ...portals].flatMap(({ roles = [] }) => roles)
  return [...new Set(named)]
}

function withoutAddresses(config: Config): Config {
  return withFields(config, {
    managementApi: { ...config.managementApi, allowedNetworks: undefined },
    adminConsoleAddresses: undefined,
    webAppAddresses: undefined,
    servletFilters: [],
    portals: config.portals.map((portal) => ({ ...portal, allow: undefined })),
  })
}
