/**
 * What follows when it is known who signs in to a portal: whether the user may enter, and the session.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { markReported } from '../core/events.js'
import { isOver } from '../http/answer.js'
import type { Verdict } from '../http/gate.js'
import type { UserAccount } from '../users/user-store.js'
import { readRoot } from './navigation.js'
import { answerSeeOther } from './page.js'
import { entryRefusal, type PortalParts } from './refusals.js'
import type { SignOnContext } from './single-sign-on.js'

/** How somebody was authenticated. */
export interface Admission extends SignOnContext {
  /** What the browser's cookie held before. */
  readonly former: string | undefined
  readonly returnTo: string | undefined
  /** Starts what the session ends with, where no sign-on is shared. @defaultValue nothing */
  readonly startParent?: (() => Promise<string | undefined>) | undefined
  /** Called before the browser gets its cookie. What it rejects with ends the session again. */
  readonly confirm?: (() => Promise<void>) | undefined
  /** Called when the user is signed in: a place for further cookies. */
  readonly beforeAnswer?: (() => void) | undefined
}

/** Returns the function that starts the session of a user, or throws why not, and answers with the page that was asked for. */
export function createAdmission(
  parts: PortalParts,
): (request: Request, response: Response, account: UserAccount, admission: Admission) => Promise<Verdict> {
  const { sessions, cookie, singleSignOn, events, clock } = parts

  return async function admit(request, response, account, admission) {
    const { address, startedAt, former, returnTo, startParent, confirm } = admission
    const { subject } = account
    const entry = entryRefusal(parts, account)
    if (entry !== undefined) {
      events?.report('loginRefused', { at: clock(), address, userName: subject, reason: 'not-admitted' })
      throw markReported(entry, events !== undefined)
    }
    if (former !== undefined) await sessions.end(sessions.getId(former))
    const parent = await (singleSignOn?.start(request, response, account, admission) ?? startParent?.())
    const { credential, id } = await sessions.start(account, { address, startedAt, parent })
    try {
      await confirm?.()
    } catch (error) {
      await sessions.end(id)
      throw error
    }
    if (isOver(response)) {
      await sessions.end(id)
      return 'answered'
    }
    events?.report('login', { at: startedAt, address, subject, tokenId: id, kind: 'portal' })
    cookie.set(request, response, credential)
    admission.beforeAnswer?.()
    answerSeeOther(response, returnTo ?? readRoot(request))
    return 'answered'
  }
}
