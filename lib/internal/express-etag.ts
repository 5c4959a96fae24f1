/**
 * Makes the ETags of an Express app in one call of the hash, where Express makes a hash object for each answer.
 *
 * @module
 */

import { hash } from 'node:crypto'
import type { Express } from 'express'

/** How Express makes an ETag: the second argument is that of `Buffer.from`. */
type MakeEtag = (body: string | Buffer, encoding?: BufferEncoding) => string

const weakEtag: MakeEtag = (body, encoding) => `W/${strongEtag(body, encoding)}`

/** Express' tag: the length in bytes, in hexadecimal digits, and the first 27 characters of the SHA-1 in base64. */
const strongEtag: MakeEtag = (body, encoding) => {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body, encoding)
  return `"${bytes.length.toString(16)}-${hash('sha1', bytes, 'base64').slice(0, 27)}"`
}

/** By value of Express' setting `etag`. */
const quickEtags = new Map<unknown, MakeEtag>([
  [true, weakEtag],
  ['weak', weakEtag],
  ['strong', strongEtag],
])

/** Puts a function of ours, with the same results, in place of Express' own. One that the app has set is left alone. */
export function useQuickEtags({ settings }: Pick<Express, 'settings'>): void {
  const quick = quickEtags.get(settings['etag'])
  try {
    if (quick !== undefined && isExpressFunction(settings['etag fn'], quick)) settings['etag fn'] = quick
  } catch {
    // An OpenSSL without SHA-1, or settings that are frozen: what is there stays.
  }
}

/** Text whose length in bytes is not that in characters. */
const sample = '\u00e9tag'

function isExpressFunction(present: unknown, quick: MakeEtag): boolean {
  return isOfExpress(present) && present(sample, 'utf8') === quick(sample, 'utf8')
}

function isOfExpress(present: unknown): present is MakeEtag {
  return typeof present === 'function' && present.name === 'generateETag'
}

/** Whether weak ETags are made as Express makes them: by its own function, or by the quick one in its place. */
export function isMadeByExpress(makeEtag: unknown): boolean {
  return makeEtag === weakEtag || isOfExpress(makeEtag)
}
