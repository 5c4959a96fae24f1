import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { isBlindCrossSite, isCrossSite } from '../../lib/http/cross-site.js'

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

  const evil = 'https://evil.example'
  const crossSite = { origin: evil, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }

  it.each([
    ['a script', crossSite, '*', false],
    ['a script of a listed origin', crossSite, evil, false],
    [
      'a script of a sister site',
      { ...crossSite, 'sec-fetch-site': 'same-site', 'sec-fetch-dest': 'empty' },
      '*',
      false,
    ],
    ['a script, without a policy', crossSite, undefined, true],
    ['a script of an origin that is not listed', crossSite, 'https://dashboard.example', true],
    ['a script that sends what the browser remembers', { ...crossSite, 'sec-fetch-storage-access': 'none' }, '*', true],
    ['an image that does', { ...crossSite, 'sec-fetch-dest': 'image' }, '*', true],
    ['an image', { ...crossSite, origin: undefined, 'sec-fetch-mode': 'no-cors' }, '*', true],
    ['a fetch that asks nobody, or a beacon', { ...crossSite, 'sec-fetch-mode': 'no-cors' }, '*', true],
    ['a form', { ...crossSite, 'sec-fetch-mode': 'navigate' }, '*', true],
    ['a form of a listed origin', { ...crossSite, 'sec-fetch-mode': 'navigate' }, evil, true],
    ['a form in a sandbox', { ...crossSite, origin: 'null', 'sec-fetch-mode': 'navigate' }, '*', true],
    ['a WebSocket', { ...crossSite, 'sec-fetch-mode': 'websocket' }, '*', true],
    ['an old browser', { origin: evil }, '*', true],
    ['an old browser, from a listed origin', { origin: evil }, evil, false],
    ['an old browser, from a page without an origin', { origin: 'null' }, '*', true],
    ['what does not say how it asks', { 'sec-fetch-site': 'cross-site' }, undefined, true],
    ['the own site', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'no-cors' }, undefined, false],
    ['a program', {}, undefined, false],
    ["Node's fetch", { 'sec-fetch-mode': 'cors' }, undefined, false],
  ])(
    'of %s with %o, the policy allowing %s, may carry remembered credentials: %s',
    (_what, headers, allowed, expected) => {
      const response = { getHeader: () => allowed } as unknown as ServerResponse
      expect(isBlindCrossSite(request(headers), response)).toBe(expected)
    },
  )
})
