/**
 * The metadata at the root of the host: of the resources that access tokens are for (RFC 9728), and of the authorization server
 * (RFC 8414), for clients that look nowhere else.
 *
 * @module
 */

import type { Request, Response } from 'express'
import type { OauthConfig } from '../config/config.js'
import { answerJson } from '../http/answer.js'
import { methodNotAllowed } from '../http/endpoint.js'
import type { Gate, Verdict } from '../http/gate.js'
import { resourceMetadataUrl } from '../http/resource-metadata.js'
import type { ServiceProviders } from './service-providers.js'

/** Answers with the metadata of the authorization server. */
export type AnswerServerMetadata = (request: Request, response: Response) => Promise<unknown>

interface Resource {
  readonly url: URL
  readonly metadata: object
}

/** Answers its own paths, wherever it is mounted, and lets every other request through. It is open to everybody, and to every origin. */
export function wellKnownGate(
  oauth: OauthConfig,
  providers: ServiceProviders,
  answerServerMetadata: AnswerServerMetadata,
): Gate {
  const { pathname } = new URL(oauth.issuer)
  // The second for clients that put the path of an issuer behind, as RFC 8414 section 5 has it.
  const ofServer = ['oauth-authorization-server', 'openid-configuration'].map(
    (name) => `/.well-known/${name}${pathname}`,
  )
  const resources = listResources(oauth, providers)

  /** Two hosts may have the same path. The name that the client uses chooses among what is configured, and nothing else. */
  function findResource(request: Request, path: string): Resource | undefined {
    const found = resources.filter(({ url }) => url.pathname === path)
    return found.length > 1 ? found.find(({ url }) => url.host === request.headers.host) : found[0]
  }

  return function wellKnownGate(request, response): Verdict | Promise<Verdict> {
    const path = request.baseUrl + request.path
    const resource = findResource(request, path)
    if (resource === undefined && !ofServer.includes(path)) return undefined
    const { method } = request
    response.setHeader('Access-Control-Allow-Origin', '*')
    if (method === 'OPTIONS') return answerPreflight(response)
    if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed('GET, HEAD, OPTIONS')
    if (resource === undefined) return answerServerMetadata(request, response).then(() => 'answered')
    answerJson(response, 200, resource.metadata, 'application/json', 'public, max-age=300')
    return 'answered'
  }
}

function listResources({ issuer, serviceProviders }: OauthConfig, providers: ServiceProviders): readonly Resource[] {
  const scopesFor = new Map<string, string[]>()
  for (const { clientId, scopes } of serviceProviders) {
    const resource = providers.audience(clientId)
    scopesFor.set(resource, [...(scopesFor.get(resource) ?? []), ...scopes])
  }
  return [...scopesFor].flatMap(([resource, scopes]) => {
    const url = resourceMetadataUrl(resource)
    const metadata = {
      resource,
      authorization_servers: [issuer],
      // Who asks for a sign-in has to ask for something.
      scopes_supported: scopes.length > 0 ? [...new Set(scopes)] : ['openid'],
      bearer_methods_supported: ['header'],
    }
    return url === undefined ? [] : [{ url, metadata }]
  })
}

/** Clients in browsers send headers of their own, such as `MCP-Protocol-Version`. */
function answerPreflight(response: Response): Verdict {
  response.writeHead(204, { 'Access-Control-Allow-Methods': 'GET, HEAD', 'Access-Control-Allow-Headers': '*' }).end()
  return 'answered'
}
