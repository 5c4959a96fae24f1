/**
 * The one way in which a session of a portal begins, whatever the user has shown: the login form, a sign-in from code and one by an
 * identity provider all end here.
 *
 * @module
 */

import type { Request, Response } from 'express'
import type { Auth, Factor } from '../core/auth.js'
import { ForbiddenError } from '../core/errors.js'
import { type LoginRefusal, pickClient } from '../core/events.js'
import { markReported } from '../core/reported.js'
import { lacksSecondFactor } from '../core/second-factor.js'
import { isOver } from '../http/answer.js'
import type { NewSession } from '../tokens/sessions.js'
import type { UserAccount } from '../users/user-store.js'
import { entryRefusal, type PortalParts } from './refusals.js'
import type { SignOnContext } from './single-sign-on.js'

/** How a session begins, once the user is known. */
export interface SessionStart extends SignOnContext {
  /** What the user has shown. */
  readonly factors: readonly Factor[]
  /** The caller who acts as the user: the session ends with the caller's own. @defaultValue nobody */
  readonly impersonator?: Auth | undefined
  /** Starts what the session ends with, where no sign-on is shared. @defaultValue nothing */
  readonly startParent?: (() => Promise<string | undefined>) | undefined
  /** Called before the browser gets its cookie. What it rejects with ends the session again. */
  readonly confirm?: (() => Promise<void>) | undefined
}

/**
 * Starts a session for a user who has been authenticated, and sets its cookie; the one that the browser had until now ends. `undefined`: the
 * client has gone, and nothing was started.
 *
 * Rejects with `ForbiddenError` for a user who may not enter, and like `sessions.start`.
 */
export type StartSession = (
  request: Request,
  response: Response,
  account: UserAccount,
  start: SessionStart,
) => Promise<NewSession | undefined>

export function createSessionStart(parts: PortalParts): StartSession {
  const { sessions, cookie, singleSignOn, events, clock } = parts

  return async function startSession(request, response, account, { impersonator, startParent, confirm, ...context }) {
    const { address, startedAt, factors } = context
    const client = pickClient(context)
    const { subject } = account
    const refused = (reason: LoginRefusal): void =>
      events?.report('loginRefused', { at: clock(), ...client, userName: subject, reason, kind: 'portal' })
    const entry = entryRefusal(parts, account)
    if (entry !== undefined) {
      refused('not-admitted')
      throw markReported(entry, events !== undefined)
    }
    if (lacksSecondFactor(parts.secondFactor, { ...account, factors })) {
      refused('second-factor-required')
      const message = 'This account needs a second factor.'
      throw markReported(
        new ForbiddenError('ERR_SECOND_FACTOR_REQUIRED', message, { bare: 'never' }),
        events !== undefined,
      )
    }
    const former = cookie.read(request)
    const formerId = former === undefined ? undefined : sessions.getId(former)
    // The session that this one ends with must go on.
    if (formerId !== undefined && formerId !== impersonator?.tokenId) await sessions.end(formerId)
    const parent =
      impersonator?.tokenId ?? (await (singleSignOn?.start(request, response, account, context) ?? startParent?.()))
    const by = impersonator?.subject
    const session = await sessions.start(account, { address, startedAt, parent, factors, impersonator: by })
    try {
      await confirm?.()
    } catch (error) {
      await Promise.all([session.id, ...(parent === undefined ? [] : [parent])].map((id) => sessions.end(id)))
      throw error
    }
    if (isOver(response)) {
      await sessions.end(session.id)
      return undefined
    }
    const login = { at: startedAt, ...client, subject, tokenId: session.id, kind: 'portal', factors } as const
    events?.report('login', by === undefined ? login : { ...login, impersonator: by })
    cookie.set(request, response, session.credential)
    return session
  }
}
