/**
 * What an app answers, and what of it nobody guards, as its routers show it. No handler is called.
 *
 * @module
 */

import type { Express } from 'express'
import { findGateRow } from '../gate.js'
import { listPaths, samplesOf } from './layer-paths.js'
import { innerRouterIn, isLayer, type Layer, listLayers, type Route, readStack, restBelow, routerIn } from './layers.js'

/** A route, or a function that may answer requests. */
export interface AppRoute {
  /** `'ALL'`, or a method in capitals. */
  readonly method: string
  /** With the paths of the mounts above it, as they were written where the router keeps that. */
  readonly path: string
  /**
   * `guarded`: a guard comes before it for all its requests. `open`: for some of them none does. `opaque`: none does, or that
   * cannot be told, and it may be a middleware that answers nothing.
   */
  readonly state: 'guarded' | 'open' | 'opaque'
  /** What would get the requests. */
  readonly handler: unknown
  /** A path that it answers, with a text for each parameter; `undefined` where none can be made. */
  readonly sample: string | undefined
}

/** Before the verdict. */
interface Candidate extends Pick<AppRoute, 'method' | 'path' | 'handler'> {
  readonly layer: Layer
  readonly prefix: string
  /** Else `path` is for people to read. */
  readonly hasPath: boolean
  readonly isSure: boolean
  /** Stands behind a guard inside its own route. */
  readonly isInnerGuarded: boolean
}

/**
 * Lists what an app answers, in the order of its routers. Those functions are left out that are known to pass requests on:
 * Sallyport's own, Express' parsers, and well-known middlewares by their names.
 */
export function listRoutes(app: Express): readonly AppRoute[] {
  return listPlacedRoutes(app).map(({ method, path, state, handler, sample }) => ({
    method,
    path,
    state,
    handler,
    sample,
  }))
}

/** A route, and what holds it in its router. */
export interface PlacedRoute extends AppRoute {
  readonly layer: Layer
}

/** The same, for what looks into the routers further. */
export function listPlacedRoutes(app: Express): readonly PlacedRoute[] {
  const root = routerIn(app)
  return [...candidatesIn(root, '', [])].map((candidate) => {
    const { method, path, handler, layer } = candidate
    return { method, path, handler, layer, ...checkCandidate(root, candidate) }
  })
}

function* candidatesIn(router: unknown, prefix: string, above: readonly unknown[]): Generator<Candidate> {
  for (const layer of readStack(router) ?? []) {
    if (!isLayer(layer)) {
      yield { ...unknownLayer, path: prefix || '/', prefix, handler: layer }
      continue
    }
    for (const path of listPaths(layer)) {
      const full = join(prefix, path ?? String(layer.route?.path ?? layer.rawPath ?? layer.regexp ?? '?'))
      const place = { layer, path: full, prefix, hasPath: path !== undefined }
      if (layer.route !== undefined) yield* candidatesOf(layer.route, place)
      else yield* candidatesAt(layer.handle, place, [...above, router])
    }
  }
}

const unknownLayer = {
  layer: { handle: undefined, match: () => false },
  method: 'ALL',
  hasPath: false,
  isSure: false,
  isInnerGuarded: false,
} as const

type Place = Pick<Candidate, 'layer' | 'path' | 'prefix' | 'hasPath'>

function* candidatesAt(handle: unknown, place: Place, above: readonly unknown[]): Generator<Candidate> {
  const inner = innerRouterIn(handle)
  if (inner !== undefined && place.hasPath) {
    // A router may be mounted in itself.
    if (!above.includes(inner)) yield* candidatesIn(inner, place.path === '/' ? '' : place.path, above)
  } else if (inner !== undefined || !passesOn(handle)) {
    const isSure = inner === undefined && isHandler(handle)
    yield { ...place, method: 'ALL', handler: handle, isSure, isInnerGuarded: false }
  }
}

