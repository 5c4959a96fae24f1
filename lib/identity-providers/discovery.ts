/**
 * What a provider says of itself (OpenID Connect Discovery 1.0), read when it is needed and kept for a while.
 *
 * @module
 */

import type { CustomFetch, ServerMetadata } from 'openid-client'
import { assertIssuerUrl } from '../tokens/trusted-issuers/fetch-json.js'
import type { OpenidClient } from './load-openid-client.js'
import { ProviderError } from './provider-error.js'
import type { ProviderFetch } from './provider-fetch.js'

/** What {@link createDiscovery} works with. */
export interface DiscoveryParts {
  readonly library: OpenidClient
  readonly issuer: string
  readonly fetch: ProviderFetch
  readonly clock: () => number
}

/** A changed address is known after so long. */
const maxAgeMs = 5 * 60_000

/** A provider that has failed is left alone for so long: nobody waits for it once more. */
const retryMs = 2000

const timeoutSeconds = 5

/** Returns a function that answers with the metadata. One request at a time; it rejects with {@link ProviderError}. */
export function createDiscovery({ library, issuer, fetch, clock }: DiscoveryParts): () => Promise<ServerMetadata> {
  let known: { readonly metadata: ServerMetadata; readonly at: number } | undefined
  let failure: { readonly error: unknown; readonly at: number } | undefined
  let pending: Promise<ServerMetadata> | undefined

  async function read(): Promise<ServerMetadata> {
    try {
      const configuration = await library.discovery(new URL(issuer), 'none', undefined, library.None(), {
        timeout: timeoutSeconds,
        [library.customFetch]: fetch as CustomFetch,
        ...(issuer.startsWith('http:') && { execute: [library.allowInsecureRequests] }),
      })
      const metadata = configuration.serverMetadata()
      if (metadata.issuer !== issuer) {
        throw new ProviderError('untrusted', `the provider calls itself ${metadata.issuer}: write that as issuer`)
      }
      for (const page of [metadata.authorization_endpoint, metadata.end_session_endpoint]) assertPage(page)
      known = { metadata, at: clock() }
      return metadata
    } catch (error) {
      failure = { error, at: clock() }
      throw error
    } finally {
      pending = undefined
    }
  }

  return async function findMetadata() {
    const now = clock()
    if (known !== undefined && isRecent(known.at, now, maxAgeMs)) return known.metadata
    if (failure !== undefined && isRecent(failure.at, now, retryMs)) throw failure.error
    pending ??= read()
    return pending
  }
}

/** Where browsers are sent to. The end points that are called are checked at each call. */
function assertPage(url: string | undefined): void {
  if (url === undefined) return
  try {
    assertIssuerUrl(url)
  } catch (cause) {
    throw new ProviderError('untrusted', 'the provider names a page that is not https', { cause })
  }
}

function isRecent(at: number, now: number, forMs: number): boolean {
  return at <= now && now - at < forMs
}
