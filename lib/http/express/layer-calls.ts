/**
 * Which handlers of an app run, as they run. For tests: it takes time of each request.
 *
 * @module
 */

import { channel } from 'node:diagnostics_channel'
import type { Express, Request } from 'express'
import { innerRouterIn, type Layer, listLayers, routerIn } from './layers.js'

/** Is told before a handler runs. `layer` is what holds it: of a route, one of its stack. */
export type OnLayerCall = (layer: object, handler: unknown, request: Request) => void

/** What router 2.3 publishes. */
interface HandlerCall {
  readonly req: Request
  readonly handler: unknown
  readonly layer: object
}

/**
 * Router 2.3 publishes each call on its diagnostics channel; of any other, the methods of its layers are covered by others until the
 * end. The handlers stay as they are. @returns The function that ends it.
 */
export function watchLayerCalls(app: Express, onCall: OnLayerCall): () => void {
  const parts = [...listParts(routerIn(app), [])]
  return parts.some((part) => 'rawPath' in part) ? listen(onCall) : cover(parts, onCall)
}

function listen(onCall: OnLayerCall): () => void {
  const start = channel('tracing:express.router.request:start')
  const note = (message: unknown): void => {
    const { layer, handler, req } = message as HandlerCall
    onCall(layer, handler, req)
  }
  start.subscribe(note)
  return () => start.unsubscribe(note)
}

type Handle = (request: Request, ...rest: unknown[]) => unknown

/** Router 2 has the one, Express 4 the other. */
type Coverable = { readonly handle: unknown } & { handleRequest?: Handle; handle_request?: Handle }

function cover(parts: readonly object[], onCall: OnLayerCall): () => void {
  const covered = parts.flatMap((part) => {
    const own = part as Coverable
    const name = own.handle_request === undefined ? 'handleRequest' : 'handle_request'
    const original = own[name]
    if (original === undefined) return []
    own[name] = function (this: Coverable, request, ...rest) {
      onCall(this, this.handle, request)
      return original.call(this, request, ...rest)
    }
    return [() => Reflect.deleteProperty(own, name)]
  })
  return () => {
    for (const uncover of covered) uncover()
  }
}

/** What holds a handler: each layer, and each part of a route. */
function* listParts(router: unknown, above: readonly unknown[]): Generator<object> {
  if (above.includes(router)) return
  for (const layer of listLayers(router)) {
    yield layer
    if (layer.route !== undefined) yield* layer.route.stack
    else yield* listInner(layer, [...above, router])
  }
}

function* listInner({ handle }: Layer, above: readonly unknown[]): Generator<object> {
  const inner = innerRouterIn(handle)
  if (inner !== undefined) yield* listParts(inner, above)
}