function* candidatesOf({ methods, stack }: Route, place: Place): Generator<Candidate> {
  // `app.all` of Express adds each method that Node knows.
  const names = Object.keys(methods)
  const isAll = methods['_all'] === true || names.length > 20
  for (const method of isAll ? ['_all'] : names) {
    const handlers = stack.filter((part) => isAll || part.method === undefined || part.method === method)
    const chain = [...new Set(handlers.map(({ handle }) => handle))]
    const guard = chain.findIndex(isGuard)
    const before = chain.slice(0, guard < 0 ? undefined : guard).filter((handle) => !passesOn(handle))
    const isInnerGuarded = guard >= 0 && before.length === 0
    const isSure = guard < 0 || before.some(isHandler)
    yield { ...place, method: isAll ? 'ALL' : method.toUpperCase(), handler: chain.at(-1), isSure, isInnerGuarded }
  }
}

/** Whether it has no `next`, so that it has to answer. */
function isHandler(handle: unknown): boolean {
  return typeof handle === 'function' && handle.length < 3
}

/** Packages whose handlers answer nothing, or nothing but what no app would guard. */
const wellKnown = new Set([
  ...['query', 'expressInit', 'jsonParser', 'urlencodedParser', 'rawParser', 'textParser'],
  ...['helmetMiddleware', 'corsMiddleware', 'compression', 'cookieParser', 'session', 'logger', 'loggingMiddleware'],
])

/** Express gives no request to what takes an error as well. */
function passesOn(handle: unknown): boolean {
  if (typeof handle !== 'function') return false
  const isWellKnown = handle.length === 3 && wellKnown.has(handle.name)
  return handle.length > 3 || isWellKnown || findGateRow(handle) !== undefined
}

function isGuard(handle: unknown): boolean {
  return findGateRow(handle)?.authenticates === true
}

function checkCandidate(root: unknown, candidate: Candidate): Pick<AppRoute, 'state' | 'sample'> {
  const { path, prefix, hasPath, isSure, isInnerGuarded } = candidate
  const unguarded = { state: isSure ? 'open' : 'opaque', sample: undefined } as const
  try {
    // Of an expression nothing is known but what it is mounted below.
    const samples = samplesOf(hasPath ? path : `${prefix}/:any`)
    const own = samples.filter((sample) => firstMet(root, sample, candidate, false) === 'candidate')
    const open = own.find((sample) => !isInnerGuarded && firstMet(root, sample, candidate, true) !== 'guard')
    const isGuarded = open === undefined && (isInnerGuarded || own.length > 0)
    const sample = hasPath ? (open ?? own[0]) : undefined
    return { state: isGuarded ? 'guarded' : unguarded.state, sample }
  } catch {
    return unguarded
  }
}

/** What a request meets first, going through the routers as Express does. */
function firstMet(
  router: unknown,
  rest: string,
  candidate: Candidate,
  withGuards: boolean,
  above: readonly unknown[] = [],
): 'candidate' | 'guard' | undefined {
  if (above.includes(router)) return undefined
  for (const layer of listLayers(router)) {
    if (layer === candidate.layer && !candidate.hasPath) return 'candidate'
    const left = restBelow(layer, rest)
    if (left === undefined) continue
    if (layer === candidate.layer) return 'candidate'
    if (withGuards && (isGuard(layer.handle) || guardsRoute(layer, candidate))) return 'guard'
    const inner = layer.route === undefined ? innerRouterIn(layer.handle) : undefined
    const met = inner === undefined ? undefined : firstMet(inner, left, candidate, withGuards, [...above, router])
    if (met !== undefined) return met
  }
  return undefined
}

/** `app.all(path, guard)` guards what comes after it. */
function guardsRoute({ route }: Layer, { method }: Candidate): boolean {
  if (route === undefined) return false
  return [...candidatesOf(route, { layer: unknownLayer.layer, path: '', prefix: '', hasPath: false })].some(
    (own) => own.isInnerGuarded && (own.method === 'ALL' || own.method === method),
  )
}

function join(prefix: string, path: string): string {
  return path === '/' ? prefix || '/' : prefix + path
}
