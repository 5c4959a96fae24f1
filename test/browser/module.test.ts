import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { browserFolder, builtBrowserModule } from '../helpers/browser-module.js'
import { packagesReachedFrom } from '../helpers/static-imports.js'

/** What a page has to load, compressed. */
const largestBytes = 7 * 1024

interface BrowserModule {
  readonly watchSession: (options: unknown) => unknown
}

/** Not by a name in the text: the types of a page are not to be seen by the rest of the project. */
const load = (): Promise<BrowserModule> => import(/* @vite-ignore */ `${browserFolder}watch-session.ts`)

describe('sallyport/browser', () => {
  it('exports exactly this', async () => {
    expect(Object.keys(await load())).toEqual(['watchSession'])
  })

  it('imports no package and no module of Node', () => {
    expect(packagesReachedFrom(`${browserFolder}watch-session.ts`)).toEqual([])
  })

  it(`is at most ${largestBytes} bytes, compressed`, () => {
    const sizes = [...builtBrowserModule().values()].map((text) => gzipSync(text).length)
    expect(sizes.length).toBeGreaterThan(1)
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(largestBytes)
  })

  it.each([
    ['no portal', {}],
    ['a portal without a slash', { portal: 'carbon' }],
    ['another host', { portal: '//example.com' }],
    ['a URL', { portal: 'https://example.com/carbon' }],
    ['a portal that is no text', { portal: 7 }],
    ['no time for the warning', { portal: '/carbon', warnBeforeMs: 0 }],
    ['a time that is no number', { portal: '/carbon', warnBeforeMs: '60s' }],
    ['a time without an end', { portal: '/carbon', warnBeforeMs: Number.POSITIVE_INFINITY }],
  ])('refuses %s', async (_what, options) => {
    const { watchSession } = await load()
    expect(() => watchSession(options)).toThrow(TypeError)
    expect(() => watchSession(options)).toThrow(/^the option "(portal|warnBeforeMs)" must be /)
  })
})

it.each([
  ['de', 'de'],
  ['de-CH', 'de'],
  ['DE', 'de'],
  ['den', 'en'],
  ['en-GB', 'en'],
  ['fr', 'en'],
  ['', 'en'],
])('the warning of a page in %j is in %j', async (pageLanguage, language) => {
  const module: { sessionTextsFor(language: string): { readonly language: string } } = await import(
    /* @vite-ignore */ `${browserFolder}session-texts.ts`
  )
  expect(module.sessionTextsFor(pageLanguage).language).toBe(language)
})
