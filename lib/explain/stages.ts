/**
 * What the gates have said of a request, one line a stage.
 *
 * @module
 */

import { portalMount } from '../app/mounts.js'
import { originAt } from '../config/checks/origins.js'
import type { Config } from '../config/config.js'
import type { HttpErrorCode, Origin, Position } from '../core/errors.js'
import type { MountPlace } from './request.js'
import type { Answer } from './sandbox.js'

/** What one stage says of a request. */
export interface ExplainStage {
  /** `managementApi`, `webApps`, or `portal` and its name. */
  readonly mount: string
  /** `request`: what the request is like, as its method, its encoding or the page that sends it. */
  readonly stage: 'address' | 'cors' | 'authentication' | 'authorization' | 'request'
  /** `hit`: the request may go on. `miss`: it may not; of CORS, the answer is kept from the script. `may`: a login decides. */
  readonly effect: 'hit' | 'miss' | 'may'
  /** The key of the rule; `undefined` where none decides. */
  readonly rule: string | undefined
  /** Where the rule is written; `undefined` for a default. */
  readonly position: Position | undefined
}

/** What the same request would get from callers who have signed in. */
export interface SignedIn {
  /** Has no roles. */
  readonly user: Answer
  readonly admin: Answer
}

/** The stages of an answer. `signedIn` is there where nobody has signed in, and a login is asked for. */
export function stagesFrom(
  config: Config,
  places: readonly MountPlace[],
  answer: Answer,
  signedIn: SignedIn | undefined,
): readonly ExplainStage[] {
  const stages: ExplainStage[] = []
  for (const place of places) {
    stages.push(...stagesAt(config, place, answer, signedIn))
    if (answer.refusedBy?.mount === place.mount) break
  }
  return stages
}

const authenticationCodes: ReadonlySet<HttpErrorCode | undefined> = new Set([
  'ERR_AUTH_REQUIRED',
  'ERR_AUTH_INVALID_CREDENTIALS',
  'ERR_TOKEN_INVALID',
  'ERR_SESSION_ENDED',
])

const authorizationCodes: ReadonlySet<HttpErrorCode | undefined> = new Set([
  'ERR_ADMIN_REQUIRED',
  'ERR_ROLE_REQUIRED',
  'ERR_PATH_DENIED',
  'ERR_READ_ONLY',
])

/** Whether an answer asks for a login. */
export function asksForLogin({ outcome, code, status, response }: Answer): boolean {
  if (outcome === 'refused') return code === 'ERR_AUTH_REQUIRED'
  return outcome === 'answered' && status === 303 && /\/login(?:$|\?)/.test(String(response.getHeader('Location')))
}

function stagesAt(
  config: Config,
  place: MountPlace,
  answer: Answer,
  signedIn: SignedIn | undefined,
): readonly ExplainStage[] {
  const { mount } = place
  const line = (stage: ExplainStage['stage'], effect: ExplainStage['effect'], origin: Origin | undefined) => ({
    mount,
    stage,
    effect,
    rule: origin?.key,
    position: origin?.position,
  })
  const own = answer.rules.filter((rule) => rule.mount === mount)
  const linesOf = (stage: 'address' | 'authorization', rules: Answer['rules'], missing: 'miss' | 'may' = 'miss') =>
    rules
      .filter((rule) => rule.mount === mount && rule.stage === stage)
      .map(({ effect, origin }) => line(stage, effect === 'passed' ? 'hit' : missing, origin))

  const refusal = answer.refusedBy?.mount === mount ? answer.refusedBy : undefined
  const lines: ExplainStage[] = linesOf('address', own)
  const cors = corsEffect(config, answer)
  if (mount === 'managementApi' && cors !== undefined) lines.push(line('cors', cors, config.managementApi.cors.origin))

  if (signedIn !== undefined && asksForLogin(answer)) {
    const missing = signedIn.admin.outcome === 'refused' ? 'miss' : 'may'
    const entry = signedIn.user.refusedBy
    lines.push(line('authentication', 'may', authenticationOrigin(config, place)))
    lines.push(...linesOf('authorization', signedIn.user.rules, missing))
    if (place.portal !== undefined && entry !== undefined) lines.push(line('authorization', missing, entry.origin))
    return lines
  }

  if (answer.auth !== undefined && place.mount !== 'webApps') {
    lines.push(line('authentication', 'hit', authenticationOrigin(config, place)))
  } else if (refusal !== undefined && authenticationCodes.has(answer.code)) {
    lines.push(line('authentication', 'miss', authenticationOrigin(config, place)))
  }
  lines.push(...linesOf('authorization', own))
  const portalRoles = config.portals.find(({ name }) => place.mount === portalMount(name))?.roles
  if (refusal === undefined) {
    if (portalRoles !== undefined && answer.auth !== undefined)
      lines.push(line('authorization', 'hit', originAt(config, `portal.${place.portal}.roles`)))
  } else if (!lines.some(({ effect, stage }) => effect === 'miss' && stage !== 'cors')) {
    lines.push(line(authorizationCodes.has(answer.code) ? 'authorization' : 'request', 'miss', refusal.origin))
  }
  return lines
}

/** What CORS says to the script of the page; `undefined` where there is none, or the request did not get as far. */
function corsEffect({ managementApi }: Config, { request, response }: Answer): 'hit' | 'miss' | undefined {
  const { origin } = request.headers
  if (origin === undefined || !managementApi.cors.isEnabled || !response.hasHeader('Access-Control-Allow-Methods'))
    return undefined
  const allowed = response.getHeader('Access-Control-Allow-Origin')
  return allowed === '*' || allowed === origin ? 'hit' : 'miss'
}

function authenticationOrigin(config: Config, { portal }: MountPlace): Origin {
  if (portal !== undefined) return originAt(config, `portal.${portal}`)
  const handler = config.managementApi.isBasicEnabled ? 'basic_security_handler' : 'jwt_token_security_handler'
  return originAt(config, `management_api.${handler}.enable`)
}
