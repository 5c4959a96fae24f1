/**
 * What is known of one thing: names and values, one below the other.
 *
 * @module
 */

import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** A value of `undefined` or `null` is left out. */
export type Fact = readonly [name: string, value: ComponentChildren]

/** `isWide`: beside one another, where there is room. */
export function Facts({
  facts,
  isWide = false,
}: {
  readonly facts: readonly Fact[]
  readonly isWide?: boolean
}): JSX.Element {
  return (
    <dl class={isWide ? 'facts wide' : 'facts'}>
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

/** Texts as code, one a line or, for many short ones, several; a dash where there is none. */
export function CodeList({
  texts,
  isInline = false,
}: {
  readonly texts: readonly string[]
  readonly isInline?: boolean
}): JSX.Element {
  if (texts.length === 0) return <span class="muted">{'\u2013'}</span>
  return (
    <ul class={isInline ? 'inline-codes' : ''}>
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

/** A dotted key, which is broken at its dots and `_` where it is too long for its line. */
export function ConfigKey({ name }: { readonly name: string }): JSX.Element {
  return <span class="code">{brokenAt(name, /(?<=[._])/)}</span>
}

/** A path, which is broken behind its slashes where it is too long for its line. */
export function FilePath({ path }: { readonly path: string }): JSX.Element {
  return <span class="code">{brokenAt(path, /(?<=[\\/])/)}</span>
}

function brokenAt(text: string, at: RegExp): ComponentChildren {
  return text.split(at).map((part, index) => [index > 0 && <wbr key={index} />, part])
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
