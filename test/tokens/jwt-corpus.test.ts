import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UnauthorizedError } from '../../lib/core/errors.js'
import { createRecord } from '../../lib/testing.js'
import type { KeyRing } from '../../lib/tokens/keys/key-ring.js'
import type { VerificationKey } from '../../lib/tokens/keys/signing-key.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import { tokenId } from '../../lib/tokens/token-id.js'
import { createTokens, type Tokens } from '../../lib/tokens/tokens.js'
import { buildToken, type CorpusEntry, corpus, corpusPublicKey } from './corpus-token.js'

const nowSeconds = Date.UTC(2026, 10, 21) / 1000
const now = nowSeconds * 1000

const tokenClasses = [
  'control',
  'alg-none',
  'alg-confusion',
  'key-injection',
  'crit-and-b64',
  'encoding',
  'json',
  'time',
  'claims',
  'ecdsa-edge',
  'rsa-edge',
  'compression',
]

/** What the strict verifier decides where the corpus leaves it open, and why. */
const policies: Record<string, { readonly result: 'reject' | 'accept'; readonly reason: string }> = {
  'ok-no-typ': { result: 'reject', reason: 'typ at+jwt is demanded (RFC 9068 section 2.1)' },
  'ok-unicode-sub': { result: 'accept', reason: 'names are Unicode' },
  'ok-second-key': { result: 'accept', reason: 'a retired key still verifies' },
  'ok-hs': { result: 'reject', reason: 'there are no shared secrets: HS256 is no algorithm of ours' },
  'alg-dup2': { result: 'reject', reason: 'a name that is given twice can be read in two ways' },
  'kj-x5t': { result: 'accept', reason: 'x5t is a digest: it brings no key and is not looked at' },
  'b64-true-crit': { result: 'reject', reason: 'every crit is refused' },
  'zip-def-plain': { result: 'reject', reason: 'zip means nothing in a JWS' },
  'ec-high-s': { result: 'accept', reason: 'both s are valid (RFC 7518); the store knows one text of a token only' },
  'exp-past1': { result: 'reject', reason: 'there is no tolerance for exp' },
  'exp-huge': { result: 'reject', reason: 'no token lives longer than 30 days' },
  'exp-ms': { result: 'reject', reason: 'no token lives longer than 30 days' },
  'iat-future': { result: 'reject', reason: 'we issued it, with the same clock' },
  'iat-missing': { result: 'reject', reason: 'iat is required (RFC 9068 section 2.2)' },
  'typ-id-token': { result: 'reject', reason: 'typ at+jwt is demanded' },
  'typ-logout': { result: 'reject', reason: 'typ at+jwt is demanded' },
  'typ-client-assertion': { result: 'reject', reason: 'typ at+jwt is demanded' },
  'typ-secevent': { result: 'reject', reason: 'typ at+jwt is demanded' },
  'typ-empty': { result: 'reject', reason: 'typ at+jwt is demanded' },
  'jti-proto': { result: 'accept', reason: 'jti makes tokens differ and is looked up nowhere' },
  'jti-unknown': { result: 'accept', reason: 'the store is keyed by the whole text: here it holds this very token' },
}

function expectedOf({ id, expected }: CorpusEntry): CorpusEntry['expected']['result'] {
  return policies[id]?.result ?? expected.result
}

const keys = ringOf([
  { kid: 'k1', algorithm: 'RS256', publicKey: corpusPublicKey('rsa-main') },
  { kid: 'k2', algorithm: 'RS256', publicKey: corpusPublicKey('rsa-second') },
  { kid: 'e1', algorithm: 'ES256', publicKey: corpusPublicKey('ec-main') },
])

function ringOf(verificationKeys: readonly VerificationKey[]): KeyRing {
  const byKid = new Map(verificationKeys.map((key) => [key.kid, key]))
  return {
    algorithm: 'RS256',
    kid: verificationKeys[0]!.kid,
    warnings: [],
    sign: () => Promise.reject(new Error('nothing is signed here')),
    find: (kid) => byKid.get(kid),
    jwks: () => ({ keys: [] }),
    jwksValidUntil: Number.POSITIVE_INFINITY,
  }
}

// Covers: B01 B02 B03 B04 B05 B06 B07 B08 B10 B11 B12 B13 B15 B16
describe('a token of the attack corpus', () => {
  const store = new MemoryTokenStore({ maxSize: 1000, clock: () => now })
  const tokens: Tokens = createTokens({
    store,
    keys,
    issuer: 'https://issuer.example',
    audience: 'management-api',
    expiryMs: 300_000,
    clock: () => now,
  })
  let trap: Server
  let trapPort: number
  let requestsAtTrap = 0

  beforeAll(async () => {
    trap = createServer((_request, response) => {
      requestsAtTrap++
      response.end(JSON.stringify({ keys: [corpus.keys['rsa-attacker']!.public] }))
    })
    trap.on('connection', () => requestsAtTrap++)
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
    trapPort = (trap.address() as AddressInfo).port
  })

  afterAll(async () => {
    await tokens.close()
    await new Promise((resolve) => trap.close(resolve))
    expect(requestsAtTrap).toBe(0)
  })

  const entries = corpus.entries.filter((entry) => tokenClasses.includes(entry.class))
  const build = (entry: CorpusEntry) => buildToken(entry, { nowSeconds, trapPort, tokenType: 'at+jwt' })
  const verify = async (token: string) => tokens.verify(token)

  it('is one of 242', () => {
    expect(entries).toHaveLength(242)
    expect(entries.filter(({ id, expected }) => expected.result === 'policy' && policies[id] === undefined)).toEqual([])
  })

  it.each(entries.map((entry) => [entry.id, entry.description, entry] as const))(
    '%s (%s) is refused when the store does not know it',
    async (_id, _description, entry) => {
      await expect(verify(build(entry).token)).rejects.toMatchObject({
        status: 401,
        code: 'ERR_TOKEN_INVALID',
        message: 'The access token is not valid.',
      })
    },
  )

  it.each(entries.map((entry) => [entry.id, expectedOf(entry), entry] as const))(
    '%s gets the verdict %s when its record came from outside this process',
    async (_id, expected, entry) => {
      const { token, payload } = build(entry)
      const subject = typeof payload?.['sub'] === 'string' ? payload['sub'] : 'admin'
      const isAdmin = subject === 'admin'
      const id = tokenId('management', token)
      store.add(createRecord('', { id, subject, isAdmin, issuedAt: now, expiresAt: now + 300_000, account: undefined }))

      const verdict: unknown = await verify(token).catch((error: unknown) => error)
      store.remove(id)
      if (verdict instanceof Error) {
        expect(verdict).toBeInstanceOf(UnauthorizedError)
        expect(verdict).toMatchObject({ code: 'ERR_TOKEN_INVALID', message: 'The access token is not valid.' })
        const privateReason = String((verdict as Error).cause)
        if (token !== '' && token.length > 3) expect(privateReason).not.toContain(token)
      }
      if (expected === 'accept') expect(verdict).toMatchObject({ subject, isAdmin, tokenId: id })
      if (expected === 'reject') expect(verdict).toBeInstanceOf(UnauthorizedError)
      if (expected === 'no-privilege-gain' && !(verdict instanceof Error))
        expect(verdict).toMatchObject({ isAdmin: false })
    },
  )
})
