/**
 * What a view shows of the server.
 *
 * @module
 */

import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { ApiError, requestJson } from './api.js'

export interface Resource<Data> {
  /** The newest answer. It stays while the next one is awaited, and when that fails. */
  readonly data: Data | undefined
  /** Why the newest request failed. */
  readonly error: ApiError | undefined
  readonly isLoading: boolean
  /** When `data` came. */
  readonly loadedAt: Date | undefined
  /** Asks again, for a user: after a change, or when they say so. */
  readonly reload: () => void
}

interface State<Data> {
  readonly data?: Data | undefined
  readonly error?: ApiError | undefined
  readonly loadedAt?: Date | undefined
  readonly isLoading: boolean
}

const firstRetryMs = 2000
const longestRetryMs = 30_000

/**
 * Reads `api/<path>`, and again whenever `path` changes; the request before is given up then.
 *
 * @example
 * ```tsx
 * const health = useResource<HealthReport>('health', { pollMs: 10_000 })
 * return <Loaded resource={health}>{({ checks }) => <Table caption="Checks" rows={checks} ... />}</Loaded>
 * ```
 *
 * @param path - `undefined`: ask for nothing yet.
 * @param options - `pollMs`: asks again that often while the tab is seen, which is no activity of the user.
 */
export function useResource<Data>(
  path: string | undefined,
  { pollMs }: { readonly pollMs?: number } = {},
): Resource<Data> {
  const [state, setState] = useState<State<Data>>({ isLoading: path !== undefined })
  const load = useRef<() => void>(() => {})

  // Before the next frame: `useEffect` would ask some 20 ms later.
  useLayoutEffect(() => {
    if (path === undefined) return
    const asked = path
    let request = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let failures = 0

    async function ask(isBackground: boolean): Promise<void> {
      clearTimeout(timer)
      request.abort()
      request = new AbortController()
      const { signal } = request
      setState((before) => ({ ...before, isLoading: true }))
      try {
        const data = await requestJson<Data>(asked, { signal, isBackground })
        if (signal.aborted) return
        failures = 0
        setState({ data, loadedAt: new Date(), isLoading: false })
      } catch (error) {
        if (signal.aborted) return
        failures += 1
        setState((before) => ({ ...before, error: apiError(error), isLoading: false }))
      }
      if (pollMs !== undefined)
        timer = setTimeout(poll, failures === 0 ? pollMs : Math.min(firstRetryMs * 2 ** (failures - 1), longestRetryMs))
    }

    function poll(): void {
      if (!document.hidden) void ask(true)
    }

    load.current = () => void ask(false)
    void ask(false)
    if (pollMs !== undefined) document.addEventListener('visibilitychange', poll)
    return () => {
      clearTimeout(timer)
      request.abort()
      document.removeEventListener('visibilitychange', poll)
    }
  }, [path, pollMs])

  return {
    data: state.data,
    error: state.error,
    loadedAt: state.loadedAt,
    isLoading: state.isLoading,
    reload: () => load.current(),
  }
}

/** Any failure, as one that can be shown. */
export function apiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(0, String(error))
}
