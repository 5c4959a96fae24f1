/**
 * Reads the `Authorization` header: exactly one line, Basic (RFC 7617) or Bearer (RFC 6750 section 2.1).
 *
 * @module
 */

import type { IncomingMessage } from 'node:http'
import { hasControlCharacter } from '../core/names.js'

export interface BasicCredentials {
  readonly name: string
  readonly password: string
}

const fieldName = 'authorization'

const maxHeaderLength = 8192

/** Whether there is more than one `Authorization` line. Node keeps the first: front and app could each believe another one. */
export function hasSeveralAuthorizations({ rawHeaders }: IncomingMessage): boolean {
  let candidates = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.length === fieldName.length) candidates++
  }
  // Nearly always there is one, and its spelling makes no difference.
  return candidates > 1 && countFrom(fieldName, rawHeaders) > 1
}

function countFrom(name: string, rawHeaders: readonly string[]): number {
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length
}

/** `undefined` for another scheme, which is case-insensitive, or none. */
export function parseBearer(header: string | undefined): string | undefined {
  if (header === undefined || header.length > maxHeaderLength || !hasScheme(header, 'bearer ')) return undefined
  let start = 7
  while (header.charCodeAt(start) === 0x20) start++
  return start < header.length ? header.slice(start) : undefined
}

const basicSyntax = /^basic +([A-Za-z0-9+/]+={0,2})$/i

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Split at the first colon. `undefined` when it is no canonical base64 of well-formed UTF-8 without control characters. */
export function parseBasic(header: string | undefined): BasicCredentials | undefined {
  if (header === undefined || header.length > maxHeaderLength) return undefined
  const encoded = basicSyntax.exec(header)?.[1]
  if (encoded === undefined) return undefined
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded) return undefined
  const text = decodeUtf8(bytes)
  if (text === undefined || hasControlCharacter(text)) return undefined
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) }
}

function hasScheme(header: string, scheme: string): boolean {
  return header.slice(0, scheme.length).toLowerCase() === scheme
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
