/**
 * `/users/{id}/sessions`: how an administrator ends all sessions of one user.
 *
 * @module
 */

import type { Gate } from '../http/gate.js'
import { ambiguousPath } from '../paths/public-path.js'
import type { Tokens } from '../tokens/tokens.js'
import { ownSpelling, qualifiedName } from '../users/names.js'
import { mediaTypeRefusal } from './json-body.js'
import { administratorsOnly, answerCall, type Call, decode } from './resource.js'
import type { EndedSessions } from './schemas/sessions.js'

/** In the name of a user, slashes may stand unescaped. */
const pathForm = /^\/users\/(.+)\/sessions\/?$/i

/**
 * Answers `DELETE /users/{id}/sessions?domain=`, of administrators only, as `DELETE /sessions?user=`. A user whose own name ends in
 * `/sessions` is meant by `/users/sessions?domain=`, or with the slash escaped.
 */
export function userSessionsGate(tokens: Pick<Tokens, 'revokeUser'>): Gate {
  async function endAll({ name, query, auth, client }: Call): Promise<EndedSessions> {
    const user = ownSpelling(qualifiedName(name, query('domain')), [])
    const count = await tokens.revokeUser(user, { ...client, by: auth.subject, reason: 'sessions ended' })
    return { user, count, status: 'Ended' }
  }

  const gate = administratorsOnly(
    (path) => pathForm.test(path),
    (request, response) => {
      const refusal = mediaTypeRefusal(request)
      if (refusal !== undefined) return refusal
      const name = decode(pathForm.exec(request.path)?.[1] ?? '')
      return name === undefined ? ambiguousPath() : answerCall(endAll, name, request, response)
    },
  )
  // Other verbs are for a user of that name.
  return (request, response, trace) => (request.method === 'DELETE' ? gate(request, response, trace) : undefined)
}
