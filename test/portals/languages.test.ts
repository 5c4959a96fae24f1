import { describe, expect, it } from 'vitest'
import type { HttpErrorCode } from '../../lib/core/errors.js'
import type { Language } from '../../lib/core/languages.js'
import { builtInLoginPage } from '../../lib/portals/login-page.js'
import { builtInRefusalPage } from '../../lib/portals/refusal-page.js'
import { builtInSecondFactorPage } from '../../lib/portals/second-page.js'
import { german } from '../../lib/portals/texts/de.js'
import { english } from '../../lib/portals/texts/en.js'
import { type Texts, textsIn } from '../../lib/portals/texts/texts.js'
import { users } from '../helpers/front.js'
import { codeAt, startSecondFactors } from '../helpers/second-factor-front.js'
import { navigation, ownForm, startPortals } from './portal-front.js'

const inGerman = [...navigation, 'Accept-Language: de-CH, de;q=0.9, en;q=0.5']
const germanForm = [...ownForm, 'Accept-Language: de']

/** Every text of a language by its place. What a text is made for is `(x)` in it. */
function flatten(texts: object, path = ''): ReadonlyMap<string, string> {
  const entries = Object.entries(texts).flatMap(([name, value]: [string, unknown]): (readonly [string, string])[] => {
    const place = path === '' ? name : `${path}.${name}`
    if (typeof value === 'function') return [[place, (value as (argument: unknown) => string)('(x)')]]
    return typeof value === 'string' ? [[place, value]] : [...flatten(value as object, place)]
  })
  return new Map(entries)
}

const germanTexts = flatten(german)

/** The texts that a page shows, those in attributes for screen readers too. */
function shownTexts(html: string): readonly string[] {
  const labels = [...html.matchAll(/aria-label="([^"]*)"/g)].map(([, label]) => label!)
  const body = html.slice(html.indexOf('<body>')).replace(/<svg[\s>].*?<\/svg>/gs, '')
  return [...body.split(/<[^>]*>/), ...labels].map((text) => text.trim()).filter((text) => text !== '')
}

/** What of a page is neither German nor one of `others`. */
function notGerman(html: string, others: readonly (string | RegExp)[]): readonly string[] {
  const patterns = [...germanTexts.values()].map(
    (text) => new RegExp(`^${text.split('(x)').map(escapePattern).join('.+')}$`),
  )
  return shownTexts(html)
    .map((text) => text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))))
    .filter((text) => !patterns.some((pattern) => pattern.test(text)))
    .filter((text) => !others.some((other) => (typeof other === 'string' ? other === text : other.test(text))))
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

describe('the language of the built-in pages', () => {
  const cases: readonly (readonly [accepted: string | undefined, language: Language])[] = [
    ['de', 'de'],
    ['DE-ch', 'de'],
    ['fr, de;q=0.5', 'de'],
    ['en;q=0.2, de;q=0.3', 'de'],
    ['en, de', 'en'],
    ['de;q=0, *', 'en'],
    ['fr', 'en'],
    ['*', 'en'],
    [undefined, 'en'],
    [';;q=x,"', 'en'],
    [`${'a,'.repeat(5000)}de`, 'de'],
  ]

  it.each(cases.map(([accepted, language]) => [accepted?.slice(0, 30), language, accepted] as const))(
    'for Accept-Language %s is %s',
    async (_, language, accepted) => {
      const front = await startPortals()
      const headers = accepted === undefined ? [] : [`Accept-Language: ${accepted}`]
      const page = await front.call('GET', '/publisher/login', [...navigation, ...headers])
      expect(page.body).toContain(`<html lang="${language}">`)
      expect(page.body).toContain(textsIn(language).signIn.prompt)
      expect(page.header('vary')).toMatch(/\bAccept-Language\b/i)
    },
  )

  it('is one of [portal] languages, the first one for browsers that ask for none of them', async () => {
    const german = await startPortals({ root: { portal: { languages: ['de'] } } })
    const page = await german.call('GET', '/publisher/login', [...navigation, 'Accept-Language: en'])
    expect(page.body).toContain('<html lang="de">')
    const both = await startPortals({ root: { portal: { languages: ['de', 'en'] } } })
    const languageFor = async (accepted: string): Promise<string | undefined> => {
      const { body } = await both.call('GET', '/publisher/login', [...navigation, `Accept-Language: ${accepted}`])
      return /<html lang="(\w+)">/.exec(body)?.[1]
    }
    expect([await languageFor('fr'), await languageFor('en')]).toEqual(['de', 'en'])
  })

  it('is told to the pages of the app, with the message in it', async () => {
    const views: unknown[] = []
    const loginPage = (view: object): string => {
      views.push(view)
      return 'x'
    }
    const front = await startPortals({ portal: { loginPage } })
    const page = await front.signIn('/publisher', { password: 'wrong' }, germanForm)
    expect(views).toEqual([
      expect.objectContaining({ language: 'de', message: 'Der Benutzername oder das Passwort ist falsch.' }),
    ])
    expect(page.header('vary')).toMatch(/\bAccept-Language\b/i)
  })

  it('leaves the JSON of a refusal in English', async () => {
    const front = await startPortals()
    const refused = await front.call('GET', '/publisher/x', ['Accept-Language: de'])
    expect(refused.json()).toEqual({ Error: 'Sign in first.', code: 'ERR_AUTH_REQUIRED' })
  })
})

