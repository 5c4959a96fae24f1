/**
 * Small values by name that several processes change, each in one step.
 *
 * @module
 */

/** Each method may reject with `StoreError`. */
export interface SharedValues {
  read(name: string): Promise<string | undefined>
  /** Puts a value in the place of `before`, and answers whether that was the present one. `undefined`: none. */
  replace(name: string, before: string | undefined, value: string, lifeMs: number): Promise<boolean>
}

/** Values of this process alone. They are not forgotten before its end: there are no more names than users of the file. */
export function localValues(): SharedValues {
  const values = new Map<string, string>()
  return {
    read: async (name) => values.get(name),
    async replace(name, before, value) {
      if (values.get(name) !== before) return false
      values.set(name, value)
      return true
    },
  }
}
