import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

/** How the issuer answers: as it should, with 500, or never. */
export type IssuerMood = 'well' | 'broken' | 'silent'

/** A key of the issuer. */
export interface IssuerKey {
  readonly kid: string
  readonly alg: string
  readonly jwk: JWK
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>
}

/** An identity provider of a test: discovery and keys, and tokens that are signed with them. */
export interface FakeIssuer {
  readonly url: string
  /** What was asked for, in its order. */
  readonly requests: string[]
  mood: IssuerMood
  keys: readonly IssuerKey[]
  jwksPath: string
  /** Members that replace those of the discovery document. */
  discovery: Record<string, unknown>
  close(): Promise<void>
}

/** Generates a key and what signs with it. */
export async function newIssuerKey(kid: string, alg = 'ES256'): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
  return {
    kid,
    alg,
    jwk,
    sign: (claims, header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'at+jwt', ...header }).sign(privateKey),
  }
}

/** Starts an issuer on a free port of the loopback interface. */
export async function startFakeIssuer(keys: readonly IssuerKey[]): Promise<FakeIssuer> {
  const server = createServer((request, response) => {
    issuer.requests.push(request.url!)
    if (issuer.mood === 'silent') return
    const found = documents()[request.url!]
    response.statusCode = issuer.mood === 'broken' ? 500 : found === undefined ? 404 : 200
    response.setHeader('content-type', 'application/json').end(JSON.stringify(found ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const documents = (): Record<string, object> => ({
    '/.well-known/openid-configuration': { issuer: url, jwks_uri: url + issuer.jwksPath, ...issuer.discovery },
    [issuer.jwksPath]: { keys: issuer.keys.map(({ jwk }) => jwk) },
  })
  const issuer: FakeIssuer = {
    url,
    requests: [],
    mood: 'well',
    keys,
    jwksPath: '/keys',
    discovery: {},
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return issuer
}
