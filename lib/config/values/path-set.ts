/**
 * Many key paths, to be asked which of them are around a key or below it.
 *
 * @module
 */

import type { KeyPath } from './key-path.js'

interface Node {
  readonly children: Map<string | number, Node>
  isMember: boolean
}

export class PathSet {
  readonly #root: Node = { children: new Map(), isMember: false }

  constructor(paths: Iterable<KeyPath> = []) {
    for (const path of paths) this.add(path)
  }

  add(path: KeyPath): void {
    let node = this.#root
    for (const step of path) {
      let child = node.children.get(step)
      if (child === undefined) {
        child = { children: new Map(), isMember: false }
        node.children.set(step, child)
      }
      node = child
    }
    node.isMember = true
  }

  /** Whether a member is this very path, or a table around it. */
  hasAround(path: KeyPath): boolean {
    let node: Node | undefined = this.#root
    for (const step of path) {
      if (node.isMember) return true
      node = node.children.get(step)
      if (node === undefined) return false
    }
    return node.isMember
  }

  /** Whether a member is this very path, or below it. */
  hasWithin(path: KeyPath): boolean {
    let node: Node | undefined = this.#root
    for (const step of path) {
      node = node.children.get(step)
      if (node === undefined) return false
    }
    return node.isMember || node.children.size > 0
  }
}
