/**
 * How the warning looks. A constructed style sheet in a shadow root: a content security policy without `unsafe-inline`
 * allows it, the page's styles do not reach it, and it does not reach the page.
 *
 * @module
 */

const css = `
:host { all: initial !important; position: fixed !important }
dialog {
  --surface: #fff; --text: #1b1f24; --border: #8c959f; --accent: #0b5cad; --on-accent: #fff; --alarm: #a1260d;
  color-scheme: light dark;
  box-sizing: border-box;
  width: min(27rem, 100vw - 2rem);
  padding: 1.5rem;
  border: 1px solid var(--border);
  border-radius: .75rem;
  background: var(--surface);
  color: var(--text);
  box-shadow: 0 1rem 3rem rgb(0 0 0 / .3);
  font: 1rem/1.5 system-ui, sans-serif;
}
dialog::backdrop { background: rgb(0 0 0 / .5) }
h2 { margin: 0 0 .5rem; font-size: 1.25rem; line-height: 1.3 }
p { margin: 0; text-wrap: pretty; font-variant-numeric: tabular-nums }
[role=status] { color: var(--alarm) }
[role=status]:not(:empty) { margin-top: .75rem }
div { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.25rem }
button {
  min-height: 2.75rem;
  padding: .5rem 1.125rem;
  border: 1px solid var(--border);
  border-radius: .5rem;
  background: transparent;
  color: inherit;
  font: inherit;
  cursor: pointer;
}
button[autofocus] { border-color: var(--accent); background: var(--accent); color: var(--on-accent); font-weight: 600 }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
button[aria-disabled=true] { opacity: .7; cursor: progress }
[aria-live] { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
@media (prefers-color-scheme: dark) {
  dialog {
    --surface: #1c2128; --text: #e6edf3; --border: #768390; --accent: #79b8ff; --on-accent: #0d1117; --alarm: #ffa198;
  }
}
@media (prefers-reduced-motion: no-preference) {
  dialog[open] { animation: appear .15s ease-out }
  @keyframes appear { from { opacity: 0; transform: translateY(.5rem) } }
}
`

/** Makes the style sheet of the warning. */
export function warningStyles(): CSSStyleSheet {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  return sheet
}
