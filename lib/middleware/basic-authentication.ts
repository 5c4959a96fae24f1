/**
 * HTTP Basic for every resource: each request carries the password, and there is no token and no logout.
 *
 * @module
 */

import { createHmac, randomBytes } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import { LRUCache } from 'lru-cache'
import { type Auth, setAuth } from '../core/auth.js'
import { systemClock } from '../core/clock.js'
import { ForbiddenError, UnauthorizedError, UnavailableError } from '../core/errors.js'
import { pickClient, type SecurityEvents } from '../core/events.js'
import type { Logger } from '../core/logger.js'
import { isReported, markReported } from '../core/reported.js'
import type { SecondFactorPolicy } from '../core/second-factor.js'
import { clientGone, setNoStore } from '../http/answer.js'
import { type BasicCredentials, hasSeveralAuthorizations, parseBasic } from '../http/authorization-header.js'
import { createChallenges } from '../http/challenge.js'
import { readClient } from '../http/client.js'
import { isCrossSite } from '../http/cross-site.js'
import { skipEtag } from '../http/express/skip-etag.js'
import type { Gate, Verdict } from '../http/gate.js'
import { plainHttpRefusal } from '../http/plain-http.js'
import { severalCredentials, standAlone } from '../http/refusals.js'
import { type AllowAnonymous, anonymousVerdict } from '../paths/public-path.js'
import type { Accounts } from '../users/accounts.js'
import type { Authenticator, LoginContext } from '../users/login/authenticator.js'
import type { AccountState, UserAccount } from '../users/user-store.js'

/** Options of `basicAuthentication`. */
export interface BasicAuthenticationOptions {
  /** Checks names and passwords, with the throttle that all logins share. */
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  /** Keeps the rights of remembered callers fresh. */
  readonly accounts: Accounts
  /** Who has to show a second factor: Basic takes none, and refuses them. @defaultValue `'optional'`: users who have one */
  readonly secondFactor?: SecondFactorPolicy | undefined
  /** Whether a password may come over plain HTTP from another machine. @defaultValue false */
  readonly allowPlainHttp?: boolean
  /** See `bearerAuthentication`. */
  readonly allowAnonymous?: AllowAnonymous | undefined
  /** Gets the reason when the mount hides the path, unless `events` does. @defaultValue one line to stderr */
  readonly logger?: Logger | undefined
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly clock?: () => number
  /** Told of each refusal, and of each login, which is once a minute for a caller that keeps calling. */
  readonly events?: SecurityEvents
  /** Realm of the challenge: printable ASCII without quotes. @defaultValue `'Sallyport'` */
  readonly realm?: string
}

/** How long a good password is remembered, so that a call does not cost a password hash. */
const rememberedMs = 60_000

/** Callers remembered at the most; beyond that the longest unused ones pay for a hash again. */
const maxRemembered = 1000

/** Checks of one login when the user is changed during each. */
const maxRounds = 3

type Outcome = Remembered | 'refused' | 'given up'

interface Remembered {
  readonly account: UserAccount
  readonly state: AccountState
  readonly issuedAt: number
  /** `Accounts.endings` before the password was checked. */
  readonly endings: number
}

/**
 * Lets a request pass with a good name and password and sets `request.auth`, kind `basic`. Browsers repeat Basic credentials
 * by themselves, so requests that another site made are refused (403), and scripts get no challenge, which would open a login
 * box. The answer says `Cache-Control: no-store`, and Express makes no weak ETag for it.
 *
 * @returns A handler that passes to `next()`: 400, 401, 403, 429 and 503.
 */
export function basicAuthentication(options: BasicAuthenticationOptions): RequestHandler {
  return standAlone(
    {
      gates: [basicAuthenticationGate(options)],
      readsPath: options.allowAnonymous !== undefined,
      authenticates: true,
      admits: () => undefined,
    },
    options,
  )
}

