/**
 * Why a request passes or is refused, by the gates themselves.
 *
 * @module
 */

import type { Express, Request, RequestHandler } from 'express'
import { findMount, mountTitle } from '../app/mounts.js'
import type { Security } from '../app/security.js'
import type { Config } from '../config/config.js'
import type { HttpErrorCode } from '../core/errors.js'
import { listRowsOnTheWay } from '../http/express/rows-on-the-way.js'
import { callerFrom, type ExplainRequest, type FindUser, factsFrom, type MountPlace } from './request.js'
import { type Answer, type Caller, Sandbox, type SandboxParts } from './sandbox.js'
import { asksForLogin, type ExplainStage, stagesFrom } from './stages.js'

/** Why a request passes or is refused. */
export interface Explanation {
  /** `passed`: on to the app. `answered`: by the mount itself, as a login, or a way to the login page. */
  readonly outcome: 'passed' | 'refused' | 'answered'
  /** Of the answer; `undefined` where the app answers. */
  readonly status: number | undefined
  /** Why it is refused. */
  readonly code: HttpErrorCode | undefined
  /** What each stage said, in the order in which a request meets them, up to the one that refused. */
  readonly stages: readonly ExplainStage[]
  /** The mounts on the way, in their order; none: nobody guards the path. */
  readonly mounts: readonly string[]
  /** The caller; `undefined` when nobody was authenticated. */
  readonly subject: string | undefined
}

/** What {@link explain} works with. */
export interface ExplainParts extends SandboxParts {
  readonly config: Config
  readonly findUser: FindUser
}

/** A place, and how its handler is made. */
interface Made extends MountPlace {
  readonly make: (security: Security) => RequestHandler
}

/** Explains one request. @throws TypeError for a mount that there is not, and for a user that is not known. */
export async function explain(request: ExplainRequest, parts: ExplainParts, app?: Express): Promise<Explanation> {
  const sandbox = await Sandbox.open(parts.config, parts)
  try {
    return await explainWith(sandbox, parts.findUser, request, app)
  } finally {
    await sandbox.close()
  }
}

/** Explains one of several requests. */
export async function explainWith(
  sandbox: Sandbox,
  findUser: FindUser,
  request: ExplainRequest,
  app?: Express,
): Promise<Explanation> {
  const caller = await callerFrom(request, findUser)
  const places = app === undefined ? [placeFrom(request)] : placesIn(app, request)
  const shadow = await createShadow(places, sandbox, app, request.trustProxy)
  const url = prefixOf(request) + request.path
  const ask = async (as: Caller | undefined): Promise<Answer> =>
    sandbox.ask(await factsFrom(request, url, sandbox, { caller: as, places }), shadow)

  const answer = await ask(caller)
  const mayBeOther = caller === undefined && asksForLogin(answer)
  const signedIn = mayBeOther
    ? {
        user: await ask({ name: 'somebody', roles: [], isAdmin: false }),
        admin: await ask({ name: 'administrator', roles: [], isAdmin: true }),
      }
    : undefined
  const { outcome, status, code, auth } = answer
  return {
    outcome,
    status,
    code,
    stages: stagesFrom(sandbox.config, places, answer, signedIn),
    mounts: places.map(({ mount }) => mount),
    subject: auth?.subject,
  }
}

function prefixOf({ at = '' }: ExplainRequest): string {
  return at.replace(/\/$/, '')
}

function placeFrom(request: ExplainRequest): Made {
  const { mount = 'managementApi' } = request
  const at = prefixOf(request)
  if (mount === 'managementApi') return { mount, portal: undefined, at, make: (security) => security.managementApi() }
  if (mount === 'webApps') return { mount, portal: undefined, at, make: (security) => security.webApps() }
  const [, portal] = /^portal (.+)$/.exec(mount) ?? []
  if (portal !== undefined) return { mount, portal, at, make: (security) => security.portal(portal) }
  throw new TypeError(`there is no mount "${mount}": write managementApi, webApps, or portal and its name`)
}

/** The mounts that a request meets in an app before anything of the app answers it. */
function placesIn(app: Express, { path, method = 'GET' }: ExplainRequest): readonly Made[] {
  return listRowsOnTheWay(app, method.toUpperCase(), readPath(app, path)).flatMap(({ handler, at }) => {
    const found = findMount(handler)
    // Of the authorization server nothing is explained.
    if (found === undefined || found.name === 'oauth') return []
    return [{ mount: mountTitle(found), portal: found.portal, at, make: found.make }]
  })
}

/** What Express reads as the path of a request target. */
function readPath(app: Express, url: string): string {
  return (Object.setPrototypeOf({ url }, app.request) as Request).path
}

/** What decides how Express reads a request. */
const settings = ['trust proxy', 'trust proxy fn', 'case sensitive routing', 'strict routing', 'query parser fn']

/** An app with mounts of the sandbox, in the places of those of `app`. */
async function createShadow(
  made: readonly Made[],
  { security }: Sandbox,
  app: Express | undefined,
  trustProxy: unknown,
): Promise<Express> {
  const { default: express } = await import('express')
  const shadow = express()
  if (trustProxy !== undefined) shadow.set('trust proxy', trustProxy)
  if (app !== undefined) for (const name of settings) shadow.set(name, app.get(name))
  for (const { at, make } of made) shadow.use(at === '' ? '/' : at, make(security))
  return shadow
}
