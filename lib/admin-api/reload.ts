/**
 * `/reload`: an administrator has the server read its configuration file anew, and sees before what that does.
 *
 * @module
 */

import type { Express, Request } from 'express'
import { getAuth } from '../core/auth.js'
import { BadRequestError, ConfigError } from '../core/errors.js'
import type { ChangeContext } from '../core/events.js'
import { answerJson } from '../http/answer.js'
import { readClient } from '../http/client.js'
import { methodNotAllowed } from '../http/endpoint.js'
import { type Gate, refusalFrom, type Verdict } from '../http/gate.js'
import { hasBody, invalidRequest, mediaTypeRefusal, readJsonBody } from './json-body.js'
import { administratorsOnly } from './resource.js'
import { readBody, reloadRequest, versionMissing } from './schemas/bodies.js'
import type { ReloadOutcome, ReloadPreview } from './schemas/reload.js'

/**
 * Reads the file of the configuration in effect, and takes it over. Resolves with the names of the tables that have changed, and of the
 * keys whose change takes effect at the next start; `undefined`: the configuration is from no file. With the version of a preview it
 * rejects with `HttpError` (409, `ERR_CONFIG_CHANGED`) for any other file.
 */
export type ReloadFile = (
  context: ChangeContext,
  version?: string,
) => Promise<{ readonly changed: readonly string[]; readonly atNextStart: readonly string[] } | undefined>

/** `undefined`: the configuration is from no file. `app`: whose requests are compared. */
export type PreviewReload = (app: Express) => Promise<ReloadPreview | undefined>

/**
 * Answers requests for `/reload`, of administrators only.
 *
 * | verb | answer |
 * |---|---|
 * | `GET` | {@link ReloadPreview} |
 * | `POST`, without a body or with `{"version"}` of a preview | `{"status","changed":[],"atNextStart":[]}` |
 *
 * A mistake in the file is 400 with one line for each, and changes nothing; so does 409 where the file is not the one of the version.
 */
export function reloadGate(reload: ReloadFile, preview: PreviewReload): Gate {
  async function reloadAndAnswer(request: Request, context: ChangeContext): Promise<ReloadOutcome> {
    const version = hasBody(request) ? await readVersion(request) : undefined
    const outcome = await reload(context, version).catch((error: unknown) => {
      if (!(error instanceof ConfigError)) throw error
      // It names files, keys and rules, and no secret.
      throw new BadRequestError('ERR_CONFIG_INVALID', error.message)
    })
    if (outcome === undefined) throw withoutFile()
    return { status: 'Reloaded', ...outcome }
  }

  async function previewAndAnswer({ app }: Request): Promise<ReloadPreview> {
    const outcome = await preview(app as Express)
    if (outcome === undefined) throw withoutFile()
    return outcome
  }

  const gate: Gate = (request, response) => {
    const isReading = request.method === 'GET' || request.method === 'HEAD'
    if (!isReading && request.method !== 'POST') return methodNotAllowed('GET, HEAD, POST')
    const refusal = isReading ? undefined : mediaTypeRefusal(request)
    if (refusal !== undefined) return refusal
    const context = { ...readClient(request), by: getAuth(request).subject, reason: 'asked for' }
    const work = isReading ? previewAndAnswer(request) : reloadAndAnswer(request, context)
    return work.then((body): Verdict => {
      if (!response.headersSent) answerJson(response, 200, body)
      return 'answered'
    }, refusalFrom)
  }
  return administratorsOnly((path) => /^\/reload\/?$/i.test(path), gate)
}

/** What is misspelled must not be a reload of whatever the file says. */
async function readVersion(request: Request): Promise<string> {
  const body = await readJsonBody(request)
  if (body.size > 1) throw invalidRequest(versionMissing)
  return readBody(reloadRequest, body).version
}

function withoutFile(): BadRequestError {
  return new BadRequestError('ERR_CONFIG_INVALID', 'The app made the configuration itself: there is no file to read.')
}
