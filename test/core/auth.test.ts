import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { type Auth, type AuthenticatedRequest, getAuth } from '../../lib/core/auth.js'
import { UnauthorizedError } from '../../lib/core/errors.js'

const auth: Auth = {
  subject: 'alice',
  roles: ['viewer'],
  isAdmin: false,
  scope: 'default',
  tokenId: 'id-of-a-token',
  kind: 'management',
  issuedAt: 1,
  expiresAt: 2,
}

it('getAuth returns the caller of a request', () => {
  const request: AuthenticatedRequest = Object.assign(new IncomingMessage(new Socket()), { auth })
  expect(getAuth(request)).toBe(auth)
})

it('getAuth throws a 401 with a challenge where nobody is authenticated', () => {
  let thrown: unknown
  try {
    getAuth(new IncomingMessage(new Socket()))
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(UnauthorizedError)
  expect(thrown).toMatchObject({
    status: 401,
    code: 'ERR_AUTH_REQUIRED',
    headers: { 'WWW-Authenticate': 'Bearer realm="Sallyport"' },
  })
})
