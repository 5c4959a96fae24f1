/**
 * The mounts that an app has mounted, and how all of them take over another configuration at once.
 *
 * @module
 */

import type { Request, RequestHandler } from 'express'
import type { Config, EnabledControl } from '../config/config.js'
import type { HttpError } from '../core/errors.js'
import { type Gate, type GateRow, type Refuse, toHandler } from '../http/gate.js'
import { findLongLivedRequest, noteMount } from '../http/long-lived-request.js'
import { type CreateUser, requestUserGate } from '../middleware/request-user.js'
import type { Security } from './security.js'
import type { WireSecurity } from './wired-security.js'

/** Name of a mount: what has to be mounted for a control. */
export type MountName = EnabledControl['mount']

/** Makes the gates of one mount. */
export type GatesOf = (config: Config) => readonly Gate[]

/** Is told what mounts decide. */
export interface MountObserver {
  /** Returns gates that decide as these do, and tell. */
  watch(mount: string, gates: readonly Gate[]): readonly Gate[]
  refused(mount: string, error: HttpError, request: Request): void
}

/** What all mounts do besides. */
export interface MountsOptions {
  readonly createUser?: CreateUser | undefined
  readonly observer?: MountObserver | undefined
  readonly front?: FrontParts | undefined
  /** What each request meets first. */
  readonly guard?: Gate | undefined
}

/** How a handler was made: what is asked about it is asked of one that is made in the same way. */
export interface MadeMount {
  readonly name: MountName
  /** Of a portal; of the operators' page, the one whose session opens it. */
  readonly portal: string | undefined
  /** `undefined` for a mount that stands for itself in a test. */
  readonly front: FrontParts | undefined
  /** Makes another one of another front. */
  readonly make: MakeMount
}

export type MakeMount = (security: Security) => RequestHandler

const made = new WeakMap<object, MadeMount>()

/** How a handler was made; `undefined` for one that is no mount of a front. */
export function findMount(handler: unknown): MadeMount | undefined {
  return made.get(handler as object)
}

/** What another front is made of that answers as this one. */
export interface FrontParts {
  /** The one in effect. */
  readonly config: Config
  readonly usesFileUsers: boolean
  readonly wire: WireSecurity
}

/** Which mount is made, and how another front makes the same. */
export interface MountMaking extends Pick<MadeMount, 'name' | 'make'> {
  readonly portal?: string | undefined
}

/** Keeps the row of gates of each mount that was made. */
export class Mounts {
  readonly #onFirstRequest: () => void
  readonly #observer: MountObserver | undefined
  readonly #userGates: readonly Gate[]
  readonly #guards: readonly Gate[]
  readonly #front: FrontParts | undefined
  #hasServed = false
  #generation = 0
  readonly #rows: { readonly row: GateRow; readonly name: MountName; readonly gatesOf: GatesOf }[] = []
  readonly #mounted = new Set<string>()
  readonly #handlers: { readonly name: MountName; readonly handler: RequestHandler }[] = []

  /**
   * @param onFirstRequest - Called at the first request, when all is mounted, and at the first after each exchange.
   * @param createUser - Makes `request.user`; `undefined`: it is left alone.
   * @param observer - Without one, requests meet the gates as they are.
   * @param guard - Without one, requests meet the gates of their mount alone.
   */
  constructor(onFirstRequest: () => void, { createUser, observer, front, guard }: MountsOptions = {}) {
    this.#onFirstRequest = onFirstRequest
    this.#observer = observer
    this.#front = front
    this.#guards = guard === undefined ? [] : [guard]
    this.#userGates = createUser === undefined ? [] : [requestUserGate(createUser)]
  }

  /** The mounts that were made at least once: their names, and for each portal {@link portalMount} of its name as well. */
  get mounted(): ReadonlySet<string> {
    return this.#mounted
  }

  /** How often all gates were exchanged. */
  get generation(): number {
    return this.#generation
  }

  /** The handlers that were made, of one mount or of all. */
  listHandlers(name?: MountName): ReadonlySet<RequestHandler> {
    const made = this.#handlers.filter((candidate) => name === undefined || candidate.name === name)
    return new Set(made.map(({ handler }) => handler))
  }

  /** Makes the handler of a mount, and remembers how its gates are made. */
  add({ name, portal, make }: MountMaking, config: Config, createGates: GatesOf, refuse: Refuse): RequestHandler {
    // Those read the path from the root of the server, and see it wherever they are mounted.
    const readsPath = name !== 'webApps'
    const pass: Gate = (request) => {
      const longLived = findLongLivedRequest(request)
      return longLived === undefined || longLived.pass(handler, this.#behind(name)) ? undefined : 'answered'
    }
    const note: Gate = (request) => noteMount(request, handler) as undefined
    const observer = this.#observer
    const mount = mountTitle({ name, portal })
    const userGates = name === 'webApps' ? [] : this.#userGates
    const watched: GatesOf = (next) => observer?.watch(mount, createGates(next)) ?? createGates(next)
    const gatesOf: GatesOf = (next) => [
      note,
      this.#noteFirstRequest,
      ...this.#guards,
      ...watched(next),
      ...userGates,
      pass,
    ]
    const row: GateRow = { gates: gatesOf(config), readsPath, authenticates: authenticates(name, config) }
    this.#rows.push({ row, name, gatesOf })
    this.#mounted.add(name)
    // The operators' page is behind all rules of its portal.
    if (portal !== undefined) for (const enforced of ['portal', portalMount(portal)]) this.#mounted.add(enforced)
    const handler = toHandler(row, (error, request, response, next) => {
      findLongLivedRequest(request)?.refuse(error)
      observer?.refused(mount, error, request)
      refuse(error, request, response, next)
    })
    this.#handlers.push({ name, handler })
    made.set(handler, { name, portal, front: this.#front, make })
    return handler
  }

  /** Makes the gates of another configuration, and returns the function that exchanges them all. */
  prepare(config: Config): () => void {
    const next = this.#rows.map(({ row, name, gatesOf }) => ({
      row,
      fields: { gates: gatesOf(config), authenticates: authenticates(name, config) },
    }))
    return () => {
      this.#hasServed = false
      this.#generation++
      for (const { row, fields } of next) Object.assign(row, fields)
    }
  }

  /** What may stand behind a mount that looks at addresses alone. */
  #behind(name: MountName): ReadonlySet<RequestHandler> {
    const others = name === 'webApps' ? this.#handlers.filter((made) => made.name !== 'webApps') : []
    return new Set(others.map(({ handler }) => handler))
  }

  readonly #noteFirstRequest: Gate = () => {
    if (this.#hasServed) return undefined
    this.#hasServed = true
    this.#onFirstRequest()
    return undefined
  }
}

/** Addresses are no authentication, and that of the management API can be switched off. */
function authenticates(name: MountName, { managementApi: api }: Config): boolean {
  return name === 'managementApi' ? api.isJwtEnabled || api.isBasicEnabled : name !== 'webApps'
}

/** What a mount is called. */
export function mountTitle({ name, portal }: Pick<MadeMount, 'name'> & Pick<MountMaking, 'portal'>): string {
  return name === 'portal' && portal !== undefined ? portalMount(portal) : name
}

/** What is mounted when the portal of this name is. */
export function portalMount(name: string): string {
  return `portal ${name}`
}
