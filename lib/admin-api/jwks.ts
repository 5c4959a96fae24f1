/**
 * The public keys that tokens can be verified with, as a JWK Set (RFC 7517 section 5).
 *
 * @module
 */

import { answerJson } from '../http/answer.js'
import { methodNotAllowed } from '../http/endpoint.js'
import type { Gate } from '../http/gate.js'
import type { KeyRing } from '../tokens/keys/key-ring.js'

/** A verifier asks again for a key that it does not know; for one that was taken out of use early it asks after this time. */
const longestAgeSeconds = 300

/** Answers GET and HEAD with the public parts of the keys. No cache keeps them past the moment at which one of them retires. */
export function jwksGate(keys: KeyRing, clock: () => number): Gate {
  return function jwksGate(request, response) {
    if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed('GET, HEAD')
    const jwks = keys.jwks()
    const age = Math.max(0, Math.min(longestAgeSeconds, Math.floor((keys.jwksValidUntil - clock()) / 1000)))
    answerJson(response, 200, jwks, 'application/jwk-set+json', `public, max-age=${age}`)
    return 'answered'
  }
}
