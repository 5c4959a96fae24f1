/**
 * Pages of the authorization server besides the login page.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider'
import { createPage, escapeHtml, formPageHeaders, pageHeaders } from '../portals/page.js'

const logoutForm = 'op.logoutForm'

/** Sends that form at once, where the page that asked has shown who is signed in. */
const submitScript = 'document.querySelector("button[name=logout]").click()'

const submitHash = createHash('sha256').update(submitScript).digest('base64')

/** Answers a request that cannot go back to the client: an unknown client, a redirect URI that is not its own. */
export function renderErrorPage(ctx: KoaContextWithOIDC, out: ErrorOut): void {
  const { error, error_description: description = '' } = out
  const main = [
    '<h1>This did not work</h1>',
    `<p>${escapeHtml(description) || 'Go back to where you came from, and try again.'}</p>`,
    `<p class="code">${escapeHtml(error)}</p>`,
  ]
  renderPage(ctx, createPage({ title: 'This did not work', main: main.join('\n') }))
}

function renderPage(ctx: KoaContextWithOIDC, html: string): void {
  ctx.set(pageHeaders)
  ctx.type = 'html'
  ctx.body = html
}

/** Answers after a sign-out that leads nowhere else. */
export function renderSignedOutPage(ctx: KoaContextWithOIDC): void {
  const main = ['<h1>Signed out</h1>', '<p>You are signed out of all portals.</p>']
  renderPage(ctx, createPage({ title: 'Signed out', main: main.join('\n') }))
}

/** Asks whether to sign out. `form` is the provider's, without buttons. */
export function signOutPage(form: string, isAsked: boolean): string {
  const main = [
    '<h1>Sign out?</h1>',
    '<p>This signs you out of all portals.</p>',
    form,
    `<button type="submit" form="${logoutForm}" name="logout" value="yes">Sign out</button>`,
    `<button type="submit" form="${logoutForm}">Stay signed in</button>`,
    isAsked ? '' : `<script>${submitScript}</script>`,
  ]
  return createPage({ title: 'Sign out', main: main.filter((line) => line !== '').join('\n') })
}

/**
 * Sets the headers of a page with a form, before it is made; what it returns takes them off an answer that is no page, which then
 * has those of the app. `report-sample` allows no script: the provider puts the hash of its own beside it, for the form that
 * signs out a user in whose browser another one has signed in.
 */
export function setPageHeaders(ctx: KoaContextWithOIDC): () => void {
  const before = Object.keys(formPageHeaders).map((name) => [name, ctx.response.get(name)] as const)
  ctx.set(formPageHeaders)
  const policy = ctx.response.get('Content-Security-Policy')
  ctx.set('Content-Security-Policy', `${policy}; script-src 'report-sample' 'sha256-${submitHash}'`)

  return function keepHeadersOfPages() {
    if (ctx.response.is('html') && !ctx.response.get('Location')) return
    for (const [name, value] of before) {
      if (value) ctx.set(name, value)
      else ctx.remove(name)
    }
  }
}
