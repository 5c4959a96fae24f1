/**
 * The shell: who is signed in, the ways to the views, and the view that the address names.
 *
 * @module
 */

import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { ConsoleIndex } from '../api.js'
import { onSessionEnded } from './api.js'
import { FilePath } from './components/facts.js'
import { type Shell, ShellContext } from './components/view.js'
import { routeTo, useRoute } from './router.js'
import { useResource } from './use-resource.js'
import { views } from './views.js'
import { keepTextsVisible } from './visible-texts.js'

keepTextsVisible()

/** Asked again now and then: what the page can do may change with the configuration. */
const aboutOptions = { pollMs: 60_000 }

export function App(): JSX.Element {
  const about = useResource<ConsoleIndex>('', aboutOptions)
  const route = useRoute()
  const [news, setNews] = useState('')
  const [isEnded, setEnded] = useState(false)
  useEffect(() => onSessionEnded(() => setEnded(true)), [])
  const nextNews = useRef('')
  useEffect(() => {
    setNews(nextNews.current)
    nextNews.current = ''
  }, [route.view, route.name])
  const shell = useMemo((): Shell => ({ about: about.data, announce }), [about.data])

  function announce(text: string, href?: string): void {
    if (href === undefined) setNews(text)
    else {
      nextNews.current = text
      location.hash = href
    }
  }

  if (isEnded) return <SessionEnded title={about.data?.title} />
  const view = views.find(({ path }) => path === route.view)
  return (
    <ShellContext.Provider value={shell}>
      <button type="button" class="skip-link" onClick={skipToContent}>
        Skip to content
      </button>
      <Header about={about.data} />
      <div class="frame">
        <Navigation current={view?.navigation ?? route.view} about={about.data} />
        <main id="content">
          <News text={news} onDismiss={() => setNews('')} />
          {view === undefined ? (
            <NoSuchView />
          ) : (
            <view.Component key={`${route.view}/${route.name}`} name={route.name} />
          )}
        </main>
      </div>
    </ShellContext.Provider>
  )
}

/** What was done last, seen and said. */
function News({ text, onDismiss }: { readonly text: string; readonly onDismiss: () => void }): JSX.Element {
  return (
    <div class={text === '' ? 'unseen' : 'news'}>
      <p role="status">{text}</p>
      {text !== '' && (
        <button type="button" class="quiet" onClick={onDismiss}>
          Dismiss
        </button>
      )}
    </div>
  )
}

/** A button: a link to `#content` would be the address of another view. */
function skipToContent(): void {
  document.querySelector<HTMLElement>('main h1')?.focus()
}

function Header({ about }: { readonly about: ConsoleIndex | undefined }): JSX.Element {
  return (
    <header class="top">
      <a class="brand" href={routeTo('')}>
        <Mark />
        <span>{about?.title ?? 'Operators'}</span>
      </a>
      <p class="signed-in">
        {about !== undefined && (
          <>
            <span class="muted">Signed in as </span>
            <strong>{about.user}</strong>
          </>
        )}
      </p>
      <form method="post" action="logout">
        <button type="submit">Sign out</button>
      </form>
    </header>
  )
}

function Mark(): JSX.Element {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path class="shield" d="M16 2 28 6v10c0 7-5 12-12 14C9 28 4 23 4 16V6z" />
      <path class="port" d="M11 24V15a5 5 0 0 1 10 0v9h-3v-9a2 2 0 0 0-4 0v9z" />
    </svg>
  )
}

/** On a narrow screen a button opens the list. */
function Navigation({
  current,
  about,
}: {
  readonly current: string
  readonly about: ConsoleIndex | undefined
}): JSX.Element {
  const [isOpen, setOpen] = useState(false)
  const shown = views.filter(
    ({ title, isShown }) => title !== undefined && (about === undefined || (isShown?.(about) ?? true)),
  )
  const here = shown.find(({ path }) => path === current)
  return (
    <nav class="views" aria-label="Views">
      <button type="button" class="menu" aria-expanded={isOpen} aria-controls="views" onClick={() => setOpen(!isOpen)}>
        <span class="unseen">Menu: </span>
        {here?.title ?? 'Menu'}
      </button>
      <ul id="views" class={isOpen ? 'open' : ''}>
        {shown.map(({ path, title }) => (
          <li key={path}>
            <a href={routeTo(path)} aria-current={path === current ? 'page' : undefined} onClick={() => setOpen(false)}>
              {title}
            </a>
          </li>
        ))}
      </ul>
      {about !== undefined && (
        <p class="about muted">
          Sallyport {about.version}
          {about.file !== null && <FilePath path={about.file} />}
        </p>
      )}
    </nav>
  )
}

function NoSuchView(): JSX.Element {
  return (
    <div class="empty">
      <h1 tabIndex={-1}>There is no such view</h1>
      <p>
        <a href={routeTo('')}>Go to the overview</a>
      </p>
    </div>
  )
}

/** `title`: what the portal is called, where that is known. */
function SessionEnded({ title }: { readonly title: string | undefined }): JSX.Element {
  const { pathname, hash } = location
  useEffect(() => {
    document.title = `Your session has ended${title === undefined ? '' : ` - ${title}`}`
    document.querySelector<HTMLElement>('h1')?.focus()
  }, [])
  return (
    <main class="ended">
      <div class="brand">
        <Mark />
        <span>{title ?? 'Operators'}</span>
      </div>
      <h1 tabIndex={-1}>Your session has ended</h1>
      <p>Sign in again to go on in this view. Changes that were not saved are lost.</p>
      <a class="button primary" href={`login?return_to=${encodeURIComponent(pathname + hash)}`}>
        Sign in again
      </a>
    </main>
  )
}
