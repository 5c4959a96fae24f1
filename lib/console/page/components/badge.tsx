/**
 * A short state, in a colour and in words.
 *
 * @module
 */

import type { ComponentChildren, JSX } from 'preact'

export type Tone = 'neutral' | 'good' | 'warn' | 'bad' | 'accent'

export function Badge({
  tone = 'neutral',
  children,
}: {
  readonly tone?: Tone
  readonly children: ComponentChildren
}): JSX.Element {
  return <span class={`badge badge-${tone}`}>{children}</span>
}
