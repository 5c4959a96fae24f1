import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { isBlindCrossSite, isCrossSite } from '../../lib/internal/cross-site.js'

const request = (headers: Record<string, string | undefined>): IncomingMessage =>
  ({ headers: { host: 'api.example:9164', ...headers } }) as unknown as IncomingMessage

describe('a request', () => {
  it.each([
    ['of a program', {}, false],
    ['of the own site', { 'sec-fetch-site': 'same-origin' }, false],
    ['that the user typed', { 'sec-fetch-site': 'none' }, false],
    ['of another site', { 'sec-fetch-site': 'cross-site' }, true],
    ['of a sister site', { 'sec-fetch-site': 'same-site' }, true],
    ['of what nobody knows yet', { 'sec-fetch-site': 'other' }, true],
    ['of the own origin', { origin: 'https://api.example:9164' }, false],
    ['of the own origin, with another case', { origin: 'https://API.example:9164' }, false],
    ['of another port', { origin: 'https://api.example' }, true],
    ['of another host', { origin: 'https://evil.example:9164' }, true],
    ['of a page without an origin', { origin: 'null' }, true],
    ['of what is no origin', { origin: 'api.example:9164' }, true],
    ['of an origin, without a host', { origin: 'https://api.example', host: undefined }, true],
    ['of an origin, with a broken host', { origin: 'https://api.example', host: 'a b' }, true],
    ['of the default port, written or not', { origin: 'https://api.example', host: 'api.example:443' }, false],
    ['that says more by Fetch Metadata', { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' }, false],
  ])('%s comes from another site: %o %s', (_what, headers, expected) => {
    expect(isCrossSite(request(headers))).toBe(expected)
  })

  it.each([
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, true],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, true],
    [{ 'sec-fetch-site': 'cross-site' }, true],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }, false],
    [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', origin: 'https://evil.example' }, false],
    [{ 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'no-cors' }, false],
    [{ origin: 'https://evil.example' }, false],
    [{}, false],
  ])('with %o was made without the CORS policy: %s', (headers, expected) => {
    expect(isBlindCrossSite(request(headers))).toBe(expected)
  })
})
