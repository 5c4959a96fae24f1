/**
 * The frame of a view, and the news about what was done.
 *
 * @module
 */

import { type ComponentChildren, createContext, type JSX } from 'preact'
import { useContext, useEffect, useRef } from 'preact/hooks'
import type { ConsoleIndex } from '../../api.js'
import { visible } from '../format.js'

export interface Shell {
  /** `undefined` until the server has said it. */
  readonly about: ConsoleIndex | undefined
  /** Shows and says what was done, such as `3 sessions of alice were ended.`, in the view that `href` leads to where there is one. */
  readonly announce: (text: string, href?: string) => void
}

export const ShellContext = createContext<Shell>({ about: undefined, announce() {} })
export const useShell = (): Shell => useContext(ShellContext)

interface ViewProps {
  readonly title: string
  /** One sentence on what is seen here. */
  readonly lead?: ComponentChildren
  /** Buttons beside the title. */
  readonly actions?: ComponentChildren
  readonly children: ComponentChildren
}

/** The heading takes the focus when the view is opened, so that a screen reader says where one is. */
export function View({ title, lead, actions, children }: ViewProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null)
  const { about } = useShell()
  useEffect(() => {
    document.title = visible(about === undefined ? title : `${title} - ${about.title}`)
  }, [title, about])
  useEffect(() => {
    scrollTo(0, 0)
    if (document.activeElement !== document.body) heading.current?.focus()
  }, [title])
  return (
    <>
      <div class="view-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead !== undefined && <p class="lead">{lead}</p>}
        </div>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </div>
      {children}
    </>
  )
}

/** A part of a view with a heading of its own. */
export function Section({ title, actions, children }: Omit<ViewProps, 'lead'>): JSX.Element {
  return (
    <section class="card" aria-label={title}>
      <div class="section-head">
        <h2>{title}</h2>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </div>
      {children}
    </section>
  )
}
