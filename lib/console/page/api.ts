/**
 * The JSON below the mount, as the page asks for it.
 *
 * @module
 */

/** A list, or a page of one. */
export interface List<Entry> {
  readonly count: number
  /** Entries of all pages; absent where there are no pages. */
  readonly total?: number
  /** `false`: there are more than are looked at. */
  readonly isComplete?: boolean
  readonly list: readonly Entry[]
}

/** Why an answer is not there. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** Status of the answer; 0: none came. */
  readonly status: number
  readonly code: string | undefined

  constructor(status: number, message: string, code?: string) {
    super(message)
    this.status = status
    this.code = code
  }

  /** Whether the same request may well be answered later. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

export interface RequestOptions {
  /** @defaultValue `'GET'` */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Sent as JSON. */
  readonly body?: object | undefined
  readonly signal?: AbortSignal | undefined
  /** Whether the page asks by itself, which is no activity of the user. */
  readonly isBackground?: boolean
  /** More headers. */
  readonly headers?: Readonly<Record<string, string>>
}

const requestTimeoutMs = 20_000
const endedEvents = new EventTarget()

/** Calls back once the session of the page has ended. @returns what stops that */
export function onSessionEnded(callback: () => void): () => void {
  endedEvents.addEventListener('ended', callback)
  return () => endedEvents.removeEventListener('ended', callback)
}

/** Asks for `api/<path>`. @throws ApiError for anything but a good answer, `AbortError` when `signal` ends it. */
export async function requestJson<Answer>(path: string, options: RequestOptions = {}): Promise<Answer> {
  const response = await send(path, 'application/json', options)
  return (await response.json().catch(() => {
    throw new ApiError(0, 'The answer was cut off.')
  })) as Answer
}

/** The response to a request that was answered well; its body may go on for long where nothing sets a time-out. */
export async function send(path: string, accept: string, options: RequestOptions): Promise<Response> {
  const { method = 'GET', body, signal, isBackground = false } = options
  const headers: Record<string, string> = { ...options.headers, Accept: accept }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (isBackground) headers['Sallyport-Background'] = '?1'
  const timeout = AbortSignal.timeout(requestTimeoutMs)
  const isStream = accept === 'text/event-stream'
  const signals = [...(signal === undefined ? [] : [signal]), ...(isStream ? [] : [timeout])]
  let response: Response
  try {
    response = await fetch(`api/${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.any(signals),
      cache: 'no-store',
      redirect: 'error',
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'The server cannot be reached.')
  }
  if (response.ok) return response
  const refusal = await readRefusal(response)
  await checkEntry(path, refusal)
  throw refusal
}

async function readRefusal(response: Response): Promise<ApiError> {
  const { status } = response
  const answer: unknown = await response.json().catch(() => undefined)
  const { Error: message, code } = Object(answer) as { readonly Error?: unknown; readonly code?: unknown }
  const text = typeof message === 'string' ? message : `The server answered with status ${status}.`
  return new ApiError(status, text, typeof code === 'string' ? code : undefined)
}

/** Who may not be here any more learns it from the server's own page; a 404 of one entry is no such answer. */
async function checkEntry(path: string, { status, code }: ApiError): Promise<void> {
  if (status === 401) endedEvents.dispatchEvent(new Event('ended'))
  const isDoubtful = status === 404 || (status === 403 && code === 'ERR_ADMIN_REQUIRED')
  if (!isDoubtful) return
  if (path === '' || (await isShutOut())) location.reload()
}

async function isShutOut(): Promise<boolean> {
  const response = await fetch('api/', {
    headers: { Accept: 'application/json', 'Sallyport-Background': '?1' },
    cache: 'no-store',
  }).catch(() => undefined)
  if (response?.status === 401) endedEvents.dispatchEvent(new Event('ended'))
  return response?.status === 404 || response?.status === 403
}

/** A query string of what is set; texts that are empty are left out. */
export function queryString(values: Readonly<Record<string, string | number | undefined>>): string {
  const set = Object.entries(values).filter(([, value]) => value !== undefined && value !== '')
  return set.length === 0 ? '' : `?${new URLSearchParams(set.map(([name, value]) => [name, String(value)]))}`
}
