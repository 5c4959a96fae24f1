/**
 * `/reload`: an administrator has the server read its configuration file anew.
 *
 * @module
 */

import { getAuth } from '../core/auth.js'
import { BadRequestError, ConfigError } from '../core/errors.js'
import type { ChangeContext } from '../core/events.js'
import { answerJson } from '../http/answer.js'
import { readClient } from '../http/client.js'
import { methodNotAllowed } from '../http/endpoint.js'
import { type Gate, refusalFrom, type Verdict } from '../http/gate.js'
import { mediaTypeRefusal } from './json-body.js'
import { administratorsOnly } from './resource.js'

/**
 * Reads the file of the configuration in effect, and takes it over. Resolves with the names of the tables that have changed, and of the
 * keys whose change takes effect at the next start; `undefined`: the configuration is from no file.
 */
export type ReloadFile = (
  context: ChangeContext,
) => Promise<{ readonly changed: readonly string[]; readonly atNextStart: readonly string[] } | undefined>

/**
 * Answers `POST /reload`, of administrators only, with `{"status","changed":[],"atNextStart":[]}`. A mistake in the file is 400 with one
 * line for each, and changes nothing.
 */
export function reloadGate(reload: ReloadFile): Gate {
  async function reloadAndAnswer(context: ChangeContext): Promise<object> {
    const outcome = await reload(context).catch((error: unknown) => {
      if (!(error instanceof ConfigError)) throw error
      // It names files, keys and rules, and no secret.
      throw new BadRequestError('ERR_CONFIG_INVALID', error.message)
    })
    if (outcome !== undefined) return { status: 'Reloaded', ...outcome }
    throw new BadRequestError('ERR_CONFIG_INVALID', 'The app made the configuration itself: there is no file to read.')
  }

  const gate: Gate = (request, response) => {
    if (request.method !== 'POST') return methodNotAllowed('POST')
    const refusal = mediaTypeRefusal(request)
    if (refusal !== undefined) return refusal
    const context = { ...readClient(request), by: getAuth(request).subject, reason: 'asked for' }
    return reloadAndAnswer(context).then((body): Verdict => {
      if (!response.headersSent) answerJson(response, 200, body)
      return 'answered'
    }, refusalFrom)
  }
  return administratorsOnly((path) => /^\/reload\/?$/i.test(path), gate)
}
