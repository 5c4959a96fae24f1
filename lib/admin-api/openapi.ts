/**
 * `/openapi.json`: the OpenAPI document of what the mount answers, for every caller that gets there.
 *
 * @module
 */

import { answerJson } from '../http/answer.js'
import { atPath, methodNotAllowed } from '../http/endpoint.js'
import type { Gate } from '../http/gate.js'
import type { DocumentedFront } from '../openapi/front.js'
import { readMount } from '../portals/navigation.js'

/** The document is made at the first request; what makes it is loaded no earlier. */
export function openApiGate(describe: () => DocumentedFront): Gate {
  const create = lazily(async () => {
    const { createDocument } = await import('../openapi/document.js')
    return createDocument(describe())
  })

  return atPath('/openapi.json', async (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed('GET, HEAD')
    const document = await create()
    // The mount may be reached by several paths, one after the other.
    if (!response.headersSent) answerJson(response, 200, { ...document, servers: [{ url: readMount(request) || '/' }] })
    return 'answered'
  })
}

/** What could not be made is tried again. */
function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}
