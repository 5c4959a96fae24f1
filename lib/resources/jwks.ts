/**
 * The public keys that tokens can be verified with, as a JWK Set (RFC 7517 section 5).
 *
 * @module
 */

import { answerJson } from '../internal/answer.js'
import { methodNotAllowed } from '../internal/endpoint.js'
import type { Gate } from '../internal/gate.js'
import type { KeyRing } from '../tokens/key-ring.js'

/** Answers GET and HEAD with the public parts of the keys. */
export function jwksGate(keys: KeyRing): Gate {
  return function jwksGate(request, response) {
    if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed('GET, HEAD')
    answerJson(response, 200, keys.jwks(), 'application/jwk-set+json')
    return 'answered'
  }
}
