/**
 * Signing in and out from code: after a registration, by a link of the app's own, or as another user.
 *
 * @module
 */

import type { Request, Response } from 'express'
import type { Config } from '../config/config.js'
import type { Auth, Factor } from '../core/auth.js'
import { ForbiddenError, type HttpError, StoreError } from '../core/errors.js'
import { readClient } from '../http/client.js'
import { plainHttpRefusal } from '../http/plain-http.js'
import { portalSessionParts } from '../middleware/portal-session.js'
import { createSessionEnd } from '../portals/end-session.js'
import { type PortalParts, unauthorized } from '../portals/refusals.js'
import { createSessionStart } from '../portals/start-session.js'
import type { RecordVerifier } from '../tokens/verification.js'
import { givenUp, unavailable } from '../users/login/login-refusals.js'
import { accountFrom, type UserAccount, type UserStore } from '../users/user-store.js'
import { type PortalGateParts, portalSessionOptions } from './portal.js'

/** Options of `security.signIn`. */
export interface SignInOptions {
  /** What the app has checked. @defaultValue `['app']` */
  readonly factors?: readonly Factor[] | undefined
  /**
   * The caller who acts as the user: `getAuth(request)`. The session ends with that of the caller, and all its events name the caller. Nobody
   * acts as an administrator, nor as somebody else's somebody else.
   *
   * @defaultValue nobody: the user signs in
   */
  readonly impersonator?: Auth | undefined
}

/** What signing in from code works with. */
export interface SignInParts extends PortalGateParts {
  readonly users: UserStore
  readonly verifyRecord: RecordVerifier
  /** Refuses while records of the audit trail cannot be written. */
  readonly refuseUnaudited: () => HttpError | undefined
}

/** Signing in and out from code, as `Security` has it. */
export interface CodeSignIn {
  /**
   * Signs a user in to a portal from code: after a registration, by a link that the app has sent, or as another user. It starts a fresh
   * session with the cookie and the event of the login form, and leaves the answer to the caller. The account is read by its
   * `subject`, and must be one that may enter the portal.
   *
   * @example
   * ```ts
   * app.post('/register', async (request, response) => {
   *   const subject = await register(request)
   *   await security.signIn('shop', request, response, subject)
   *   response.redirect('/shop/')
   * })
   * ```
   *
   * Rejects with the `HttpError` that refuses it: 401, 403 or 503.
   */
  signIn(portal: string, request: Request, response: Response, subject: string, options?: SignInOptions): Promise<Auth>
  /**
   * Signs the browser of a request out of a portal, as its logout does, and leaves the answer to the caller. Rejects with
   * `UnavailableError` (503) where the server could not end the session; the cookie is cleared all the same.
   */
  signOut(portal: string, request: Request, response: Response): Promise<void>
}

const defaultFactors: readonly Factor[] = ['app']

/** `config` answers with the configuration of the moment. */
export function createCodeSignIn(config: () => Config, parts: SignInParts): CodeSignIn {
  const partsOf = (portal: string): PortalParts => portalSessionParts(portalSessionOptions(config(), portal, parts))

  return {
    async signIn(portal, request, response, subject, { factors = defaultFactors, impersonator } = {}) {
      const portalParts = partsOf(portal)
      const refusal =
        parts.refuseUnaudited() ??
        plainHttpRefusal(request, portalParts.allowPlainHttp, 'allow_insecure_http = true in [portal]')
      if (refusal !== undefined) throw refusal
      const startedAt = parts.clock()
      const account = await answered(findAccount(parts.users, subject))
      if (impersonator !== undefined) await answered(assertImpersonator(impersonator, account, parts.verifyRecord))
      const proven = { factors: impersonator?.factors ?? factors, impersonator }
      const start = { ...readClient(request), startedAt, ...proven }
      const session = await answered(createSessionStart(portalParts)(request, response, account, start))
      if (session === undefined) throw givenUp('the client has gone')
      return session.auth
    },

    async signOut(portal, request, response) {
      await answered(createSessionEnd(partsOf(portal))(request, response))
    },
  }
}

/** A store that fails is a 503. */
async function answered<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw error instanceof StoreError ? unavailable(error) : error
  }
}

async function findAccount(users: UserStore, subject: string): Promise<UserAccount> {
  const account = accountFrom(await users.find(subject))
  if (account !== undefined) return account
  throw unauthorized('ERR_AUTH_INVALID_CREDENTIALS', 'This account cannot sign in.', 'there is no such enabled user')
}

/** The caller's own session must be live: the one that is started ends with it. */
async function assertImpersonator(
  { tokenId, kind, subject, impersonator }: Auth,
  account: UserAccount,
  verifyRecord: RecordVerifier,
): Promise<void> {
  const refuse = (message: string): HttpError => new ForbiddenError('ERR_IMPERSONATION', message, { bare: 'never' })
  if (account.isAdmin) throw refuse('Nobody acts as an administrator.')
  if (impersonator !== undefined) throw refuse('Who acts as another user cannot act as a third one.')
  if (account.subject === subject) throw refuse('Nobody acts as themselves.')
  if (tokenId === undefined) throw refuse('Only who has a session or a token can act as another user.')
  await verifyRecord({ id: tokenId, kind, isActivity: false })
}
