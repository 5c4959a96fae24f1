import type { RequestHandler } from 'express'
import { setAuth } from '../../lib/core/auth.js'

/** Callers that {@link standInAuthentication} knows; `none` is nobody. */
export type Caller = 'admin' | 'user' | 'none'

/** Believes what the header `X-Caller` says: takes the place of a login in tests of what stands behind it. */
export const standInAuthentication: RequestHandler = (request, _response, next) => {
  const caller = request.get('x-caller')
  if (caller === 'admin' || caller === 'user') {
    setAuth(request, {
      subject: caller,
      roles: [],
      isAdmin: caller === 'admin',
      scope: '',
      tokenId: undefined,
      kind: 'management',
      issuedAt: 0,
      expiresAt: undefined,
    })
  }
  next()
}
