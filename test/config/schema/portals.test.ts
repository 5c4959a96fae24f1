import { describe, expect, it } from 'vitest'
import type { PortalConfig } from '../../../lib/config/config.js'
import { parseConfig } from '../../../lib/config/parse.js'
import { problemsOf } from '../problems-of.js'

const portalOf = (document: object, name: string): PortalConfig | undefined =>
  parseConfig(document, { env: {} }).portals.find((portal) => portal.name === name)

const warningsOf = (document: object): string[] =>
  parseConfig(document, { env: {} }).warnings.map(({ key, rule }) => `${key}: ${rule}`)

describe('[portal.<name>]', () => {
  it('has the portals of the products without a table, and a portal for each further table', () => {
    const { portals, portalDefaults } = parseConfig({ portal: { shop: {}, publisher: {} } }, { env: {} })
    expect(portals.map(({ name }) => name)).toEqual(['management_console', 'publisher', 'devportal', 'admin', 'shop'])
    expect(portalDefaults).toEqual({
      origins: [],
      allowInsecureHttp: false,
      cookiePrefix: 'sallyport',
      languages: ['en', 'de'],
      maxSessions: 10_000,
    })
    expect(Object.isFrozen(portals[0])).toBe(true)
  })

  it('takes every key', () => {
    const shop = {
      session_timeout: '90s',
      absolute_timeout: '8h',
      roles: ['buyer'],
      callback: 'https://shop.example.com/callback?x=1',
      title: 'The shop',
      support: 'help@shop.example',
      second_factor: 'administrators',
      allow: ['10.0.0.0/8', '192\\.168\\.1\\.\\d+'],
    }
    expect(portalOf({ portal: { shop } }, 'shop')).toEqual({
      name: 'shop',
      sessionTimeoutMs: 90_000,
      absoluteTimeoutMs: 28_800_000,
      roles: ['buyer'],
      callback: shop.callback,
      title: 'The shop',
      support: 'help@shop.example',
      secondFactor: 'administrators',
      allow: shop.allow,
      signIn: ['local'],
      origin: { key: 'portal.shop' },
    })
  })

  it.each<[name: string, document: object, idleMs: number]>([
    ['management_console', {}, 900_000],
    ['publisher', {}, 1_800_000],
    ['publisher', { tomcat: { global: { session_timeout: '1.5h' } } }, 5_400_000],
    ['management_console', { tomcat: { global: { session_timeout: '1.5h' } } }, 900_000],
    ['management_console', { tomcat: { management_console: { session_timeout: 45 } } }, 2_700_000],
    ['management_console', { tomcat: { management_console: { session_timeout: '45' } } }, 2_700_000],
    ['management_console', { tomcat: { management_console: { session_timeout: '30s' } } }, 30_000],
    ['publisher', { tomcat: { global: { session_timeout: '100.5s' } } }, 100_500],
    ['publisher', { tomcat: { global: { session_timeout: '1001ms' } } }, 1001],
    ['publisher', { portal: { publisher: { session_timeout: '1 d' } } }, 86_400_000],
    [
      'publisher',
      { portal: { publisher: { session_timeout: '5m' } }, tomcat: { global: { session_timeout: '1h' } } },
      300_000,
    ],
  ])('of %s with %j may be idle for %i ms', (name, document, idleMs) => {
    expect(portalOf(document, name)?.sessionTimeoutMs).toBe(idleMs)
  })

  it.each<[document: object, absoluteMs: number]>([
    [{}, 43_200_000],
    [{ portal: { absolute_timeout: '1h' } }, 3_600_000],
    [{ portal: { absolute_timeout: '1h', publisher: { absolute_timeout: '2h' } } }, 7_200_000],
    [{ tomcat: { global: { session_timeout: '24h' } } }, 86_400_000],
  ])('with %j ends after %i ms in any case', (document, absoluteMs) => {
    expect(portalOf(document, 'publisher')?.absoluteTimeoutMs).toBe(absoluteMs)
  })

  it('lets only administrators into the management console, and everybody into others', () => {
    expect(portalOf({}, 'management_console')?.roles).toEqual([])
    expect(portalOf({}, 'publisher')?.roles).toBeUndefined()
    expect(portalOf({ portal: { management_console: { roles: ['ops'] } } }, 'management_console')?.roles).toEqual([
      'ops',
    ])
  })

  it.each(['0', '0s', '-5m', '5', '5 minutes', 'P30m', '30M', '', true])('refuses the duration %j', (value) => {
    for (const key of ['session_timeout', 'absolute_timeout']) {
      expect(problemsOf({ portal: { shop: { [key]: value } } })).toEqual({
        [`portal.shop.${key}`]: expect.stringContaining('must be a duration'),
      })
    }
  })

  it.each([0, '0m', '-5m', '30 min', '1h30m'])('refuses the duration %j of Tomcat', (value) => {
    expect(Object.keys(problemsOf({ tomcat: { global: { session_timeout: value } } }))).toEqual([
      'tomcat.global.session_timeout',
    ])
  })

  it.each([
    [{ shop: { callback: 'callback' } }, 'portal.shop.callback'],
    [{ shop: { callback: 'https://a.example/#x' } }, 'portal.shop.callback'],
    [{ shop: { callback: 'https://user:pw@a.example/' } }, 'portal.shop.callback'],
    [{ shop: { callback: 'javascript:alert(1)' } }, 'portal.shop.callback'],
    [{ shop: { roles: 'admin' } }, 'portal.shop.roles'],
    [{ shop: { allow: ['10.0.0.0/33'] } }, 'portal.shop.allow[0]'],
    [{ shop: { rols: [] } }, 'portal.shop.rols'],
    [{ 'a shop': {} }, "portal.'a shop'"],
    [{ sso: {} }, 'portal.sso'],
    [{ origins: ['*'] }, 'portal.origins[0]'],
    [{ origins: ['null'] }, 'portal.origins[0]'],
    [{ origins: ['https://a.example/'] }, 'portal.origins[0]'],
    [{ origins: ['https://user@a.example'] }, 'portal.origins[0]'],
    [{ origins: ['a.example'] }, 'portal.origins[0]'],
    [{ languages: [] }, 'portal.languages'],
    [{ languages: ['en', 'fr'] }, 'portal.languages[1]'],
    [{ languages: ['de', 'de'] }, 'portal.languages'],
    [{ languages: 'de' }, 'portal.languages'],
    [{ max_sessions: 0 }, 'portal.max_sessions'],
    [{ cookie_prefix: 'a=b' }, 'portal.cookie_prefix'],
    [{ cookie_prefix: '__Host-x' }, 'portal.cookie_prefix'],
    [{ shop: { title: ' ' } }, 'portal.shop.title'],
    [{ shop: { support: 'two\nlines' } }, 'portal.shop.support'],
    [{ allow_insecure_http: 'yes' }, 'portal.allow_insecure_http'],
    [{ alow_insecure_http: true }, 'portal.alow_insecure_http'],
  ])('refuses %j', (portal, key) => {
    expect(Object.keys(problemsOf({ portal }))).toEqual([key])
  })

  it('takes quoted values and spells origins as browsers do', () => {
    const portal = { allow_insecure_http: 'true', max_sessions: '5', origins: ['HTTPS://Portal.Example.com:443'] }
    expect(parseConfig({ portal }, { env: {} }).portalDefaults).toEqual({
      allowInsecureHttp: true,
      cookiePrefix: 'sallyport',
      languages: ['en', 'de'],
      maxSessions: 5,
      origins: ['https://portal.example.com'],
    })
  })

  it.each([
    [{ portal: { allow_insecure_http: true } }, /^portal\.allow_insecure_http: lets passwords/],
    [{ portal: { publishr: {} } }, /^portal\.publishr: is a portal of its own, and says nothing of publisher/],
    [
      { portal: { shop: { session_timeout: '2h', absolute_timeout: '1h' } } },
      /^portal\.shop\.absolute_timeout: is shorter than session_timeout/,
    ],
  ])('warns of %j', (document, warning) => {
    expect(warningsOf(document)).toEqual([expect.stringMatching(warning)])
  })

  it('warns of nothing else', () => {
    expect(warningsOf({ portal: { shop: {}, absolute_timeout: '10m' } })).toEqual([])
  })
})
