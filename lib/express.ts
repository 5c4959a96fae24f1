/**
 * Opt-in typing of `request.auth` for TypeScript: `import 'sallyport/express'` once, anywhere in the app.
 *
 * It is a module of its own because other packages declare `auth` on Express' `Request` as well.
 *
 * @module
 */

import type { Auth } from './core/auth.js'

declare global {
  namespace Express {
    /** Express' request, with the caller. */
    interface Request {
      /** The authenticated caller; absent where nobody is. */
      auth?: Auth
    }
  }
}