describe('the texts', () => {
  it('are all there in German, each in its own words', () => {
    const same = [...flatten(english)].filter(([place, text]) => germanTexts.get(place) === text)
    expect([...flatten(english).keys()].filter((place) => !germanTexts.has(place))).toEqual([])
    expect(same.map(([place]) => place)).toEqual(['secondFactor.code.label'])
  })

  it('say how long to wait', () => {
    const said = (texts: Texts) => [1, 30, 60, 61].map((seconds) => texts.tryAgainIn(seconds))
    expect(said(english)).toEqual([
      'Try again in 1 second.',
      'Try again in 30 seconds.',
      'Try again in 1 minute.',
      'Try again in 2 minutes.',
    ])
    expect(said(german)).toEqual([
      'Versuchen Sie es in 1 Sekunde noch einmal.',
      'Versuchen Sie es in 30 Sekunden noch einmal.',
      'Versuchen Sie es in 1 Minute noch einmal.',
      'Versuchen Sie es in 2 Minuten noch einmal.',
    ])
  })
})

const portal = { title: 'Titel', support: 'help@x.example', logo: undefined } as const
const others = [portal.title, portal.support]

describe('a German page has no English text', () => {
  it.each([true, false])('at the login, with a password: %s', (takesPassword) => {
    const signInAt = [true, false].map((isForAnotherAccount) => ({
      ...{ name: 'corp', title: 'Corp', href: '/login/corp' },
      isForAnotherAccount,
    }))
    const view = {
      ...portal,
      portal: 'p',
      language: 'de' as const,
      action: '/login',
      returnTo: undefined,
      userName: '',
    }
    const message = german.messages.noCookie
    const { html } = builtInLoginPage({ ...view, message, takesPassword, signInAt })
    expect(notGerman(html, others)).toEqual([])
    expect(html).toContain('<title>Nicht angemeldet - Anmelden - Titel</title>')
    expect(html).toContain('>Mit Corp unter einem anderen Konto anmelden</a>')
  })

  it.each(['code', 'invitation', 'setup'] as const)('at the second factor: %s', (step) => {
    const view = { ...portal, language: 'de' as const, action: '/login', returnTo: undefined, step }
    const { html } = builtInSecondFactorPage({
      ...view,
      message: german.messages.wrongCode,
      secret: 'ABCDEFGH',
      qrCode: '<svg></svg>',
    })
    expect(notGerman(html, [...others, 'ABCD EFGH'])).toEqual([])
    expect(html).toContain('<title>Nicht angemeldet - Zweiter Faktor - Titel</title>')
  })

  it.each(Object.keys(german.refusals) as HttpErrorCode[])('at a refusal with %s', (code) => {
    const refusal = { status: 403, code, language: 'de', message: german.refusals[code] } as const
    const details = { reference: 'abc', address: '192.0.2.1', signOutAction: '/p/logout' }
    const { html } = builtInRefusalPage({ ...refusal, ...details }, portal)
    expect(notGerman(html, [...others, `403 ${code}`])).toEqual([])
  })

  it('in a portal: after a wrong password, too many of them, without rights, at the logout, and for an address', async () => {
    const root = {
      management_api: { login_throttle: { max_failures: 1 } },
      portal: { shop: { allow: ['10.0.0.1'] } },
    }
    const portals = { management_console: '/console', shop: '/shop' }
    const front = await startPortals({ root, portals })
    const wrong = await front.signIn('/console', { password: 'wrong' }, germanForm)
    expect(wrong.body).toContain('Der Benutzername oder das Passwort ist falsch.')
    const { name, password } = users.reader
    const throttled = await front.signIn('/console', { password: 'wrong' }, germanForm)
    expect(throttled.body).toMatch(/Zu viele fehlgeschlagene Anmeldungen. Versuchen Sie es in 1 Minute noch einmal./)
    const refused = await front.signIn('/console', { username: name, password }, germanForm)
    expect(refused.body).toContain('Dieser Bereich ist Administratoren vorbehalten.')
    const pages = [
      wrong,
      throttled,
      refused,
      await front.call('GET', '/console/logout', inGerman),
      await front.call('PUT', '/console/login', germanForm),
      await front.call('POST', '/console/x', [...inGerman, 'Sec-Fetch-Site: cross-site']),
      await front.call('GET', '/shop/', inGerman),
      await front.call('GET', '/console/login?cookie=missing', inGerman),
    ]
    const waiting = /^Zu viele .* Versuchen Sie es in 1 Minute noch einmal\.$/
    const told = ['Management console', 'Shop', waiting, /^\d{3} ERR_\w+$/]
    for (const page of pages) expect(notGerman(page.body, told), page.body).toEqual([])
  })

  it('while a user sets up a second factor, and gets recovery codes', async () => {
    const front = await startSecondFactors({ portal: { languages: ['de'], second_factor: 'all' } })
    const browser = front.browser()
    const without = await browser.signIn('/publisher', 'alice')
    const invitation = await front.secondFactors.createEnrolmentCode('alice', 3_600_000)
    const setup = await browser.post('/publisher/login', { code: invitation })
    const secret = /<code>([A-Z2-7 ]+)<\/code>/.exec(setup.text)![1]!.replaceAll(' ', '')
    const wrong = await browser.post('/publisher/login', { code: '000000' })
    const codes = await browser.post('/publisher/login', { code: codeAt(front.now, secret) })
    expect(codes.text).toContain('Bewahren Sie Ihre Wiederherstellungscodes auf')
    const told = ['Publisher', /^(?:[A-Z2-7]{4} )+[A-Z2-7]{4}$/, /^[a-z0-9]+(?:-[a-z0-9]+)+$/i]
    for (const { text } of [without, setup, wrong, codes]) expect(notGerman(text, told), text).toEqual([])
  })
})
