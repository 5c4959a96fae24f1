/** An OpenID provider in this process, which answers whatever a test wants it to. */

import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

export const clientId = 'the portals'
export const clientSecret = 'the secret of the portals'

/** A key that the provider signs with. */
export interface ProviderKey {
  readonly jwk: JWK
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>
}

export async function newKey(kid: string, alg = 'ES256'): Promise<ProviderKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
  return {
    jwk,
    sign: (claims, header = {}) => new SignJWT(claims).setProtectedHeader({ alg, kid, ...header }).sign(privateKey),
  }
}

/** What a code stands for. */
interface Grant {
  readonly redirectUri: string
  readonly challenge: string
  readonly nonce: string | undefined
  readonly claims: Record<string, unknown>
}

export class FakeProvider {
  readonly requests: string[] = []
  url = ''
  keys: ProviderKey[] = []
  jwksPath = '/jwks'
  /** Members that replace those of the discovery document. */
  metadata: Record<string, unknown> = {}
  userinfo: Record<string, unknown> | undefined
  /** `silent`: it takes requests and answers none. */
  mood: 'well' | 'silent' | 'broken' = 'well'
  /** Makes the ID token of a sign-in. */
  createIdToken: (claims: Record<string, unknown>) => Promise<string> = (claims) => this.keys[0]!.sign(claims)
  readonly #grants = new Map<string, Grant>()
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  #codes = 0

  async start(): Promise<this> {
    this.keys = [await newKey('first')]
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  /** What the provider does when somebody has signed in: the address that it sends the browser to. */
  authorize(
    signInUrl: string,
    claims: Record<string, unknown>,
    changes: Readonly<Record<string, string | undefined>> = {},
  ): URL {
    const asked = new URL(signInUrl).searchParams
    const code = `code ${++this.#codes}`
    this.#grants.set(code, {
      redirectUri: asked.get('redirect_uri')!,
      challenge: asked.get('code_challenge')!,
      nonce: asked.get('nonce')!,
      claims,
    })
    const answer = { code, state: asked.get('state')!, iss: this.url, ...changes }
    return withQuery(asked.get('redirect_uri')!, answer)
  }

  async logoutToken(claims: Record<string, unknown>, key = this.keys[0]!, header: Record<string, unknown> = {}) {
    return key.sign({ ...this.#base(), ...logoutClaims(), ...claims }, { typ: 'logout+jwt', ...header })
  }

  #base(): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1000)
    return { iss: this.url, aud: clientId, iat: now, exp: now + 120 }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url!, this.url)
    this.requests.push(pathname)
    if (this.mood === 'silent') return
    const answers: Record<string, () => Promise<object> | object> = {
      '/.well-known/openid-configuration': () => ({
        issuer: this.url,
        authorization_endpoint: `${this.url}/authorize`,
        token_endpoint: `${this.url}/token`,
        userinfo_endpoint: this.userinfo && `${this.url}/userinfo`,
        jwks_uri: this.url + this.jwksPath,
        end_session_endpoint: `${this.url}/logout`,
        authorization_response_iss_parameter_supported: true,
        id_token_signing_alg_values_supported: ['ES256', 'HS256', 'none', 'RS256'],
        response_types_supported: ['code'],
        ...this.metadata,
      }),
      [this.jwksPath]: () => ({ keys: this.keys.map(({ jwk }) => jwk) }),
      '/userinfo': () => this.userinfo ?? {},
      '/token': async () => this.#token(new URLSearchParams(await textOf(request)), request.headers.authorization),
    }
    const answer = this.mood === 'broken' ? undefined : await answers[pathname]?.()
    const isError = answer === undefined || 'error' in answer
    response.statusCode = this.mood === 'broken' ? 500 : isError ? 400 : 200
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer ?? {}))
  }

  async #token(form: URLSearchParams, authorization = ''): Promise<object> {
    const basic = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString()
    if (basic !== [clientId, clientSecret].map((text) => encodeURIComponent(text).replaceAll('%20', '+')).join(':'))
      return { error: 'invalid_client' }
    const code = form.get('code') ?? ''
    const grant = this.#grants.get(code)
    this.#grants.delete(code)
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (grant === undefined || grant.redirectUri !== form.get('redirect_uri') || grant.challenge !== challenge)
      return { error: 'invalid_grant' }
    const claims = { ...this.#base(), ...(grant.nonce !== undefined && { nonce: grant.nonce }), ...grant.claims }
    const id_token = await this.createIdToken(claims)
    return { access_token: 'an access token', token_type: 'Bearer', id_token }
  }
}

function logoutClaims(): Record<string, unknown> {
  return {
    jti: `jti ${Math.random()}`,
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  }
}

function withQuery(address: string, query: Readonly<Record<string, string | undefined>>): URL {
  const url = new URL(address)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
  return url
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
