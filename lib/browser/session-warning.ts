/**
 * The warning before a session ends: a modal dialog with the focus on "stay signed in", so that one key press is enough
 * (WCAG 2.2, success criterion 2.2.1).
 *
 * @module
 */

import { isAnnounced, minutesAndSeconds } from './countdown.js'
import type { SessionTexts } from './session-texts.js'

/** What the warning shows at a moment. */
interface WarningState {
  readonly secondsLeft: number
  readonly canExtend: boolean
  readonly isReachable: boolean
}

/** What the buttons do. */
interface WarningChoices {
  readonly onStay: () => Promise<void>
  readonly onSignOut: () => Promise<void>
}

/** The warning of a page. */
export interface SessionWarning {
  /** Opens the warning, or brings it up to date. */
  show(state: WarningState): void
  hide(): void
}

/** Creates the warning. Nothing is added to the page until it is shown. `language`: of the texts; empty: that of the page. */
export function createSessionWarning(
  texts: SessionTexts,
  language: string,
  { onStay, onSignOut }: WarningChoices,
): SessionWarning {
  const host = document.createElement('div')
  const root = host.attachShadow({ mode: 'open' })
  const dialog = document.createElement('dialog')
  if (language !== '') dialog.lang = language
  const title = element('h2', { id: 'title' })
  const message = element('p', { id: 'message' })
  const trouble = element('p', { role: 'status' })
  const announcer = element('p', { 'aria-live': 'assertive' })
  const stay = element('button', { type: 'button', autofocus: '' })
  const signOut = element('button', { type: 'button' }, texts.signOut)
  const buttons = element('div', {})

  buttons.append(stay, signOut)
  for (const [name, value] of Object.entries({
    role: 'alertdialog',
    'aria-labelledby': 'title',
    'aria-describedby': 'message',
  })) {
    dialog.setAttribute(name, value)
  }
  dialog.append(title, message, trouble, announcer, buttons)
  root.adoptedStyleSheets = [createWarningStyles()]
  root.append(dialog)

  let canExtend = true
  let isClosed = false
  let secondsBefore = 0
  let isBusy = false

  stay.addEventListener('click', () => choose(stayOrClose))
  signOut.addEventListener('click', () => choose(onSignOut))
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault()
    return choose(stayOrClose)
  })

  async function stayOrClose(): Promise<void> {
    if (canExtend) return onStay()
    isClosed = true
    dialog.close()
  }

  /** One choice at a time. The buttons keep the focus, so they are not disabled. */
  async function choose(choice: () => Promise<void>): Promise<void> {
    if (isBusy) return
    setBusy(true)
    await choice().finally(() => setBusy(false))
  }

  function setBusy(isNow: boolean): void {
    isBusy = isNow
    for (const button of [stay, signOut]) button.setAttribute('aria-disabled', String(isNow))
  }

  function open(): void {
    announcer.textContent = ''
    document.body.append(host)
    dialog.showModal()
  }

  return {
    show(state) {
      const { secondsLeft, isReachable } = state
      // A closed warning stays closed only while it has nothing new to offer.
      if (canExtend !== state.canExtend) isClosed = false
      canExtend = state.canExtend
      const time = minutesAndSeconds(secondsLeft)
      title.textContent = canExtend ? texts.title : texts.lastTitle
      message.textContent = canExtend ? texts.message(time) : texts.lastMessage(time)
      stay.textContent = canExtend ? texts.stay : texts.close
      setText(trouble, isReachable ? '' : texts.unreachable)
      if (!dialog.open && !isClosed) open()
      else if (isAnnounced(secondsLeft, secondsBefore)) announcer.textContent = texts.secondsLeft(secondsLeft)
      secondsBefore = secondsLeft
    },

    hide() {
      isClosed = false
      dialog.close()
      host.remove()
    },
  }
}

/** An unchanged text is not set: a live region would be read again. */
function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text
}

function element(name: string, attributes: Readonly<Record<string, string>>, text = ''): HTMLElement {
  const made = document.createElement(name)
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value)
  made.textContent = text
  return made
}

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

/**
 * A constructed style sheet in a shadow root: a content security policy without `unsafe-inline` allows it, and it and the
 * page's styles do not affect each other.
 */
function createWarningStyles(): CSSStyleSheet {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  return sheet
}
