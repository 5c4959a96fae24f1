/**
 * Pages of the authorization server besides the login page.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider'
import type { LanguageOf } from '../core/languages.js'
import { createPage, escapeHtml, joinLines, pageHeaders } from '../portals/page.js'
import { textsIn } from '../portals/texts/texts.js'

const formHeaders = pageHeaders({ hasForm: true })

const logoutForm = 'op.logoutForm'

/** Sends that form at once, where the page that asked has shown who is signed in. */
const submitScript = 'document.querySelector("button[name=logout]").click()'

const submitHash = createHash('sha256').update(submitScript).digest('base64')

/** The pages, in the language of their reader. */
export interface OauthPages {
  /** Answers a request that cannot go back to the client: an unknown client, a redirect URI that is not its own. */
  renderError(ctx: KoaContextWithOIDC, out: ErrorOut): void
  /** Answers after a sign-out that leads nowhere else. */
  renderSignedOut(ctx: KoaContextWithOIDC): void
  /** Asks whether to sign out. `form` is the provider's, without buttons. */
  renderSignOut(ctx: KoaContextWithOIDC, form: string, isAsked: boolean): void
}

export function createOauthPages(languageOf: LanguageOf): OauthPages {
  function render(ctx: KoaContextWithOIDC, title: string, lines: readonly string[]): void {
    const { html, headers } = createPage({ title, main: joinLines(lines), language: languageOf(ctx) })
    ctx.set(headers)
    ctx.vary('Accept-Language')
    ctx.type = 'html'
    ctx.body = html
  }

  return {
    renderError(ctx, { error, error_description: description }) {
      const language = languageOf(ctx)
      const { failed, goBack } = textsIn(language).oauth
      // The description is part of the protocol, which is in English.
      const isShownAsText = language === 'en' && description
      render(ctx, failed, [
        `<h1>${escapeHtml(failed)}</h1>`,
        `<p>${escapeHtml(isShownAsText || goBack)}</p>`,
        `<p class="code">${escapeHtml(error)}</p>`,
        isShownAsText || !description ? '' : `<p class="code" lang="en">${escapeHtml(description)}</p>`,
      ])
    },

    renderSignedOut(ctx) {
      const { signedOut, signedOutOfAll } = textsIn(languageOf(ctx)).oauth
      render(ctx, signedOut, [`<h1>${escapeHtml(signedOut)}</h1>`, `<p>${escapeHtml(signedOutOfAll)}</p>`])
    },

    renderSignOut(ctx, form, isAsked) {
      const language = languageOf(ctx)
      const { signOutQuestion, signsOutOfAll, signOut, staySignedIn } = textsIn(language).oauth
      const main = [
        `<h1>${escapeHtml(signOutQuestion)}</h1>`,
        `<p>${escapeHtml(signsOutOfAll)}</p>`,
        form,
        `<button type="submit" form="${logoutForm}" name="logout" value="yes">${escapeHtml(signOut)}</button>`,
        `<button type="submit" form="${logoutForm}">${escapeHtml(staySignedIn)}</button>`,
        isAsked ? '' : `<script>${submitScript}</script>`,
      ]
      ctx.vary('Accept-Language')
      // The headers are those of a page with a form already.
      ctx.body = createPage({ title: signOut, main: joinLines(main), language, hasForm: true }).html
    },
  }
}

/**
 * Sets the headers of a page with a form, before it is made; what it returns takes them off an answer that is no page, which then
 * has those of the app. `report-sample` allows no script: the provider puts the hash of its own beside it, for the form that
 * signs out a user in whose browser another one has signed in.
 */
export function setPageHeaders(ctx: KoaContextWithOIDC): () => void {
  const before = Object.keys(formHeaders).map((name) => [name, ctx.response.get(name)] as const)
  ctx.set(formHeaders)
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
