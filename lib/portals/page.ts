/**
 * The built-in pages: one small document with one style sheet, no script, and no picture but the logo of the portal.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { Response } from 'express'
import type { Language } from '../core/languages.js'
import { textsIn } from './texts/texts.js'

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
img { display: block; max-width: 100%; max-height: 4rem; margin-bottom: 1rem; object-fit: contain; object-position: left; }
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

/**
 * Nothing may be loaded but the logo, which is part of the page, nothing may run, nobody may frame it. Without a form nothing may be sent
 * either. Chromium holds every redirect that follows a form against its `form-action`, and where an app leads on to, such as a front end on
 * another port, is not known here: any list would stop the browser on its way. The only form is our own, and no text gets into a page
 * unescaped.
 */
export function pageHeaders({ hasForm = false, logo }: Pick<PageContent, 'hasForm'> & Partial<PortalView>) {
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    ...(logo === undefined ? [] : ['img-src data:']),
    ...(hasForm ? [] : ["form-action 'none'"]),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ]
  return {
    'Content-Security-Policy': policy.join('; '),
    'X-Frame-Options': 'DENY',
    // With no-referrer, browsers would send the form with a null origin.
    'Referrer-Policy': 'same-origin',
  } as const
}

/** What stands in a page. */
export interface PageContent {
  /** Plain text, for the tab and the history. */
  readonly title: string
  /** HTML, in which every text from elsewhere went through {@link escapeHtml}. */
  readonly main: string
  readonly language: Language
  /** @defaultValue a page that belongs to no portal */
  readonly portal?: PortalView | undefined
  /** Whether the browser may send something from the page. @defaultValue false */
  readonly hasForm?: boolean | undefined
}

/** How a portal presents itself on the built-in pages. */
export interface PortalView {
  /** What the portal is called: `[portal.<name>] title`, else made of its name. */
  readonly title: string
  /** `[portal.<name>] support`: an e-mail address or a URL, which becomes a link, or any other text. `undefined`: not shown. */
  readonly support: string | undefined
  /** `[portal.<name>] logo`, as a `data:` URL. `undefined`: not shown. */
  readonly logo: string | undefined
}

/** A page, and the headers that it is answered with. */
export interface Page {
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

/** Puts a page together. */
export function createPage({ title, main, language, portal, hasForm }: PageContent): Page {
  const { support, logo } = portal ?? {}
  const picture = logo === undefined ? '' : `<img src="${escapeHtml(logo)}" alt="${escapeHtml(portal!.title)}">\n`
  const { help } = textsIn(language)
  const html = `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${picture}${main}${support === undefined ? '' : `\n<footer>${escapeHtml(help)} ${linkTo(support)}</footer>`}
</main>
</body>
</html>
`
  return { html, headers: pageHeaders({ hasForm, logo }) }
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

/** Puts lines of HTML together; empty ones are left out. */
export function joinLines(lines: readonly string[]): string {
  return lines.filter((line) => line !== '').join('\n')
}

/** Answers with a built-in page. It stands on its own where no helmet was before, and what a helmet allows the app it does not. */
export function answerPage(response: Response, status: number, { html, headers }: Page): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  answerHtml(response, status, html)
}

/** Answers with HTML in the language of the reader, which no cache may keep. */
export function answerHtml(response: Response, status: number, html: string): void {
  response.statusCode = status
  response.vary('Accept-Language')
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

/** `management_console` is shown as `Management console`. */
export function displayName(portal: string): string {
  const words = portal.replace(/[_-]+/g, ' ').trim() || portal
  return words.charAt(0).toUpperCase() + words.slice(1)
}
