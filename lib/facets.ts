/**
 * The facets that an app has mounted, and how all of them take over another configuration at once.
 *
 * @module
 */

import type { Config, EnabledControl } from './config/config.js'
import type { Gate, GateRow } from './internal/gate.js'

/** Name of a facet: what has to be mounted for a control. */
export type FacetName = EnabledControl['facet']

/** Makes the gates of one facet. */
export type GatesOf = (config: Config) => readonly Gate[]

/** Keeps the row of gates of each facet that was made. */
export class Facets {
  readonly #rows: { readonly row: GateRow; readonly gatesOf: GatesOf }[] = []
  readonly #mounted = new Set<FacetName>()

  /** The facets that were made at least once. */
  get mounted(): ReadonlySet<FacetName> {
    return this.#mounted
  }

  /** Makes the row of a facet, and remembers how it is made. */
  add(name: FacetName, config: Config, gatesOf: GatesOf): GateRow {
    const row: GateRow = { gates: gatesOf(config) }
    this.#rows.push({ row, gatesOf })
    this.#mounted.add(name)
    return row
  }

  /** Makes the gates of another configuration, and returns the function that exchanges them all. */
  prepare(config: Config): () => void {
    const next = this.#rows.map(({ row, gatesOf }) => ({ row, gates: gatesOf(config) }))
    return () => {
      for (const { row, gates } of next) row.gates = gates
    }
  }
}
