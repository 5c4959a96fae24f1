/**
 * What stands in place of a list: that it is loading, that it is empty, that it could not be had.
 *
 * @module
 */

import type { ComponentChildren, JSX } from 'preact'
import type { ApiError } from '../api.js'
import { formatTime } from '../format.js'
import type { Resource } from '../use-resource.js'

/** Shows the data of a resource, or why there is none. Data that cannot be renewed stays, and says of when it is. */
export function Loaded<Data>({
  resource,
  children,
}: {
  readonly resource: Resource<Data>
  readonly children: (data: Data) => ComponentChildren
}): JSX.Element {
  const { data, error, loadedAt, reload } = resource
  if (data === undefined) return error === undefined ? <Loading /> : <Failure error={error} onRetry={reload} />
  return (
    <>
      {error !== undefined && <Failure error={error} onRetry={reload} since={loadedAt} />}
      {children(data)}
    </>
  )
}

/** Seen only after a while, so that nothing flashes. */
export function Loading(): JSX.Element {
  return (
    <p class="loading" role="status">
      Loading{'\u2026'}
    </p>
  )
}

export function Empty({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <div class="empty">{children}</div>
}

interface FailureProps {
  readonly error: ApiError
  readonly onRetry?: () => void
  /** Of when the data is that is still shown. */
  readonly since?: Date | undefined
}

export function Failure({ error, onRetry, since }: FailureProps): JSX.Element {
  return (
    <div class="notice notice-bad" role="alert">
      <p>
        {error.message}
        {since !== undefined && ` What you see is of ${formatTime(since)}.`}
        {error.code !== undefined && <span class="code muted"> {error.code}</span>}
      </p>
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          Retry
        </button>
      )}
    </div>
  )
}
