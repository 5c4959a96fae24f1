/**
 * What is known of one thing: names and values, one below the other.
 *
 * @module
 */

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** A value of `undefined` or `null` is left out. */
export type Fact = readonly [name: string, value: ComponentChildren]

export function Facts({ facts }: { readonly facts: readonly Fact[] }): JSX.Element {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== undefined && value !== null)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}

/** Texts as code, one a line; a dash where there is none. */
export function CodeList({ texts }: { readonly texts: readonly string[] }): JSX.Element {
  if (texts.length === 0) return <span class="muted">{'\u2013'}</span>
  return (
    <ul>
      {texts.map((text) => (
        <li key={text} class="code">
          {text}
        </li>
      ))}
    </ul>
  )
}

const shownMs = 2000

/** A text with a button that copies it, where the browser allows that: over HTTPS, and on the machine itself. */
export function Copyable({ text, what }: { readonly text: string; readonly what: string }): JSX.Element {
  const [isCopied, setCopied] = useState(false)
  useEffect(() => {
    if (!isCopied) return
    const timer = setTimeout(() => setCopied(false), shownMs)
    return () => clearTimeout(timer)
  }, [isCopied])

  async function copy(): Promise<void> {
    await navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => undefined,
    )
  }

  return (
    <span class="copyable">
      <span class="code">{text}</span>
      {isSecureContext && (
        <button type="button" class="quiet" aria-label={`Copy ${what}`} onClick={copy}>
          {isCopied ? 'Copied' : 'Copy'}
        </button>
      )}
      <span class="unseen" role="status">
        {isCopied ? `${what} was copied.` : ''}
      </span>
    </span>
  )
}

/** Where the configuration has it: the line, and the file as a hint. */
export function Place({
  at,
}: {
  readonly at: { readonly file?: string | undefined; readonly line?: number | undefined } | null
}): JSX.Element | null {
  if (at?.line === undefined) return null
  const { file, line } = at
  return (
    <span class="place" title={file}>
      line {line}
    </span>
  )
}
