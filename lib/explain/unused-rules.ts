/**
 * Rules of the management API that protect nothing: no route of the app is below their paths.
 *
 * @module
 */

import type { Express } from 'express'
import { type FrontParts, findMount } from '../app/mounts.js'
import { originAt } from '../config/checks/origins.js'
import type { Config } from '../config/config.js'
import type { Origin } from '../core/errors.js'
import type { PlacedRoute } from '../http/express/app-routes.js'
import { listRowsOnTheWay } from '../http/express/rows-on-the-way.js'
import { foldedSegments } from '../paths/readings.js'

/** A route as a mount sees it. */
interface Below {
  /** `undefined`: it may be any path. */
  readonly segments: readonly string[] | undefined
  readonly method: string
  /** Whether it takes what is below its path too. */
  readonly isPrefix: boolean
}

/** Only what the file itself writes: a default that protects nothing is nobody's mistake. */
export function listUnusedRules(app: Express, routes: readonly PlacedRoute[]): readonly Origin[] {
  const below = new Map<FrontParts, Below[]>()
  for (const route of routes) {
    const { method, path, sample, layer } = route
    if (sample === undefined) continue
    for (const { handler, at } of listRowsOnTheWay(app, method === 'ALL' ? 'GET' : method, sample, layer)) {
      const mount = findMount(handler)
      if (mount?.name !== 'managementApi' || mount.front === undefined) continue
      const isBelow = path === at || path.startsWith(`${at}/`)
      const segments = isBelow ? segmentsOf(path.slice(at.length) || '/') : undefined
      const own = { segments, method, isPrefix: layer.route === undefined }
      below.set(mount.front, [...(below.get(mount.front) ?? []), own])
    }
  }
  return [...below].flatMap(([{ config }, own]) => unusedIn(config, own))
}

function unusedIn(config: Config, routes: readonly Below[]): readonly Origin[] {
  const { authorization, publicPaths } = config.managementApi
  const meets = (path: string, methods: readonly string[] | undefined, isExact: boolean): boolean =>
    routes.some(
      ({ segments, method, isPrefix }) =>
        (methods === undefined || method === 'ALL' || methods.includes(method)) &&
        (segments === undefined || isMet(segmentsOf(path), segments, isPrefix, isExact)),
    )
  const rules = authorization.isEnabled ? authorization.resources : []
  const unused = rules.filter(
    ({ path, methods, origin }) => origin.key.endsWith(']') && !isOwnPath(path) && !meets(path, methods, false),
  )
  const keys = publicPaths.flatMap((path, index) =>
    meets(path, ['GET', 'HEAD'], true) ? [] : [`management_api.public_paths[${index}]`],
  )
  return [...unused.map(({ origin }) => originAt(config, origin.key)), ...keys.map((key) => originAt(config, key))]
}

function segmentsOf(path: string): readonly string[] {
  return foldedSegments(path).filter((part) => part !== '')
}

/** What the management API answers itself. */
function isOwnPath(path: string): boolean {
  return ['users', 'roles', 'sessions', 'locks', 'reload'].includes(foldedSegments(path)[0] ?? '')
}

/** Whether some path that a route answers is the one of a rule, or below it. */
function isMet(rule: readonly string[], route: readonly string[], isPrefix: boolean, isExact: boolean): boolean {
  for (const [index, segment] of rule.entries()) {
    const own = route[index]
    if (own === undefined) return isPrefix
    if (/[*({?+]/.test(own)) return true
    if (!own.startsWith(':') && own !== segment) return false
  }
  return !isExact || isPrefix || route.length === rule.length
}
