/**
 * The login page of a portal.
 *
 * @module
 */

import type { Request } from 'express'
import type { Language } from '../core/languages.js'
import { createPage, escapeHtml, joinLines, type Page, type PortalView } from './page.js'
import { type Texts, textsIn } from './texts/texts.js'

/** What a login page shows. No text in it is escaped. */
export interface LoginView extends PortalView {
  /** Name of the portal. */
  readonly portal: string
  /** What the browser asks for, of the languages that there are. The message is in it. */
  readonly language: Language
  /** Where the form is sent, with `POST` as `application/x-www-form-urlencoded`. */
  readonly action: string
  /** Value of the hidden field `return_to`; `undefined`: leave it out. */
  readonly returnTo: string | undefined
  /** What was typed as `username` in the attempt before; empty at first. */
  readonly userName: string
  /**
   * Why the form is shown: the attempt before was refused, the session has ended, or the browser has kept no cookie.
   * `undefined` at first.
   */
  readonly message: string | undefined
  /** Whether people can sign in here with a name and a password. */
  readonly takesPassword: boolean
  /** Identity providers that people can sign in at: a link or a button for each. */
  readonly signInAt: readonly SignInLink[]
}

/** A way to sign in elsewhere. */
export interface SignInLink {
  /** `name` of the identity provider. */
  readonly name: string
  /** What it is called. */
  readonly title: string
  /** Where the sign-in begins, with `GET`. */
  readonly href: string
  /** Whether the account that is signed in there was refused: this link has the provider ask for another. */
  readonly isForAnotherAccount: boolean
}

/**
 * Makes the HTML of a login page, at once or later, with a form that has the fields `username`, `password` and `return_to`.
 * Every text of the view has to be escaped: what a user typed is among them. `request` is for the language of the page, and for a nonce
 * that the app has made.
 */
export type LoginPage = (view: LoginView, request: Request) => string | Promise<string>

/** The built-in login page. */
export function builtInLoginPage({ portal: _, language, message, takesPassword, signInAt, ...view }: LoginView): Page {
  const texts = textsIn(language)
  const { signIn } = texts
  const hasMessage = message !== undefined
  const main = [
    `<h1>${escapeHtml(view.title)}</h1>`,
    `<p>${escapeHtml(signIn.prompt)}</p>`,
    hasMessage ? `<p class="alert" id="message" role="alert">${escapeHtml(message)}</p>` : '',
    ...(takesPassword ? passwordForm(view, signIn, hasMessage) : []),
    takesPassword && signInAt.length > 0 ? `<p class="or">${escapeHtml(signIn.or)}</p>` : '',
    ...signInAt.map(({ title, href, isForAnotherAccount }) => {
      const text = isForAnotherAccount ? signIn.atAsAnother(title) : signIn.at(title)
      return `<a class="button" href="${escapeHtml(href)}">${escapeHtml(text)}</a>`
    }),
  ]
  const title = [...(hasMessage ? [texts.notSignedIn] : []), signIn.heading, view.title].join(' - ')
  return createPage({ title, main: joinLines(main), language, portal: view, hasForm: true })
}

function passwordForm(
  { action, returnTo, userName }: Pick<LoginView, 'action' | 'returnTo' | 'userName'>,
  texts: Texts['signIn'],
  isDescribed: boolean,
): readonly string[] {
  const described = isDescribed ? ' aria-describedby="message"' : ''
  return [
    `<form method="post" action="${escapeHtml(action)}">`,
    returnTo === undefined ? '' : `<input type="hidden" name="return_to" value="${escapeHtml(returnTo)}">`,
    `<label for="username">${escapeHtml(texts.userName)}</label>`,
    `<input id="username" name="username" value="${escapeHtml(userName)}" autocomplete="username" autocapitalize="none" ` +
      `spellcheck="false" required maxlength="255"${described}${userName === '' ? ' autofocus' : ''}>`,
    `<label for="password">${escapeHtml(texts.password)}</label>`,
    '<input id="password" name="password" type="password" autocomplete="current-password" ' +
      `required${described}${userName === '' ? '' : ' autofocus'}>`,
    `<button type="submit">${escapeHtml(texts.button)}</button>`,
    '</form>',
  ]
}
