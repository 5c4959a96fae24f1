import { createRequire } from 'node:module'
import express5 from 'express'

/** The lines of Express that the package supports. `express4` has no types of its own; what tests use of it is the same. */
export const expressVersions: readonly (readonly [name: string, express: typeof express5])[] = [
  ['Express 5', express5],
  ['Express 4', createRequire(import.meta.url)('express4')],
]
