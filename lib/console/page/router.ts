/**
 * Where the page is: `#/<view>/<name>?<filters>`. Nothing of it reaches the server with the page itself.
 *
 * @module
 */

import { useEffect, useState } from 'preact/hooks'

export interface Route {
  /** First segment; `''` at first. */
  readonly view: string
  /** Second segment, decoded; `''` without one. */
  readonly name: string
  readonly query: URLSearchParams
}

const changed = new EventTarget()

export function readRoute(hash = location.hash): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s)
  const [view = '', ...name] = path.split('/')
  return { view, name: decode(name.join('/')), query: new URLSearchParams(query) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The `href` of a view, and of one entry of it. */
export function routeTo(view: string, name = '', query: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString()
  return `#/${view}${name === '' ? '' : `/${encodeURIComponent(name)}`}${text === '' ? '' : `?${text}`}`
}

export function useRoute(): Route {
  const [route, setRoute] = useState(readRoute)
  useEffect(() => {
    const update = (): void => setRoute(readRoute())
    addEventListener('hashchange', update)
    changed.addEventListener('change', update)
    return () => {
      removeEventListener('hashchange', update)
      changed.removeEventListener('change', update)
    }
  }, [])
  return route
}

/**
 * Filters, sorting and page of a view, kept in the address so that a reload and a link show the same. What is `''` is left out; a change
 * of anything else leads back to the first page.
 */
export function useFilters<Name extends string>(
  defaults: Readonly<Record<Name, string>>,
): readonly [Readonly<Record<Name, string>>, (change: Partial<Record<Name, string>>) => void] {
  const { view, name, query } = useRoute()
  const entries = Object.entries<string>(defaults)
  const values = Object.fromEntries(entries.map(([key, value]) => [key, query.get(key) ?? value])) as Record<
    Name,
    string
  >

  function change(values_: Partial<Record<Name, string>>): void {
    const next: Record<string, string> = { ...values, ...('offset' in values_ ? {} : { offset: '' }), ...values_ }
    const kept = Object.fromEntries(
      entries.flatMap(([key, value]) => (next[key] === value ? [] : [[key, next[key] ?? '']])),
    )
    history.replaceState(null, '', routeTo(view, name, kept))
    changed.dispatchEvent(new Event('change'))
  }

  return [values, change]
}
