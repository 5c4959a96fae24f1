/**
 * Who may call each route of an app: the gates before it are asked, once for each kind of caller.
 *
 * @module
 */

import type { Express } from 'express'
import { findMount } from '../app/mounts.js'
import type { Origin } from '../core/errors.js'
import { listPlacedRoutes, type PlacedRoute } from '../http/express/app-routes.js'
import { listRowsOnTheWay, type RowOnTheWay } from '../http/express/rows-on-the-way.js'
import { CallerCheck, type Passed } from './caller-check.js'
import { listUnusedRules } from './unused-rules.js'

/**
 * Who may call a route. `public`: everybody, by a rule. `user`: whoever has signed in. `role`: who has one of the roles. `denied`: nobody.
 * `mount`: nobody, because the mount before it answers. `open`: everybody, because nothing guards it. `opaque`: that cannot be told.
 */
export type RouteAccess = 'public' | 'user' | 'role' | 'admin' | 'denied' | 'mount' | 'open' | 'opaque'

/** A route of an app, and who may call it. */
export interface RouteCoverage {
  /** `'ALL'`, or a method in capitals. */
  readonly method: string
  /** With the paths of the mounts above it. */
  readonly path: string
  /** Who gets there. */
  readonly access: RouteAccess
  /** With `role`: each of them is enough; several joined by ` + ` are needed together. */
  readonly roles: readonly string[]
  /** The name of the function that would answer. */
  readonly handler: string
}

/** What an app has. */
export interface Coverage {
  /** In the order of the routers. */
  readonly routes: readonly RouteCoverage[]
  /** The roles that rules name, in alphabetical order. */
  readonly roles: readonly string[]
  /** Rules of the management API that no route meets, nor anything that cannot be looked into. */
  readonly unusedRules: readonly Origin[]
}

/** Stand for all that a handler of every method gets. */
const commonMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Looks into an app. */
export async function coverApp(app: Express): Promise<Coverage> {
  const check = await CallerCheck.open(app)
  try {
    const placed = listPlacedRoutes(app)
    const routes: RouteCoverage[] = []
    for (const route of placed) routes.push(...(await coverRoute(app, route, check)))
    return { routes, roles: check.roles, unusedRules: listUnusedRules(app, placed) }
  } finally {
    await check.close()
  }
}

async function coverRoute(app: Express, route: PlacedRoute, check: CallerCheck): Promise<readonly RouteCoverage[]> {
  const { method, path, state, sample } = route
  const about = { path, handler: nameOf(route.handler), roles: [] }
  if (state === 'open') return [{ ...about, method, access: 'open' }]
  if (state === 'opaque' || sample === undefined) return [{ ...about, method, access: 'opaque' }]
  const methods = method === 'ALL' ? commonMethods : [method]
  const found: RouteCoverage[] = []
  for (const one of methods) {
    const rows = listRowsOnTheWay(app, one, sample, route.layer)
    found.push({ ...about, method: one, ...accessFrom(await askRows(check, rows, one, sample)) })
  }
  const isSame = found.every(
    ({ access, roles }) => access === found[0]!.access && roles.join() === found[0]!.roles.join(),
  )
  return isSame ? [{ ...found[0]!, method }] : found
}

/** `undefined`: the authorization server and the operators' page answer all that comes to them. */
async function askRows(
  check: CallerCheck,
  rows: readonly RowOnTheWay[],
  method: string,
  sample: string,
): Promise<Passed | undefined> {
  const answersAll = rows.some(({ handler }) => ['oauth', 'console'].includes(findMount(handler)?.name ?? ''))
  return answersAll ? undefined : check.ask(rows, method, sample)
}

function accessFrom(passed: Passed | undefined): Pick<RouteCoverage, 'access' | 'roles'> {
  if (passed === undefined) return { access: 'mount', roles: [] }
  if (passed.nobody === 'passed') return { access: 'public', roles: [] }
  if (passed.user === 'passed') return { access: 'user', roles: [] }
  if (passed.roles.length > 0) return { access: 'role', roles: passed.roles }
  if (passed.admin === 'passed') return { access: 'admin', roles: [] }
  return { access: passed.admin === 'answered' ? 'mount' : 'denied', roles: [] }
}

function nameOf(handler: unknown): string {
  return typeof handler === 'function' && handler.name !== '' ? handler.name : 'a function without a name'
}
