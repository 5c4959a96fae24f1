/**
 * Modal dialogs: a form, and a question before something ends.
 *
 * @module
 */

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { ApiError } from '../api.js'
import { apiError } from '../use-resource.js'
import { Failure } from './states.js'

export interface DialogProps {
  /** What is asked, or what the form is for. */
  readonly title: string
  /** The verb of the button, such as `End 3 sessions`. Absent: there is only one that closes. */
  readonly action?: string
  /** Does it. What it rejects with is shown, and the dialog stays. */
  readonly onConfirm?: () => Promise<void>
  /** Called in any case, after the work or without it. */
  readonly onClose: () => void
  /** Whether it ends something that cannot be brought back: then the focus begins on Cancel. */
  readonly isDestructive?: boolean
  /** Whether the button can be pressed. @defaultValue `true` */
  readonly isReady?: boolean
  readonly children?: ComponentChildren
}

/** Rendered while it is open. Escape and Cancel close it; the browser gives the focus back to where it was. */
export function Dialog({
  title,
  action,
  onConfirm,
  onClose,
  isDestructive = false,
  isReady = true,
  children,
}: DialogProps): JSX.Element {
  const id = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  const [error, setError] = useState<ApiError>()
  const [isBusy, setBusy] = useState(false)
  const isDone = useRef(false)

  useEffect(() => {
    const element = dialog.current
    const opener = document.activeElement
    element?.showModal()
    return () => {
      element?.close()
      returnFocus(opener, isDone.current)
    }
  }, [])

  async function confirm(event: Event): Promise<void> {
    event.preventDefault()
    if (isBusy || !isReady) return
    setBusy(true)
    setError(undefined)
    try {
      await onConfirm?.()
      isDone.current = true
      onClose()
    } catch (failure) {
      setError(apiError(failure))
      setBusy(false)
    }
  }

  return (
    <dialog
      ref={dialog}
      aria-labelledby={`${id}-title`}
      aria-describedby={isDestructive ? `${id}-text` : undefined}
      onCancel={(event) => {
        event.preventDefault()
        if (!isBusy) onClose()
      }}
    >
      <form onSubmit={confirm}>
        <h2 id={`${id}-title`}>{title}</h2>
        <div class="dialog-text" id={`${id}-text`}>
          {children}
        </div>
        {error !== undefined && <Failure error={error} />}
        <div class="dialog-buttons">
          <button type="button" onClick={onClose} autofocus={isDestructive || action === undefined}>
            {action === undefined ? 'Close' : 'Cancel'}
          </button>
          {action !== undefined && (
            <button type="submit" class={isDestructive ? 'danger' : 'primary'} aria-disabled={isBusy || !isReady}>
              {action}
            </button>
          )}
        </div>
      </form>
    </dialog>
  )
}

/** What opened the dialog goes with its row, now or with the next answer, once the work is done. */
function returnFocus(opener: Element | null, isDone: boolean): void {
  requestAnimationFrame(() => {
    const isStaying = opener?.isConnected && !(isDone && opener.closest('tr, li') !== null)
    if (isStaying && opener instanceof HTMLElement) opener.focus()
    else document.querySelector<HTMLElement>('main h1')?.focus()
  })
}
