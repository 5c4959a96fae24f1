import { basename } from 'node:path'
import type * as reading from '../../lib/files/read-file.js'
import { deferred } from '../users/deferred.js'
import type { Hold } from './held-store.js'

let wait: ((path: string) => Promise<unknown> | undefined) | undefined

/** Holds the next reading of a file of this name, in a test that has put {@link withHolds} in the place of the reading. */
export function holdFile(name: string): Hold {
  const [reached, released] = [deferred(), deferred()]
  wait = (path) => {
    if (basename(path) !== name) return undefined
    wait = undefined
    reached.resolve()
    return released.promise
  }
  return {
    reached: reached.promise,
    release() {
      wait = undefined
      released.resolve()
    },
  }
}

/** The real reading of files, which a test can hold. */
export function withHolds(original: typeof reading): typeof reading {
  return {
    ...original,
    async readRegularFile(path, maxBytes) {
      await wait?.(path)
      return original.readRegularFile(path, maxBytes)
    },
  }
}
