/**
 * The warning before a session ends: a modal dialog of our own, which takes the focus to "stay signed in" and gives it
 * back. So one key press is enough to stay (WCAG 2.2, success criterion 2.2.1), and Escape does the same.
 *
 * @module
 */

import { isAnnounced, minutesAndSeconds } from './countdown.js'
import type { SessionTexts } from './session-texts.js'
import { warningStyles } from './warning-styles.js'

/** What the warning shows at a moment. */
export interface WarningState {
  readonly secondsLeft: number
  readonly canExtend: boolean
  readonly isReachable: boolean
}

/** What the user can choose. */
export interface WarningChoices {
  readonly onStay: () => Promise<void>
  readonly onSignOut: () => Promise<void>
}

/** The warning of a page. */
export interface SessionWarning {
  /** Opens the warning, or brings it up to date. */
  show(state: WarningState): void
  hide(): void
}

/** Makes the warning; nothing is added to the page until it is shown. */
export function sessionWarning(texts: SessionTexts, { onStay, onSignOut }: WarningChoices): SessionWarning {
  const host = document.createElement('div')
  const root = host.attachShadow({ mode: 'open' })
  const dialog = document.createElement('dialog')
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
  root.adoptedStyleSheets = [warningStyles()]
  root.append(dialog)

  let canExtend = true
  let isClosed = false
  let secondsBefore = 0
  let isBusy = false

  stay.addEventListener('click', () => void choose(stayOrClose))
  signOut.addEventListener('click', () => void choose(onSignOut))
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault()
    void choose(stayOrClose)
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

/** Leaves a text alone that has not changed: a live region would be read again. */
function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text
}

function element(name: string, attributes: Readonly<Record<string, string>>, text = ''): HTMLElement {
  const made = document.createElement(name)
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value)
  made.textContent = text
  return made
}
