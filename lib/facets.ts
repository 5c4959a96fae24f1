/**
 * The facets that an app has mounted, and how all of them take over another configuration at once.
 *
 * @module
 */

import type { RequestHandler } from 'express'
import type { Config, EnabledControl } from './config/config.js'
import { type Gate, type GateRow, handlerOf, type Refuse } from './internal/gate.js'

/** Name of a facet: what has to be mounted for a control. */
export type FacetName = EnabledControl['facet']

/** Makes the gates of one facet. */
export type GatesOf = (config: Config) => readonly Gate[]

/** Keeps the row of gates of each facet that was made. */
export class Facets {
  readonly #onFirstRequest: () => void
  #hasServed = false
  readonly #rows: { readonly row: GateRow; readonly gatesOf: GatesOf }[] = []
  readonly #mounted = new Set<string>()
  readonly #handlers: { readonly name: FacetName; readonly handler: RequestHandler }[] = []

  /** @param onFirstRequest - Called at the first request, when all is mounted, and at the first after each exchange. */
  constructor(onFirstRequest: () => void) {
    this.#onFirstRequest = onFirstRequest
  }

  /** The facets that were made at least once: their names, and for each portal {@link portalFacet} of its name as well. */
  get mounted(): ReadonlySet<string> {
    return this.#mounted
  }

  /** The handlers of a facet that were made. */
  handlersOf(name: FacetName): ReadonlySet<RequestHandler> {
    return new Set(this.#handlers.filter((made) => made.name === name).map(({ handler }) => handler))
  }

  /** Makes the handler of a facet, and remembers how its gates are made. `portal` is the name of a portal. */
  add(name: FacetName, config: Config, gatesOf: GatesOf, refuse: Refuse, portal?: string): RequestHandler {
    // Those read the path from the root of the server, and see it wherever they are mounted.
    const readsPath = name !== 'webApps'
    const row: GateRow = { gates: [this.#noteFirstRequest, ...gatesOf(config)], readsPath }
    this.#rows.push({ row, gatesOf })
    this.#mounted.add(name)
    if (portal !== undefined) this.#mounted.add(portalFacet(portal))
    const handler = handlerOf(row, refuse)
    this.#handlers.push({ name, handler })
    return handler
  }

  /** Makes the gates of another configuration, and returns the function that exchanges them all. */
  prepare(config: Config): () => void {
    const next = this.#rows.map(({ row, gatesOf }) => ({
      row,
      gates: [this.#noteFirstRequest, ...gatesOf(config)],
    }))
    return () => {
      this.#hasServed = false
      for (const { row, gates } of next) row.gates = gates
    }
  }

  readonly #noteFirstRequest: Gate = () => {
    if (this.#hasServed) return undefined
    this.#hasServed = true
    this.#onFirstRequest()
    return undefined
  }
}

/** What is mounted when the portal of this name is. */
export function portalFacet(name: string): string {
  return `portal ${name}`
}