export function basicAuthenticationGate(options: BasicAuthenticationOptions): Gate {
  const {
    authenticator,
    accounts,
    secondFactor,
    allowPlainHttp = false,
    allowAnonymous: isPublic,
    clock = systemClock,
    events,
  } = options
  const challenges = createChallenges(options.realm)
  const remembered = new LRUCache<string, Remembered>({ maxSize: maxRemembered, sizeCalculation: () => 1 })
  const underWay = new Map<string, Promise<Outcome>>()
  const digestKey = randomBytes(32)

  /** Parallel requests share one check when it is good. A wrong one counts for each of them. */
  async function findCaller(credentials: BasicCredentials, context: LoginContext): Promise<Remembered> {
    const digest = createHmac('sha256', digestKey)
      .update(`${context.address}\n${credentials.name}:${credentials.password}`)
      .digest('base64')
    let known: Outcome | undefined = remembered.get(digest)
    while (known !== 'refused') {
      if (typeof known === 'object' && (await isGood(known))) return known
      const check = underWay.get(digest)
      if (check === undefined) break
      known = await check
    }
    const check = checkCaller(credentials, context)
    const outcome = check.then(
      (caller) => {
        remembered.set(digest, caller)
        return caller
      },
      () => (context.signal?.aborted ? 'given up' : 'refused'),
    )
    remembered.delete(digest)
    underWay.set(digest, outcome)
    await outcome
    if (underWay.get(digest) === outcome) underWay.delete(digest)
    return check
  }

  async function isGood({ account, state, issuedAt, endings }: Remembered): Promise<boolean> {
    const now = clock()
    if (now - issuedAt >= rememberedMs || now < issuedAt) return false
    await accounts.assertCurrent()
    if (accounts.hasEndedSince(endings, account.subject)) return false
    await accounts.refresh(account.subject, state)
    return !state.hasEnded
  }

  async function checkCaller({ name, password }: BasicCredentials, context: LoginContext): Promise<Remembered> {
    for (let round = 0; round < maxRounds; round++) {
      const issuedAt = clock()
      const { endings } = accounts
      const account = await authenticator.authenticate(name, password, { ...context, kind: 'basic' })
      const { subject } = account
      // What was right before the user was revoked or changed may be wrong now.
      if (accounts.hasEndedSince(endings, subject)) continue
      const state = accounts.getState(account)
      await accounts.refresh(subject, state)
      if (state.hasEnded) continue
      events?.report('login', { at: issuedAt, ...pickClient(context), subject, tokenId: undefined, kind: 'basic' })
      return { account, state, issuedAt, endings }
    }
    throw new UnavailableError('ERR_STORE_UNAVAILABLE', 'The user is being changed. Try again later.')
  }

  function refusal(request: Request, error: { code: UnauthorizedError['code']; message: string; cause?: unknown }) {
    const challenge = isFromBrowserScript(request) ? challenges.bearer : `${challenges.bearer}, ${challenges.basic}`
    return new UnauthorizedError(error.code, error.message, {
      headers: { 'WWW-Authenticate': challenge },
      cause: error.cause,
    })
  }

  return function basicAuthenticationGate(request, response): Verdict | Promise<Verdict> {
    if (hasSeveralAuthorizations(request)) return severalCredentials(challenges.basic)
    const { authorization } = request.headers
    if (!authorization) {
      const verdict = anonymousVerdict(request, isPublic)
      if (verdict !== undefined) return verdict === 'pass' ? undefined : verdict
    }
    const credentials = parseBasic(authorization)
    if (credentials === undefined) {
      return refusal(request, { code: 'ERR_AUTH_REQUIRED', message: 'Authentication is required.' })
    }
    if (isCrossSite(request)) {
      return new ForbiddenError('ERR_CROSS_SITE', 'Requests of other sites are not taken with a password.')
    }
    const plainHttp = plainHttpRefusal(request, allowPlainHttp)
    if (plainHttp !== undefined) return plainHttp

    const { origin } = request.headers
    return findCaller(credentials, {
      ...readClient(request),
      origin,
      secondFactor,
      signal: clientGone(response),
    }).then(
      ({ account, state, issuedAt }) => {
        setAuth(request, createAuth(account, state, issuedAt))
        setNoStore(response)
        skipEtag(response)
        return undefined
      },
      (error: unknown) => {
        if (!(error instanceof UnauthorizedError)) throw error
        return markReported(refusal(request, error), isReported(error))
      },
    )
  }
}

function createAuth({ subject }: UserAccount, { roles, isAdmin }: AccountState, issuedAt: number): Auth {
  const scope = isAdmin ? 'admin' : 'default'
  return { subject, roles, isAdmin, scope, tokenId: undefined, kind: 'basic', issuedAt, expiresAt: undefined }
}

function isFromBrowserScript({ headers }: Request): boolean {
  return headers.origin !== undefined || Object.keys(headers).some((name) => name.startsWith('sec-fetch-'))
}
