/**
 * The request that is asked about, as a caller writes it, and as a client would send it.
 *
 * @module
 */

import type { Config } from '../config/config.js'
import type { RequestFacts } from './in-process-request.js'
import type { Caller, Sandbox } from './sandbox.js'

/** One header as a client sends it. */
export type HeaderLine = readonly [name: string, value: string]

/** A request that nobody has sent. */
export interface ExplainRequest {
  /** @defaultValue `'GET'` */
  readonly method?: string | undefined
  /** As a client sends it, with a query or without: with an app the whole path, else what is below the mount, as in the file. */
  readonly path: string
  /** The mount, where there is no app: `'managementApi'`, `'webApps'`, or `'portal devportal'`. @defaultValue `'managementApi'` */
  readonly mount?: string | undefined
  /** Where the mount stands, where there is no app; only `[[servlet_access_control_filter]]` asks. @defaultValue `'/'` */
  readonly at?: string | undefined
  /** Who is signed in. @defaultValue nobody, unless there are `roles` or `isAdmin` */
  readonly user?: string | undefined
  /** The roles of the user. @defaultValue those that the user store has */
  readonly roles?: readonly string[] | undefined
  /** Whether the user is an administrator. @defaultValue what the user store has */
  readonly isAdmin?: boolean | undefined
  /** Where the connection comes from: with a proxy that of the proxy, whose headers are in `headers`. @defaultValue `'127.0.0.1'` */
  readonly address?: string | undefined
  /** Further headers, by their names or as a list of pairs. A credential among them takes the place of that of the user. */
  readonly headers?: Readonly<Record<string, string>> | readonly HeaderLine[] | undefined
  /** The page whose script asks. @defaultValue none: a program asks */
  readonly origin?: string | undefined
  /** `false`: the request comes over plain HTTP. @defaultValue `true` */
  readonly isSecure?: boolean | undefined
  /** Express' setting of this name, where there is no app. @defaultValue Express' own: no proxy is trusted */
  readonly trustProxy?: unknown
}

/** A mount that a request meets. */
export interface MountPlace {
  readonly mount: string
  readonly portal: string | undefined
  /** Path of the mount, without a slash at the end. */
  readonly at: string
}

/** The facts of a request, for the mounts on its way. `caller`: who is signed in. */
export async function factsFrom(
  { method = 'GET', address = '127.0.0.1', headers = {}, origin, isSecure = true }: ExplainRequest,
  url: string,
  sandbox: Sandbox,
  { caller, places }: { readonly caller: Caller | undefined; readonly places: readonly MountPlace[] },
): Promise<RequestFacts> {
  const own = [...listHeaders(headers)]
  const isGiven = (name: string): boolean => own.some(([given]) => given.toLowerCase() === name)
  if (!isGiven('host')) own.unshift(['Host', 'localhost'])
  if (origin !== undefined && !isGiven('origin')) own.push(['Origin', origin])
  const credentials = caller === undefined ? [] : await credentialsFor(caller, url, sandbox, places)
  own.push(...credentials.filter(([name]) => !isGiven(name.toLowerCase())))
  return { method: method.toUpperCase(), url, headers: own, address, isSecure }
}

/** The headers in their order. */
export function listHeaders(headers: NonNullable<ExplainRequest['headers']>): readonly HeaderLine[] {
  return Array.isArray(headers) ? (headers as readonly HeaderLine[]) : Object.entries(headers)
}

/** What the caller sends to each of the mounts. */
async function credentialsFor(
  caller: Caller,
  url: string,
  sandbox: Sandbox,
  places: readonly MountPlace[],
): Promise<readonly HeaderLine[]> {
  const isAtLogin = ({ at }: MountPlace): boolean => /^\/login\/?$/i.test(url.split('?', 1)[0]!.slice(at.length))
  const all: HeaderLine[] = []
  const cookies: string[] = []
  for (const place of places) {
    if (place.mount === 'managementApi') {
      if (all.length > 0) continue
      all.push(
        ...(isAtLogin(place) ? [['Authorization', sandbox.basic(caller)] as const] : await sandbox.credentials(caller)),
      )
    } else if (place.portal !== undefined) {
      cookies.push(...(await sandbox.credentials(caller, place.portal)).map(([, value]) => value))
    }
  }
  if (cookies.length > 0) all.push(['Cookie', cookies.join('; ')])
  return all
}

/** Finds a user with its rights. */
export type FindUser = (
  name: string,
) => Pick<Caller, 'roles' | 'isAdmin'> | undefined | Promise<Pick<Caller, 'roles' | 'isAdmin'> | undefined>

/** Finds the users that the configuration itself has; throws TypeError for the name of any other. */
export function userFinder({ fileUsers }: Config): FindUser {
  return (name) => {
    const user = fileUsers.isEnabled ? fileUsers.users.find((one) => one.name === name) : undefined
    if (user !== undefined) return user
    const where = fileUsers.isEnabled ? 'no such user' : 'no users: they are in a user store'
    throw new TypeError(`the file has ${where}; say which roles "${name}" has, or that it is an administrator`)
  }
}

/** Who calls; `undefined`: nobody is signed in. @throws TypeError for a user that is not known. */
export async function callerFrom(
  { user, roles, isAdmin }: ExplainRequest,
  findUser: FindUser,
): Promise<Caller | undefined> {
  if (user === undefined && roles === undefined && isAdmin === undefined) return undefined
  const name = user ?? 'somebody'
  if (roles !== undefined || isAdmin !== undefined) return { name, roles: roles ?? [], isAdmin: isAdmin ?? false }
  const found = await findUser(name)
  if (found === undefined) throw new TypeError(`there is no user "${name}"`)
  return { name, roles: found.roles, isAdmin: found.isAdmin }
}
