/**
 * Reads a document of an issuer: bounded in time and size, from where the configuration says and nowhere else.
 *
 * @module
 */

import { untilAborted } from '../../async/deadline.js'
import { loopbackHosts } from '../../core/safe-url.js'

const maxBytes = 1024 * 1024

/**
 * Asserts that a URL is `https:`, or `http:` to a loopback host unless `allowPlain` is false. Whether it is `http:`.
 *
 * @throws TypeError that has no part of the URL.
 */
export function assertIssuerUrl(text: string, allowPlain = true): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isPlain = url?.protocol === 'http:' && allowPlain && loopbackHosts.includes(url.hostname)
  if (url === undefined || !(isPlain || url.protocol === 'https:') || url.username !== '' || url.password !== '') {
    throw new TypeError('a URL of the issuer must be https:, without user and password')
  }
  return isPlain
}

/** How a document is read. */
export interface FetchJsonOptions {
  /** Ends the wait, whatever the server does. */
  readonly signal: AbortSignal
  /** @defaultValue the global one */
  readonly fetch?: typeof fetch | undefined
}

/** Reads a JSON object. Redirects are not followed. Rejects with why it failed. */
export async function fetchJson(url: string, options: FetchJsonOptions): Promise<Readonly<Record<string, unknown>>> {
  const { signal, fetch = globalThis.fetch } = options
  const request = fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } })
  const response = await untilAborted(request, signal)
  if (response.status !== 200) throw new Error(`answered ${response.status}`)
  const value: unknown = JSON.parse(await untilAborted(readText(response), signal))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('no JSON object')
  return value as Record<string, unknown>
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    length += chunk.length
    if (length > maxBytes) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
