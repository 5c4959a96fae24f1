/**
 * Requests to identity providers: to https or this machine only, without redirects, within a time and a size.
 *
 * @module
 */

import { untilAborted } from '../async/deadline.js'
import { assertIssuerUrl } from '../tokens/trusted-issuers/fetch-json.js'
import { ProviderError } from './provider-error.js'

/** `fetch`, as far as openid-client uses it. */
export type ProviderFetch = (url: string, init?: RequestInit) => Promise<Response>

/** For headers and body together. A sign-in takes up to three requests, and somebody waits for it. */
const defaultTimeoutMs = 5000

/** Metadata, key sets and tokens have some kilobytes. */
const maxBytes = 512 * 1024

/** Makes the `fetch` for one provider. It rejects with {@link ProviderError} (`unavailable`). */
export function createProviderFetch(
  request: typeof fetch = fetch,
  timeoutMs: number = defaultTimeoutMs,
): ProviderFetch {
  return async function providerFetch(url, init = {}) {
    assertSafe(url)
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(init.signal ? [init.signal] : [])])
    try {
      const response = await request(url, { ...init, redirect: 'manual', signal })
      const body = await untilAborted(readAll(response), signal)
      const { status, statusText, headers } = response
      if (status >= 500) throw unavailable(`${new URL(url).origin} answered ${status}`)
      return new Response(body.length === 0 ? null : body, { status, statusText, headers })
    } catch (cause) {
      if (cause instanceof ProviderError) throw cause
      throw unavailable(`${new URL(url).origin} cannot be reached`, cause)
    }
  }
}

function assertSafe(url: string): void {
  try {
    assertIssuerUrl(url)
  } catch (cause) {
    throw new ProviderError('untrusted', 'the provider names an address that is not https', { cause })
  }
}

async function readAll({ body }: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > maxBytes) throw unavailable(`an answer has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

function unavailable(message: string, cause?: unknown): ProviderError {
  return new ProviderError('unavailable', message, { cause })
}
