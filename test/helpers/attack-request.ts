/**
 * The requests that `jwt-attacks.json` describes, and what is wrong with the answer to one.
 *
 * @module
 */

import { type CorpusEntry, corpus } from '../tokens/corpus-token.js'
import type { RawAnswer } from './raw-http.js'

/** What the corpus expects of an answer. */
export interface ExpectedAnswer {
  readonly result: CorpusEntry['expected']['result']
  readonly status?: number | readonly number[]
  /** The error code of the challenge (RFC 6750 section 3.1); `null`: none. */
  readonly error?: string | null
}

/** An entry that is sent as a request. */
export interface AttackEntry extends CorpusEntry {
  readonly expected: ExpectedAnswer
  readonly http?: {
    readonly headers: readonly (readonly [name: string, value: string])[]
    readonly method?: string
    readonly query?: string
    readonly body?: string
    readonly endpoint?: string
  }
}

/** The entries of one class. */
export function attacksOf(className: string): readonly AttackEntry[] {
  return (corpus.entries as readonly AttackEntry[]).filter((entry) => entry.class === className)
}

/** What the placeholders of a request stand for. */
export interface RequestValues {
  readonly token: string
  readonly session: string
}

/** The bytes of an entry's request, below `/management`. */
export function attackBytes({ http }: AttackEntry, path: string, values: RequestValues): Uint8Array {
  const { headers, method = 'GET', query, body } = http!
  const target = query === undefined ? path : `${path}?${fill(query, values)}`
  const fields = headers.map(([name, value]) => `${name}: ${fill(value, values)}`)
  return messageBytes(method, target, fields, body === undefined ? '' : fill(body, values))
}

/** The bytes of a request with one token, whatever characters it has. */
export function tokenRequestBytes(path: string, token: string): Uint8Array {
  return messageBytes('GET', path, [`Authorization: Bearer ${token}`], '')
}

/** One character is one byte, unless there is one that needs more. */
function messageBytes(method: string, target: string, fields: readonly string[], body: string): Uint8Array {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  const lines = [
    `${method} /management${target} HTTP/1.1`,
    'Host: front.test',
    'Connection: close',
    ...fields,
    ...length,
  ]
  const text = `${lines.join('\r\n')}\r\n\r\n${body}`
  const isLatin1 = [...text].every((character) => character.charCodeAt(0) <= 0xff)
  return Buffer.from(text, isLatin1 ? 'latin1' : 'utf8')
}

/** Replaces `{token}`, `{session}`, `{b64:...}` and `{b64u:...}`; `$repeat:c:n` stands for a letter n times. */
function fill(text: string, { token, session }: RequestValues): string {
  return text
    .replaceAll('{token}', token)
    .replaceAll('{session}', session)
    .replace(/\$repeat:(.):(\d+)\+?/g, (_, letter: string, count: string) => letter.repeat(Number(count)))
    .replace(/\{b64:(.*)\}/s, (_, plain: string) => Buffer.from(plain).toString('base64'))
    .replace(/\{b64u:(.*)\}/s, (_, plain: string) => Buffer.from(plain).toString('base64url'))
}

/** Challenges that say no more than which scheme is expected. */
const bareChallenges = ['Bearer realm="Sallyport"', 'Basic realm="Sallyport", charset="UTF-8"']

/** How an answer differs from what is expected of it; nothing when it does not. */
export function mistakesIn(answer: RawAnswer, { result, status, error }: ExpectedAnswer): readonly string[] {
  const statuses = [status ?? []].flat()
  const challenge = answer.header('www-authenticate')
  const mistakes: string[] = []
  if (!statuses.includes(answer.status)) mistakes.push(`gets ${answer.status}, not ${statuses.join(' or ')}`)
  if (result === 'accept') return mistakes
  if (answer.status === 401 && challenge === undefined) mistakes.push('gets a 401 without a challenge')
  if (error === null && challenge !== undefined && !bareChallenges.includes(challenge)) {
    mistakes.push(`is told ${challenge}, though no credential was recognised`)
  }
  if (typeof error === 'string' && !challenge?.includes(`error="${error}"`)) {
    mistakes.push(`is told ${challenge}, not ${error}`)
  }
  if (/AccessToken|"auth"/.test(answer.body)) mistakes.push('gets the body of an admitted request')
  return mistakes
}
