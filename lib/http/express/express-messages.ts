/**
 * Request and response classes for Node's server whose instances have the prototypes of an Express app from the start.
 *
 * Express sets the prototype of every request and response to the app's, after which V8 looks up their properties the slow
 * way. On an object that has this prototype already the call does nothing. Processor time of a guarded request under
 * `app.listen` / on `createServer`: 1.03 on Node 24, 1.04 on Node 26, 2.7 on Node 20 (medians of 24 paired windows).
 *
 * @module
 */

import http from 'node:http'
import { Socket } from 'node:net'

/** The part of an Express app that is used here. */
export interface ExpressPrototypes {
  readonly request: object
  readonly response: object
}

/** Request and response classes, as the options of `http.createServer` take them. */
export interface MessageClasses {
  readonly IncomingMessage: typeof http.IncomingMessage
  readonly ServerResponse: typeof http.ServerResponse
}

/** Two classes, and the choice of the prototypes of their new instances: at first Node's. */
export interface ExpressMessages {
  readonly classes: MessageClasses
  /** From now on: the app's prototypes, or Node's where the app redefines a name that Node itself uses. */
  useApp(): void
  /** From now on: Node's prototypes. */
  useNode(): void
}

/**
 * Makes the two classes for one app. They are functions because the `prototype` of an ES class cannot be replaced, and
 * Express would still change a subclass whose prototype only inherits from the app's.
 *
 * @param node - Node's own classes. Should a later version make them ES classes, which no function can extend, they are
 * used as they are.
 */
export function createMessages(app: ExpressPrototypes, node: MessageClasses = http): ExpressMessages {
  if (isEcmaClass(node.IncomingMessage) || isEcmaClass(node.ServerResponse)) {
    return { classes: node, useApp() {}, useNode() {} }
  }
  const initRequest = node.IncomingMessage as unknown as Initialize
  const initResponse = node.ServerResponse as unknown as Initialize

  // They have the names of Node's classes because V8 writes them into stack traces.
  function IncomingMessage(this: object, socket: unknown): void {
    initRequest.call(this, socket)
  }
  function ServerResponse(this: object, request: unknown, options: unknown): void {
    initResponse.call(this, request, options)
  }
  // For the static members, and because V8 reserves the fields of a new object by the chain of its constructors.
  Object.setPrototypeOf(IncomingMessage, node.IncomingMessage)
  Object.setPrototypeOf(ServerResponse, node.ServerResponse)

  function useNode(): void {
    IncomingMessage.prototype = node.IncomingMessage.prototype
    ServerResponse.prototype = node.ServerResponse.prototype
  }

  function useApp(): void {
    useNode()
    if (!addsNewNamesOnly(app)) return
    IncomingMessage.prototype = app.request
    ServerResponse.prototype = app.response
  }

  useNode()
  return { classes: { IncomingMessage, ServerResponse } as unknown as MessageClasses, useApp, useNode }
}

/** Gives a request or a response the prototype of Node's class; any other value is left alone. */
export function restorePrototype(value: unknown): void {
  if (value instanceof http.IncomingMessage) Object.setPrototypeOf(value, http.IncomingMessage.prototype)
  else if (value instanceof http.ServerResponse) Object.setPrototypeOf(value, http.ServerResponse.prototype)
}

type Initialize = (this: object, ...values: unknown[]) => void

function isEcmaClass(value: typeof http.IncomingMessage | typeof http.ServerResponse): boolean {
  return Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false
}

/** Whether the app's prototypes have no name that Node's constructors and methods use, as a getter `url` would be. */
function addsNewNamesOnly({ request, response }: ExpressPrototypes): boolean {
  const nodeRequest = new http.IncomingMessage(new Socket())
  return (
    extendsWithNewNames(request, nodeRequest) && extendsWithNewNames(response, new http.ServerResponse(nodeRequest))
  )
}

function extendsWithNewNames(prototype: object, message: object): boolean {
  const nodePrototype: object = Object.getPrototypeOf(message)
  for (let step: object | null = prototype; step !== nodePrototype; step = Object.getPrototypeOf(step)) {
    // It does not inherit from Node's at all.
    if (step === null) return false
    if (Reflect.ownKeys(step).some((name) => name in message)) return false
  }
  return true
}
