import { createHash, randomBytes } from 'node:crypto'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import express5, { type Express } from 'express'
import { onTestFinished } from 'vitest'
import { createSecurity, type Security } from '../../lib/index.js'
import { type RecordedLog, recordedLog } from '../helpers/recorded-log.js'

/** Where the authorization server says that it is. What listens is plain HTTP on this machine. */
export const origin = 'https://localhost:9443'
export const issuer = `${origin}/oauth2`
export const callback = `${origin}/devportal/callback`

/** A hash of the secret of the confidential client. */
export const confidentialSecret = 'a secret of 32 letters and more.'

/** A public client with everything, a public one with nothing, and one of another site. */
export const providers: readonly object[] = [
  {
    name: 'devportal-app',
    redirect_uris: [callback, `${origin}/devportal/silent`],
    post_logout_redirect_uris: [`${origin}/devportal/`],
    pkce_mandatory: true,
    allow_without_client_secret: true,
    audience: 'https://api.example.com',
    scopes: ['orders', 'invoices'],
    refresh_tokens: true,
  },
  {
    name: 'other-app',
    redirect_uris: ['https://other.example.com/callback'],
    pkce_mandatory: true,
    allow_without_client_secret: true,
  },
]

export const passwords = { alice: 'correct horse battery', bob: 'another long password' } as const

/** What a front is made of, where it is not as usual. */
export interface OauthFrontOptions {
  readonly oauth?: object
  /** Further tables of the configuration. */
  readonly tables?: object
  readonly express?: typeof express5
  readonly clock?: () => number
  /** Called before `security.oauth()` is mounted. */
  readonly before?: (app: Express, security: Security) => void
  readonly options?: object
}

/** A front with an authorization server, which listens. */
export interface OauthFront {
  readonly security: Security
  /** The configuration that it was made with. */
  readonly source: object
  readonly log: RecordedLog
  readonly port: number
  send(path: string, init?: SendOptions): Promise<Answer>
  browser(): Browser
}

export interface SendOptions {
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string | string[]>> | undefined
  readonly body?: string | URLSearchParams | undefined
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  json(): Record<string, unknown>
}

export async function oauthFront(given: OauthFrontOptions = {}): Promise<OauthFront> {
  const log = recordedLog()
  const { express = express5, clock = Date.now } = given
  const users = Object.entries(passwords).map(([name, password]) => ({ user: { name, password } }))
  const source = {
    // Keys of this kind are made quickly.
    management_api: { jwt_token_security_handler: { token_config: { algorithm: 'ES256' } } },
    internal_apis: { users },
    oauth: { enable: true, issuer, algorithm: 'ES256', service_provider: providers, ...given.oauth },
    ...given.tables,
  }
  const security = await createSecurity(source, { logger: log.logger, clock, ...given.options })
  const app = express()
  given.before?.(app, security)
  app.use('/oauth2', security.oauth())
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await security.close()
  })
  const send = (path: string, init?: SendOptions) => sendTo(port, path, init)
  return { security, source, log, port, send, browser: () => new Browser(send) }
}

export function sendTo(port: number, path: string, { method = 'GET', headers = {}, body }: SendOptions = {}) {
  const isForm = body instanceof URLSearchParams
  const text = body?.toString() ?? ''
  return new Promise<Answer>((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      path,
      method,
      headers: {
        ...(isForm && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...(text !== '' && { 'content-length': String(Buffer.byteLength(text)) }),
        ...headers,
      },
    })
    request.once('error', reject)
    request.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('end', () => {
        const answer = Buffer.concat(chunks).toString()
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          text: answer,
          json: () => JSON.parse(answer),
        })
      })
    })
    request.end(text)
  })
}

/** `fetch` for client libraries: whatever is at the origin of the issuer is sent to the port. */
export function fetchOf(front: OauthFront) {
  return async (url: string, init: { method?: string; headers?: unknown; body?: unknown } = {}): Promise<Response> => {
    if (!url.startsWith(`${origin}/`)) throw new Error(`not at the issuer: ${url}`)
    const headers = Object.fromEntries(new Headers(init.headers as Record<string, string>))
    const body = init.body === undefined || init.body === null ? undefined : String(init.body)
    const answer = await front.send(url.slice(origin.length), { method: init.method, headers, body })
    const entries = Object.entries(answer.headers).map(([name, value]) => [name, String(value)] as [string, string])
    return new Response(answer.text === '' ? null : answer.text, { status: answer.status, headers: entries })
  }
}

