import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { authorizeUrl, newTokens, oauthFront, pkce } from './front.js'

const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>'
const german = { headers: { 'accept-language': 'de' } }

describe('the pages of the authorization server', () => {
  it('are in the language of the browser', async () => {
    const front = await oauthFront()
    const browser = front.browser()
    const wrong = await browser.go(authorizeUrl(pkce().challenge, { client_id: 'unknown' }), german)
    expect(wrong.text).toContain('<html lang="de">')
    expect(wrong.text).toContain('<h1>Das hat nicht funktioniert</h1>')
    expect(wrong.text).toContain('<p class="code" lang="en">client is invalid</p>')
    expect(wrong.headers['vary']).toMatch(/Accept-Language/)
    const ended = await browser.go('/oauth2/login/no-such-sign-in', german)
    expect(ended.text).toContain('Diese Anmeldung ist abgelaufen')
    await newTokens(front, browser)
    const asked = await browser.go('/oauth2/logout', german)
    expect(asked.text).toContain('<h1>Abmelden?</h1>')
    expect(asked.text).toContain('>Angemeldet bleiben</button>')
    const out = await browser.go('/oauth2/logout/success', german)
    expect(out.text).toContain('<p>Sie sind von allen Portalen abgemeldet.</p>')
  })

  it('show the logo, the title and the help of the portal that a client is for, as a reload has them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-logo-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const logo = join(folder, 'logo.svg')
    writeFileSync(logo, svg)
    const callback = 'https://localhost:9443/publisher/callback'
    const tables = (publisher: object) => ({ portal: { publisher: { callback, ...publisher } } })
    const front = await oauthFront({ tables: tables({ title: 'The <Shop>' }) })
    const loginPage = async () => {
      const changes = { client_id: 'apim_publisher', redirect_uri: callback, scope: 'openid' }
      const browser = front.browser()
      const { headers } = await browser.go(authorizeUrl(pkce().challenge, changes))
      return browser.go(headers.location!)
    }
    const before = await loginPage()
    expect(before.text).toContain('<h1>The &#60;Shop&#62;</h1>')
    expect(before.headers['content-security-policy']).not.toContain('img-src')
    await front.security.reload({ ...front.source, ...tables({ title: 'Other', support: 'help@shop.example', logo }) })
    const { text, headers } = await loginPage()
    expect(text).toContain(`<img src="data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}" alt="Other">`)
    expect(text).toContain('Help: <a href="mailto:help@shop.example">')
    expect(headers['content-security-policy']).toContain('img-src data:')
  })
})
