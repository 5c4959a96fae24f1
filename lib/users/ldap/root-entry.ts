/**
 * What a server says of itself (RFC 4512 section 5.1).
 *
 * @module
 */

import type { Directory } from './directory.js'

/** Makes a function that tells whether the server's root entry has a value. It is asked once, and again after a failure. */
export function rootEntryHas(directory: Directory, attribute: string, value: string): () => Promise<boolean> {
  let answer: Promise<boolean> | undefined

  async function ask(): Promise<boolean> {
    const search = {
      base: '',
      scope: 'base',
      filter: '(objectClass=*)',
      attributes: [attribute],
      maxEntries: 1,
    } as const
    const [root] = (await directory.search(search)).entries
    return root?.values(attribute).includes(value) ?? false
  }

  return async () => {
    answer ??= ask()
    try {
      return await answer
    } catch (error) {
      answer = undefined
      throw error
    }
  }
}
