/**
 * The gates of a configuration, to be asked about requests that nobody sends: those that a server would have, over users and tokens
 * that are not those of the server. Nothing that is asked is counted, logged or remembered anywhere else.
 *
 * @module
 */

import type { Express, NextFunction, Request, RequestHandler, Response } from 'express'
import { providerVersionOf } from '../app/identity-providers.js'
import type { MountObserver } from '../app/mounts.js'
import { portalCookieName } from '../app/portal.js'
import type { Security } from '../app/security.js'
import type { WiredSecurity, WireSecurity } from '../app/wired-security.js'
import { withFields } from '../config/checks/origins.js'
import type { Config } from '../config/config.js'
import { type Auth, type Factor, findAuth } from '../core/auth.js'
import type { HttpError, HttpErrorCode, Origin } from '../core/errors.js'
import type { RuleStage } from '../http/gate.js'
import { secureName } from '../portals/cookie.js'
import { TestUsers } from '../testing/test-users.js'
import { issueToken } from '../tokens/tokens.js'
import type { UserAccount } from '../users/user-store.js'
import { type RequestFacts, runRequest } from './in-process-request.js'
import type { HeaderLine } from './request.js'

/** Who calls. */
export interface Caller {
  readonly name: string
  readonly roles: readonly string[]
  readonly isAdmin: boolean
}

/** A rule that a request met. */
export interface MetRule {
  readonly mount: string
  readonly stage: RuleStage
  readonly origin: Origin
  readonly effect: 'passed' | 'refused'
}

/** What became of a request. */
export interface Answer {
  /** `passed`: on to the app. `answered`: by the mount itself, as a login, or a way to the login page. */
  readonly outcome: 'passed' | 'refused' | 'answered'
  /** Of the answer; `undefined` where the app answers. */
  readonly status: number | undefined
  /** Why it was refused. */
  readonly code: HttpErrorCode | undefined
  /** The rule that refused it, and the mount. */
  readonly refusedBy: { readonly mount: string; readonly origin: Origin | undefined } | undefined
  readonly rules: readonly MetRule[]
  readonly auth: Auth | undefined
  readonly response: Response
  readonly request: Request
}

interface Notes {
  readonly rules: MetRule[]
  refusal: { readonly mount: string; readonly error: HttpError } | undefined
}

/** What a caller comes with: a token of the management API, name and password, or the session of a portal. */
export type CredentialKind = 'token' | 'basic' | `session of ${string}`

/** What {@link Sandbox.open} needs besides a configuration. */
export interface SandboxParts {
  readonly wire: WireSecurity
  /** Whether the users stand for those of the file. @defaultValue as the configuration says */
  readonly usesFileUsers?: boolean | undefined
}

const quiet = { info() {}, warn() {}, error() {} }

/** Of an explanation no issuer and no identity provider learns: each is as if it could not be reached. */
async function askNobody(): Promise<never> {
  throw new Error('an explanation asks nobody')
}

/** More than anybody asks about. */
const maxTokens = 1_000_000

export class Sandbox {
  readonly config: Config
  readonly #wired: WiredSecurity
  readonly #users: TestUsers
  readonly #notes: WeakMap<object, Notes>

  private constructor(config: Config, wired: WiredSecurity, users: TestUsers, notes: WeakMap<object, Notes>) {
    this.config = config
    this.#wired = wired
    this.#users = users
    this.#notes = notes
  }

  static async open(config: Config, { wire, usesFileUsers }: SandboxParts): Promise<Sandbox> {
    const users = new TestUsers()
    const notes = new WeakMap<object, Notes>()
    const own = withoutOutside(config)
    const wired = await wire(
      own,
      { userStore: users, logger: quiet },
      { observer: noteIn(notes), usesFileUsers, fetch: askNobody },
    )
    return new Sandbox(config, wired, users, notes)
  }

  /** The front, of which mounts can be made. */
  get security(): Security {
    return this.#wired.security
  }

  /** The headers of the requests of a caller: for the management API, or for a portal. */
  async credentials(caller: Caller, portal?: string): Promise<readonly HeaderLine[]> {
    const { core, security } = this.#wired
    const { managementApi } = security.config
    if (portal !== undefined) {
      const config = security.config.portals.find((candidate) => candidate.name === portal)
      if (config === undefined) return []
      const { sessionTimeoutMs: idleTimeoutMs, absoluteTimeoutMs } = config
      const sessions = core.createSessions({ portal, idleTimeoutMs, absoluteTimeoutMs })
      const { account, factors } = this.#signedIn(caller)
      const { credential } = await sessions.start(account, { factors })
      const cookie = portalCookieName(security.config, portal)
      return [['Cookie', `${secureName(cookie)}=${credential}; ${cookie}=${credential}`]]
    }
    if (providerVersionOf(this.config, caller.name) !== undefined && !this.#isTrusted(caller.name)) {
      const how = 'name a portal, or give the management API a trusted_issuer of this domain_name'
      throw new TypeError(`"${caller.name}" is of an identity provider, whose users sign in to portals: ${how}`)
    }
    if (managementApi.isBasicEnabled) return [['Authorization', this.basic(caller)]]
    return managementApi.isJwtEnabled ? this.#bearer(caller) : []
  }

