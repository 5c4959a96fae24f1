/**
 * Fails a test while the app has a route that nobody guards.
 *
 * @module
 */

import { AssertionError } from 'node:assert'
import type { Express } from 'express'
import { type AppRoute, listRoutes } from '../http/express/app-routes.js'

/** Options of {@link expectProtected}. */
export interface ExpectProtectedOptions {
  /**
   * What everybody may call: a path, a method and a path as the message of the failure has them, or the handler or middleware itself.
   * One that the app does not have fails the test too.
   *
   * @example ['GET /health', '/docs', requestLogger]
   */
  readonly except?: readonly (string | ((...parameters: never[]) => unknown))[]
}

/**
 * Fails when the app has a route that a request reaches without having met a guard: `security.managementApi()`, `security.portal()`,
 * `security.oauth()`, or one of `sallyport/middleware` that authenticates. What a guard lets pass without a caller, such as a
 * public path of the configuration, counts as guarded. No handler is called.
 *
 * A function that is mounted by `app.use` before any guard may be a middleware, an end point or a router; where that cannot be told it
 * fails the test as well.
 *
 * @example
 * ```ts
 * expectProtected(createApp(security), { except: ['GET /health'] })
 * ```
 *
 * @throws AssertionError with a list of them; also for an app without routes.
 */
export function expectProtected(app: Express, { except = [] }: ExpectProtectedOptions = {}): void {
  const routes = listRoutes(app)
  if (routes.length === 0) fail('the app has no routes: mount them before the test')
  const unused = except.filter((exception) => !routes.some((route) => isExcepted(route, exception)))
  const unguarded = routes.filter(
    (route) => route.state !== 'guarded' && !except.some((exception) => isExcepted(route, exception)),
  )
  const problems = [
    ...section('Nobody guards', unguarded.filter(({ state }) => state === 'open').map(describe)),
    ...section('It cannot be told whether these answer requests', unguarded.filter(isOpaque).map(describe)),
    ...section('The app does not have these exceptions', unused.map(nameOf)),
  ]
  if (problems.length === 0) return
  fail([...problems, 'Mount routes behind a guard, or name in except what everybody may call.'].join('\n'))
}

function fail(message: string): never {
  throw new AssertionError({ message })
}

function isOpaque({ state }: AppRoute): boolean {
  return state === 'opaque'
}

function isExcepted({ method, path, handler }: AppRoute, exception: unknown): boolean {
  return exception === handler || exception === path || exception === `${method} ${path}`
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)]
}

function describe({ method, path, handler }: AppRoute): string {
  return `${method} ${path} (${nameOf(handler)})`
}

function nameOf(value: unknown): string {
  if (typeof value !== 'function') return String(value)
  return value.name === '' ? 'a function without a name' : value.name
}
