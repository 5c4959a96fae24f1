/**
 * Calls the management API of a running server.
 *
 * @module
 */

import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { CommandError, exitCodes } from '../command.js'
import { printable, printableLines } from '../output.js'

/** The JSON object of an answer. */
export type Answer = Readonly<Record<string, unknown>>

export interface Call {
  readonly query?: Readonly<Record<string, string | number | undefined>> | undefined
  readonly body?: object | undefined
  /** The code of a second factor. */
  readonly otp?: string | undefined
  /** Whether the answer has no body. @defaultValue `false` */
  readonly isBodiless?: boolean | undefined
}

export interface ServerClient {
  readonly url: string
  /** @throws {@link CommandError} that says why there is no answer, or what the server has refused, and what to do. */
  call(method: string, path: string, call?: Call): Promise<Answer>
}

export interface ServerClientOptions {
  /** Of the management API, as {@link readServerUrl} gives it. */
  readonly url: string
  /** `Authorization` of each request. */
  readonly authorization: string
  /** PEM of the authorities that are trusted. @defaultValue those of Node */
  readonly ca?: string | undefined
  /** The error for a 401. */
  readonly signedOut: (answer: Answer) => CommandError
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * The URL without a slash at its end.
 *
 * @throws {@link CommandError} for what is none, and for plain HTTP to another machine, which would show the password to all on the way.
 */
export function readServerUrl(text: string): string {
  const usage = (why: string, shown = printable(text)): CommandError =>
    new CommandError(`The server ${shown} ${why}, as https://localhost:9164/management`, exitCodes.usage)
  if (!URL.canParse(text)) throw usage('must be the URL of a management API')
  const { protocol, hostname, username, password, search, hash, origin, pathname } = new URL(text)
  // Neither the password nor what a query has is for the log of a CI job.
  if (username !== '' || password !== '') throw usage('must have no name and no password in it', origin + pathname)
  if (protocol !== 'https:' && protocol !== 'http:') throw usage('must be an https URL')
  if (search !== '' || hash !== '') throw usage('must end with the path of the management API', origin + pathname)
  if (protocol === 'http:' && !loopback.test(hostname)) throw usage('is another machine, and must be an https URL')
  return origin + pathname.replace(/\/+$/, '')
}

const timeoutMs = 30_000
const maxAnswerBytes = 32 * 1024 * 1024

export function createServerClient({ url, authorization, ca, signedOut }: ServerClientOptions): ServerClient {
  const { protocol, hostname, port, pathname } = new URL(url)
  const base = pathname.replace(/\/$/, '')
  const send = protocol === 'https:' ? requestHttps : requestHttp

  function exchange(
    method: string,
    path: string,
    { text, otp }: { readonly text: string | undefined; readonly otp: string | undefined },
  ): Promise<[IncomingMessage, string]> {
    return new Promise((resolve, reject) => {
      const headers = {
        Authorization: authorization,
        Accept: 'application/json',
        ...(otp !== undefined && { 'X-OTP': otp }),
        ...(text !== undefined && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
      }
      const trust = protocol === 'https:' ? { ca, rejectUnauthorized: true } : {}
      const host = hostname.replace(/^\[(.*)\]$/, '$1')
      const request = send({ ...trust, host, port, method, path: base + path, headers, agent: false }, (response) => {
        const chunks: Buffer[] = []
        let length = 0
        response.on('data', (chunk: Buffer) => {
          length += chunk.length
          if (length > maxAnswerBytes) request.destroy(new Error('the answer is too long'))
          else chunks.push(chunk)
        })
        response.on('end', () => resolve([response, Buffer.concat(chunks).toString('utf8')]))
        response.on('error', reject)
      })
      const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
      request.on('close', () => clearTimeout(timer))
      request.on('error', reject)
      request.end(text)
    })
  }

  return {
    url,
    async call(method, path, { query = {}, body, otp, isBodiless = false } = {}) {
      const parameters = new URLSearchParams()
      for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value))
      const target = parameters.size === 0 ? path : `${path}?${parameters}`
      const [response, text] = await exchange(method, target, { text: body && JSON.stringify(body), otp }).catch(
        (error: Error) => {
          throw unreachable(url, error)
        },
      )
      const { statusCode: status = 0 } = response
      if (status === 401) throw signedOut(parseAnswer(text) ?? {})
      const answer = isBodiless && text === '' && status < 300 ? {} : parseAnswer(text)
      if (answer === undefined || (status >= 300 && status < 400)) throw noManagementApi(url, status)
      if (status >= 400) throw refused(url, status, answer, response.headers['retry-after'])
      return answer
    },
  }
}

/** One segment of a path. */
export function segment(name: string): string {
  // Clients and proxies resolve these two.
  return /^\.{1,2}$/.test(name) ? name.replaceAll('.', '%2E') : encodeURIComponent(name)
}

function parseAnswer(text: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Answer) : undefined
  } catch {
    return undefined
  }
}

const untrusted = /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT)/

function unreachable(url: string, error: NodeJS.ErrnoException): CommandError {
  const { code = '', message } = error
  const reason = printable(message || code)
  return new CommandError(
    untrusted.test(code)
      ? `The certificate of ${url} is not trusted (${reason}). If its authority is your own, name it: --ca-file FILE`
      : `${url} cannot be reached: ${reason}`,
    exitCodes.unreachable,
  )
}

function noManagementApi(url: string, status: number): CommandError {
  return new CommandError(
    `${url} answered ${status} without JSON: is this the URL of the management API, with the path of its mount?`,
    exitCodes.unreachable,
  )
}

function refused(url: string, status: number, answer: Answer, retryAfter: string | undefined): CommandError {
  const { Error: message = 'Refused.', code = '' } = answer
  const wait = retryAfter !== undefined && /^\d+$/.test(retryAfter) ? ` Try again in ${retryAfter} seconds.` : ''
  const hint = status === 404 && code === '' ? ` Does ${url} belong to this version of the package?` : ''
  const shown = printableLines(String(message))
  return new CommandError(`${shown} (${status}${code === '' ? '' : ` ${printable(String(code))}`})${wait}${hint}`)
}