  async #bearer(caller: Caller): Promise<readonly HeaderLine[]> {
    const { account, factors } = this.#signedIn(caller)
    return [['Authorization', `Bearer ${(await issueToken(this.#wired.core.tokens, account, { factors })).token}`]]
  }

  /** The account of a caller. No store knows the users of an identity provider: they have the rights of their sign-in. */
  #signedIn({ name, roles, isAdmin }: Caller): {
    readonly account: UserAccount
    readonly factors: readonly Factor[] | undefined
  } {
    const account = this.#users.set(name, { roles, isAdmin })
    const version = providerVersionOf(this.config, name)
    const factors = version !== undefined || this.#isTrusted(name) ? (['provider'] as const) : undefined
    return {
      account: version === undefined ? account : { ...account, version: `${version}${account.version}` },
      factors,
    }
  }

  /** Whether it is a user of the issuer whose tokens the management API takes. */
  #isTrusted(name: string): boolean {
    const { trustedIssuer } = this.config.managementApi
    return trustedIssuer !== undefined && name.startsWith(`${trustedIssuer.domainName}/`)
  }

  /** Gives the user of credentials other rights: a token of before stays good, as with a server. */
  become({ name, roles, isAdmin }: Caller): void {
    this.#users.set(name, { roles, isAdmin })
  }

  /** The header of a kind of credential, whether the configuration takes it or not. */
  async credentialOf(kind: CredentialKind, caller: Caller): Promise<readonly HeaderLine[]> {
    if (kind === 'basic') return [['Authorization', this.basic(caller)]]
    if (kind.startsWith('session of ')) return this.credentials(caller, kind.slice('session of '.length))
    return this.#bearer(caller)
  }

  /** The value of a header for a login. */
  basic({ name, roles, isAdmin }: Caller): string {
    this.#users.set(name, { roles, isAdmin })
    return `Basic ${Buffer.from(`${name}:${this.#users.passwordOf(name)}`).toString('base64')}`
  }

  /** Puts a request through an app, or through a handler of this sandbox at the root of the app. */
  async ask(facts: RequestFacts, app: Express, handler: RequestHandler = appHandler(app)): Promise<Answer> {
    const { request, response, outcome } = runRequest(facts, app, handler)
    const end = await outcome
    const { rules = [], refusal } = this.#notes.get(request) ?? {}
    const known = { rules, auth: findAuth(request), request, response }
    if (refusal !== undefined) {
      const { mount, error } = refusal
      const status = end.kind === 'answered' ? end.status : error.status
      return { ...known, outcome: 'refused', status, code: error.code, refusedBy: { mount, origin: error.origin } }
    }
    const none = { code: undefined, refusedBy: undefined }
    if (end.kind === 'passed') return { ...known, ...none, outcome: 'passed', status: undefined }
    if (end.kind === 'answered') return { ...known, ...none, outcome: 'answered', status: end.status }
    return { ...known, ...none, outcome: 'refused', status: statusFrom(end.error) }
  }

  async close(): Promise<void> {
    await this.#wired.security.close()
  }
}

function appHandler(app: Express): RequestHandler {
  return (request, response, next: NextFunction) => app(request, response, next)
}

/** As Express answers an error. */
function statusFrom(error: unknown): number {
  const { status } = Object(error) as { readonly status?: unknown }
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500
}

/** Without what would open, load or wait for something, and says nothing about a request. */
function withoutOutside(config: Config): Config {
  const { managementApi, portalDefaults } = config
  return withFields(config, {
    oauth: undefined,
    sharedStore: undefined,
    portalDefaults: { ...portalDefaults, maxSessions: maxTokens },
    managementApi: {
      ...managementApi,
      breakGlass: undefined,
      loginThrottle: { ...managementApi.loginThrottle, isEnabled: false },
      token: { ...managementApi.token, algorithm: 'ES256', keyFile: undefined, keyStore: undefined },
      tokenStore: { ...managementApi.tokenStore, maxSize: maxTokens, maxPerUser: undefined, snapshot: undefined },
    },
  })
}

function noteIn(notes: WeakMap<object, Notes>): MountObserver {
  function notesOf(request: Request): Notes {
    let own = notes.get(request)
    if (own === undefined) {
      own = { rules: [], refusal: undefined }
      notes.set(request, own)
    }
    return own
  }

  return {
    watch: (mount, gates) =>
      gates.map((gate) => (request, response) => {
        const rule = (origin: Origin, effect: MetRule['effect'], stage: RuleStage): void => {
          notesOf(request).rules.push({ mount, stage, origin, effect })
        }
        return gate(request, response, { rule })
      }),

    refused(mount, error, request) {
      notesOf(request).refusal = { mount, error }
    },
  }
}
