/**
 * Request and response classes for Node's server whose prototypes are those of an Express app.
 *
 * Express sets the prototype of every request and response to the app's. V8 then handles both as slow objects for the
 * rest of their lives, which is most of what Express costs on Node 20 and 22. On an object that was born with that
 * prototype the call does nothing.
 *
 * @module
 */

import http from 'node:http'
import { Socket } from 'node:net'

/** The part of an Express app that matters here. */
export interface ExpressPrototypes {
  readonly request: object
  readonly response: object
}

/** Request and response classes, as the options of `http.createServer` take them. */
export interface MessageClasses {
  readonly IncomingMessage: typeof http.IncomingMessage
  readonly ServerResponse: typeof http.ServerResponse
}

/** Two classes, and the choice of the prototypes with which their instances are born: at first Node's. */
export interface ExpressMessages {
  readonly classes: MessageClasses
  /** The app whose prototypes messages are born with at the moment. */
  readonly app: ExpressPrototypes | undefined
  /** From now on: the app's prototypes, or Node's while the app's have a name that Node uses itself. */
  useApp(): void
  /** From now on: Node's prototypes. */
  useNode(): void
  /** Gives a request or a response that was born with the app's prototype Node's own; any other value is left alone. */
  restore(value: unknown): void
}

/**
 * Makes the two classes for one app.
 *
 * They are functions because the `prototype` of an ES class cannot be replaced, and a subclass whose prototype only
 * inherits from the app's would still be changed by Express. `Reflect.construct` costs more than all of it saves.
 *
 * @param node - Node's own classes. Should they be ES classes one day, which no function can extend, they are used as
 * they are.
 */
export function expressMessages(app: ExpressPrototypes, node: MessageClasses = http): ExpressMessages {
  if (isEcmaClass(node.IncomingMessage) || isEcmaClass(node.ServerResponse)) {
    return { classes: node, app: undefined, useApp() {}, useNode() {}, restore() {} }
  }
  const initRequest = node.IncomingMessage as unknown as Initialize
  const initResponse = node.ServerResponse as unknown as Initialize

  // Under the names of Node's classes, because V8 writes them into stack traces.
  function IncomingMessage(this: object, socket: unknown): void {
    initRequest.call(this, socket)
  }
  function ServerResponse(this: object, request: unknown, options: unknown): void {
    initResponse.call(this, request, options)
  }
  // For the static members, and for speed: V8 reserves room for the fields of a new object by the chain of its
  // constructors. Without the chain, each request costs a third more.
  Object.setPrototypeOf(IncomingMessage, node.IncomingMessage)
  Object.setPrototypeOf(ServerResponse, node.ServerResponse)

  let appInUse: ExpressPrototypes | undefined

  function useNode(): void {
    appInUse = undefined
    IncomingMessage.prototype = node.IncomingMessage.prototype
    ServerResponse.prototype = node.ServerResponse.prototype
  }

  function useApp(): void {
    useNode()
    if (!isInvisible(app)) return
    IncomingMessage.prototype = app.request
    ServerResponse.prototype = app.response
    appInUse = app
  }

  function restore(value: unknown): void {
    if (value instanceof http.IncomingMessage) Object.setPrototypeOf(value, http.IncomingMessage.prototype)
    else if (value instanceof http.ServerResponse) Object.setPrototypeOf(value, http.ServerResponse.prototype)
  }

  useNode()
  const classes = { IncomingMessage, ServerResponse } as unknown as MessageClasses
  return {
    classes,
    get app() {
      return appInUse
    },
    useApp,
    useNode,
    restore,
  }
}

const messagesOfServers = new WeakMap<object, ExpressMessages>()

/** Remembers with which messages a server was made, for {@link keepsPrototype}. */
export function rememberMessages(server: http.Server, messages: ExpressMessages): void {
  messagesOfServers.set(server, messages)
}

/** Whether a request that Express handles has kept the prototype that it was born with. */
export function keepsPrototype(request: http.IncomingMessage & { readonly app?: unknown }): boolean {
  const { server } = (request.socket ?? {}) as { readonly server?: http.Server }
  return server !== undefined && messagesOfServers.get(server)?.app === request.app
}

type Initialize = (this: object, ...values: unknown[]) => void

function isEcmaClass(value: typeof http.IncomingMessage | typeof http.ServerResponse): boolean {
  return Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false
}

/**
 * Whether Node notices nothing when messages carry the app's prototypes before the app has seen them: these have no
 * name that Node's own constructors and methods use. A getter called `url`, say, would refuse Node's assignment.
 */
function isInvisible({ request, response }: ExpressPrototypes): boolean {
  const nodeRequest = new http.IncomingMessage(new Socket())
  return addsNewNamesOnly(request, nodeRequest) && addsNewNamesOnly(response, new http.ServerResponse(nodeRequest))
}

function addsNewNamesOnly(prototype: object, message: object): boolean {
  const nodePrototype: object = Object.getPrototypeOf(message)
  for (let step: object | null = prototype; step !== nodePrototype; step = Object.getPrototypeOf(step)) {
    // It does not inherit from Node's at all.
    if (step === null) return false
    if (Reflect.ownKeys(step).some((name) => name in message)) return false
  }
  return true
}