/** Keeps cookies, as far as their paths go, and follows nothing by itself. */
export class Browser {
  readonly cookies = new Map<string, { readonly value: string; readonly path: string }>()
  readonly #send: OauthFront['send']

  constructor(send: OauthFront['send']) {
    this.#send = send
  }

  async go(target: string, init: SendOptions = {}): Promise<Answer> {
    const path = target.startsWith(origin) ? target.slice(origin.length) : target
    const sent = [...this.cookies].filter(([, cookie]) => path.startsWith(cookie.path))
    const cookie = sent.map(([name, { value }]) => `${name}=${value}`).join('; ')
    const answer = await this.#send(path, {
      ...init,
      headers: {
        'sec-fetch-site': 'same-origin',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        accept: 'text/html',
        ...(cookie !== '' && { cookie }),
        ...init.headers,
      },
    })
    for (const line of answer.headers['set-cookie'] ?? []) this.#take(line)
    return answer
  }

  #take(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    const [, cookiePath = '/'] = /path=([^;]+)/i.exec(line) ?? []
    const isGone = /max-age=0|expires=thu, 01 jan 1970/i.test(line)
    if (isGone) this.cookies.delete(name)
    else this.cookies.set(name, { value, path: cookiePath })
  }

  /** Goes to an address, signs in where the login page asks for it, and answers where the client is sent back to. */
  async signIn(target: string, user: keyof typeof passwords = 'alice'): Promise<URL> {
    let answer = await this.go(target)
    for (let step = 0; step < 6; step++) {
      const location = answer.headers.location
      if (location === undefined) throw new Error(`${answer.status}: ${answer.text.slice(0, 2000)}`)
      if (!location.startsWith(`${issuer}/`) && !location.startsWith('/oauth2/')) return new URL(location)
      if (location.includes('/login/')) {
        const body = new URLSearchParams({ username: user, password: passwords[user] })
        answer = await this.go(location, { method: 'POST', body })
      } else {
        answer = await this.go(location)
      }
    }
    throw new Error('went in circles')
  }
}

/** A verifier and its challenge. */
export function pkce(verifier = randomBytes(32).toString('base64url')) {
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

/** Where the sign-in of the usual client begins. A value of `undefined` leaves a parameter out. */
export function authorizeUrl(challenge: string, changes: Readonly<Record<string, string | undefined>> = {}): string {
  const parameters = {
    client_id: 'devportal-app',
    response_type: 'code',
    redirect_uri: callback,
    scope: 'openid orders',
    state: 'the state',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...changes,
  }
  const query = new URLSearchParams(
    Object.entries(parameters).filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
  return `${issuer}/authorize?${query}`
}

/** Exchanges a code of the usual client. */
export function exchange(
  front: OauthFront,
  code: string,
  verifier: string,
  changes: Readonly<Record<string, string | undefined>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const parameters = {
    grant_type: 'authorization_code',
    client_id: 'devportal-app',
    code,
    redirect_uri: callback,
    code_verifier: verifier,
    ...changes,
  }
  const body = new URLSearchParams(
    Object.entries(parameters).filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
  return front.send('/oauth2/token', { method: 'POST', body, headers })
}

/** A code, with the verifier that goes with it. */
export async function newCode(
  browser: Browser,
  changes: Readonly<Record<string, string>> = {},
  user?: 'alice' | 'bob',
) {
  const { verifier, challenge } = pkce()
  const back = await browser.signIn(authorizeUrl(challenge, changes), user)
  return { code: back.searchParams.get('code') ?? '', verifier, back }
}

export interface TokenAnswer {
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
}

/** Tokens of the usual client. */
export async function newTokens(front: OauthFront, browser: Browser, user?: 'alice' | 'bob'): Promise<TokenAnswer> {
  const { code, verifier } = await newCode(browser, {}, user)
  const answer = await exchange(front, code, verifier)
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.json() as unknown as TokenAnswer
}

export function refresh(front: OauthFront, token: string): Promise<Answer> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'devportal-app', refresh_token: token })
  return front.send('/oauth2/token', { method: 'POST', body })
}

export function userinfo(front: OauthFront, token: string): Promise<Answer> {
  return front.send('/oauth2/userinfo', { headers: { authorization: `Bearer ${token}` } })
}
