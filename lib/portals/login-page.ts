/**
 * The login page. It needs no script, and shows what went wrong in words.
 *
 * @module
 */

import { escapeHtml, pageOf } from './page.js'

/** What a login page shows. No text in it is escaped. */
export interface LoginView {
  /** Name of the portal. */
  readonly portal: string
  /** What the portal is called: `[portal.<name>] title`, else made of its name. */
  readonly title: string
  /** `[portal.<name>] support`: an e-mail address, a URL or a text that says where people find help. */
  readonly support: string | undefined
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
}

/**
 * Makes the HTML of a login page, at once or later, with a form that has the fields `username`, `password` and `return_to`.
 * Every text of the view has to be escaped: what a user typed is among them.
 */
export type LoginPage = (view: LoginView) => string | Promise<string>

/** Our own login page. */
export const loginPage = ({ title: name, support, action, returnTo, userName, message }: LoginView): string => {
  const hasMessage = message !== undefined
  const described = hasMessage ? ' aria-describedby="message"' : ''
  const main = [
    `<h1>${escapeHtml(name)}</h1>`,
    '<p>Sign in to continue.</p>',
    hasMessage ? `<p class="alert" id="message" role="alert">${escapeHtml(message)}</p>` : '',
    `<form method="post" action="${escapeHtml(action)}">`,
    returnTo === undefined ? '' : `<input type="hidden" name="return_to" value="${escapeHtml(returnTo)}">`,
    '<label for="username">User name</label>',
    `<input id="username" name="username" value="${escapeHtml(userName)}" autocomplete="username" autocapitalize="none" ` +
      `spellcheck="false" required maxlength="255"${described}${userName === '' ? ' autofocus' : ''}>`,
    '<label for="password">Password</label>',
    '<input id="password" name="password" type="password" autocomplete="current-password" ' +
      `required${described}${userName === '' ? '' : ' autofocus'}>`,
    '<button type="submit">Sign in</button>',
    '</form>',
  ]
  return pageOf({
    title: `${hasMessage ? 'Not signed in - ' : ''}Sign in - ${name}`,
    main: main.filter((line) => line !== '').join('\n'),
    support,
  })
}

/** `management_console` is shown as `Management console`. */
export function displayName(portal: string): string {
  const words = portal.replace(/[_-]+/g, ' ').trim() || portal
  return words.charAt(0).toUpperCase() + words.slice(1)
}
