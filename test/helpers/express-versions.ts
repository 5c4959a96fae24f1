import { createRequire } from 'node:module'
import express5 from 'express'

/** The lines of Express that the package supports. `express4` has no types of its own; what tests use of it is the same. */
export const expressVersions: readonly (readonly [name: string, express: typeof express5])[] = [
  ['Express 5', express5],
  ['Express 4', createRequire(import.meta.url)('express4')],
]

/** Express 5 on the router that it had before 2.3, which keeps other things of a route. */
function expressOnRouter22(): typeof express5 {
  const require = createRequire(import.meta.url)
  const Router = require('router22') as typeof express5.Router
  const create = () => {
    const app = express5()
    let router: express5.Router | undefined
    const get = (): express5.Router => {
      const caseSensitive = app.enabled('case sensitive routing')
      router ??= Router({ caseSensitive, strict: app.enabled('strict routing') })
      return router
    }
    return Object.defineProperty(app, 'router', { configurable: true, enumerable: true, get })
  }
  return Object.assign(create, express5, { Router }) as typeof express5
}

/** The kinds of router that the package knows from the inside. */
export const routerVersions: typeof expressVersions = [
  ...expressVersions,
  ['Express 5 on router 2.2', expressOnRouter22()],
]
