/**
 * The pages that are ours: one small document with one style sheet, no script and no picture.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { Request, Response } from 'express'

const style = `
:root { color-scheme: light dark; --text: #1b1f24; --muted: #57606a; --back: #f3f4f6; --card: #ffffff; --line: #6e7781;
  --accent: #0b5cad; --on-accent: #ffffff; --alert: #a40e26; --alert-back: #fff0ee; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --muted: #a3acb7; --back: #0d1117; --card: #161b22; --line: #8b949e; --accent: #6cb6ff;
    --on-accent: #0d1117; --alert: #ffb3ab; --alert-back: #3a1416; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; grid-template-columns: minmax(0, 24rem); place-content: center;
  padding: min(1.5rem, 4vw); background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { padding: min(2rem, 6vw); overflow-wrap: anywhere; background: var(--card); border: 1px solid var(--line);
  border-radius: 0.75rem; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; }
p { margin: 0.5rem 0 0; color: var(--muted); }
label { display: block; margin-top: 1.25rem; font-weight: 600; }
input { display: block; width: 100%; margin-top: 0.25rem; padding: 0.6rem 0.75rem; font: inherit; color: inherit;
  background: var(--card); border: 1px solid var(--line); border-radius: 0.375rem; }
button, a.button { display: block; width: 100%; margin-top: 1.5rem; padding: 0.7rem; font: inherit; font-weight: 600;
  color: var(--on-accent); background: var(--accent); border: 1px solid transparent; border-radius: 0.375rem;
  cursor: pointer; }
a { color: var(--accent); }
a.button { text-align: center; text-decoration: none; }
.or { text-align: center; margin-top: 1.5rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.alert { margin-top: 1rem; padding: 0.6rem 0.75rem; color: var(--alert); background: var(--alert-back);
  border: 1px solid var(--alert); border-radius: 0.375rem; }
code { font-family: ui-monospace, monospace; }
.qr { margin-top: 1rem; padding: 0.5rem; background: #ffffff; border-radius: 0.375rem; }
.qr svg { display: block; width: 100%; max-width: 14rem; height: auto; margin: 0 auto; }
.codes { margin: 1rem 0 0; padding: 0; list-style: none; }
.code, footer { font-size: 0.875rem; }
footer { margin-top: 1.5rem; color: var(--muted); }
`

const styleHash = createHash('sha256').update(style).digest('base64')

/** Headers of a built-in page without a form: nothing may be loaded, nothing may run, nothing may be sent, nobody may frame it. */
export const pageHeaders: Readonly<Record<string, string>> = headersWith(["form-action 'none'"])

/**
 * Headers of a built-in page with a form. Chromium holds every redirect that follows a form against its `form-action`, and where
 * an app leads on to, such as a front end on another port, is not known here: any list would stop the browser on its way. The
 * only form is our own, and no text gets into a page unescaped.
 */
export const formPageHeaders: Readonly<Record<string, string>> = headersWith([])

function headersWith(directives: readonly string[]): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    ...directives,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ]
  return {
    'Content-Security-Policy': policy.join('; '),
    'X-Frame-Options': 'DENY',
    // With no-referrer, browsers would send the form with a null origin.
    'Referrer-Policy': 'same-origin',
  }
}

/** What stands in a page. */
export interface PageContent {
  /** Plain text, for the tab and the history. */
  readonly title: string
  /** HTML, in which every text from elsewhere went through {@link escapeHtml}. */
  readonly main: string
  /** See {@link PortalView.support}. */
  readonly support?: string | undefined
}

/** How a portal presents itself on the built-in pages. */
export interface PortalView {
  /** The heading of its login page. */
  readonly title: string
  /** Where people find help: an e-mail address or a URL, which becomes a link, or any other text. `undefined`: not shown. */
  readonly support: string | undefined
}

/** Puts a page together. */
export function createPage({ title, main, support }: PageContent): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${main}${support === undefined ? '' : `\n<footer>Help: ${linkTo(support)}</footer>`}
</main>
</body>
</html>
`
}

function linkTo(support: string): string {
  const text = escapeHtml(support)
  if (/^https?:\/\/\S+$/i.test(support)) return `<a href="${text}">${text}</a>`
  return /^[^\s@:?]+@[^\s@:?]+$/.test(support) ? `<a href="mailto:${text}">${text}</a>` : text
}

/** Makes a text safe where HTML has a text or a quoted value. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/**
 * Answers with a built-in page. It stands on its own where no helmet was before, and what a helmet allows the app it does not.
 *
 * `headers`: those of a page without a form, or {@link formPageHeaders}.
 */
export function answerPage(
  response: Response,
  status: number,
  html: string,
  headers: Readonly<Record<string, string>> = pageHeaders,
): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  answerHtml(response, status, html)
}

/** Answers with HTML that no cache may keep. */
export function answerHtml(response: Response, status: number, html: string): void {
  response.statusCode = status
  response.setHeader('Cache-Control', 'no-store')
  response.setHeader('Content-Type', 'text/html; charset=utf-8')
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('Content-Length', Buffer.byteLength(html))
  response.end(html)
}

/** Sends the browser to another page of this origin with a GET (RFC 9110 section 15.4.4). */
export function answerSeeOther(response: Response, path: string): void {
  response.statusCode = 303
  response.setHeader('Location', path)
  response.setHeader('Cache-Control', 'no-store')
  response.setHeader('Content-Length', 0)
  response.end()
}

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

/** Our own login page. */
export const loginPage = ({ title: name, support, message, ...view }: LoginView): string => {
  const hasMessage = message !== undefined
  const described = hasMessage ? ' aria-describedby="message"' : ''
  const main = [
    `<h1>${escapeHtml(name)}</h1>`,
    '<p>Sign in to continue.</p>',
    hasMessage ? `<p class="alert" id="message" role="alert">${escapeHtml(message)}</p>` : '',
    ...(view.takesPassword ? passwordForm(view, described) : []),
    view.takesPassword && view.signInAt.length > 0 ? '<p class="or">or</p>' : '',
    ...view.signInAt.map(
      ({ title, href, isForAnotherAccount }) =>
        `<a class="button" href="${escapeHtml(href)}">Sign in with ${escapeHtml(title)}${isForAnotherAccount ? ' as somebody else' : ''}</a>`,
    ),
  ]
  return createPage({
    title: `${hasMessage ? 'Not signed in - ' : ''}Sign in - ${name}`,
    main: main.filter((line) => line !== '').join('\n'),
    support,
  })
}

function passwordForm(
  { action, returnTo, userName }: Pick<LoginView, 'action' | 'returnTo' | 'userName'>,
  described: string,
): readonly string[] {
  return [
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
}

/** `management_console` is shown as `Management console`. */
export function displayName(portal: string): string {
  const words = portal.replace(/[_-]+/g, ' ').trim() || portal
  return words.charAt(0).toUpperCase() + words.slice(1)
}
