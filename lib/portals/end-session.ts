/**
 * Ends the session of a request's browser on the server, and the sign-on that it shares.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { inBackground } from '../async/background.js'
import { within } from '../async/deadline.js'
import { StoreError } from '../core/errors.js'
import { readClient } from '../http/client.js'
import type { PortalParts } from './refusals.js'

/** Somebody waits, and only the answer clears the cookie: scripts of a page give up after ten seconds. */
const storeTimeoutMs = 5000

/** More cookies of one name than a browser sends: each costs the store two calls. */
const maxCookies = 10

/**
 * Clears the cookie at once, and resolves when the session has ended: with what was kept for the sign-out at an identity provider. Rejects
 * with `StoreError` where that is not known.
 */
export type EndSession = (request: Request, response: Response) => Promise<string | undefined>

export function createSessionEnd({ sessions, cookie, singleSignOn, signIn, events, clock }: PortalParts): EndSession {
  async function endOne(credential: string, request: Request): Promise<void> {
    const tokenId = sessions.getId(credential)
    const client = readClient(request)
    const found = (async () => sessions.find(tokenId))().catch(() => undefined)
    if (!(await sessions.end(tokenId))) return
    // Only the event needs to know whose it was: nobody waits for that.
    inBackground(async () => {
      const session = await found
      if (session === undefined) return
      const { subject, impersonator } = session
      events?.report('logout', { at: clock(), ...client, subject, tokenId, impersonator })
    })
  }

  /** Tries all ends, also where one fails. */
  async function endAll(
    credentials: readonly string[],
    request: Request,
    response: Response,
  ): Promise<string | undefined> {
    const signOnEnd = (async () => (await singleSignOn?.end(request, response)) ?? undefined)()
    const endSessions = credentials.map((credential) => endOne(credential, request))
    const ends = await Promise.allSettled([...endSessions, signOnEnd])
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    return signOnEnd
  }

  return async function endSession(request, response) {
    const credentials = cookie.readAll(request).slice(0, maxCookies)
    // Whatever becomes of the session: whoever uses this browser next is not signed in.
    cookie.clear(request, response)
    const memo = signIn?.signOut.recall(request, response)
    signIn?.signOut.setSignedOut(request, response)
    const kept = await within(
      endAll(credentials, request, response),
      storeTimeoutMs,
      () => new StoreError(`no answer within ${storeTimeoutMs} ms`),
    )
    return kept ?? memo
  }
}
