import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { SigningAlgorithm } from '../../../lib/config/config.js'
import { verifyCompactJws } from '../../../lib/tokens/jwt/compact-jws.js'
import type { VerificationKey } from '../../../lib/tokens/keys/signing-key.js'

interface Vectors {
  readonly testGroups: readonly {
    readonly comment: string
    readonly public?: JsonWebKey & { readonly kid?: string; readonly alg?: string; readonly use?: string }
    readonly tests: readonly {
      readonly tcId: number
      readonly comment: string
      readonly jws: string | object
      readonly result: 'valid' | 'invalid'
    }[]
  }[]
}

const file = new URL('../../corpora/wycheproof/json_web_signature_test.json', import.meta.url)
const { testGroups }: Vectors = JSON.parse(readFileSync(file, 'utf8'))
const ours: readonly string[] = ['RS256', 'ES256', 'EdDSA'] satisfies SigningAlgorithm[]

/** The key of a group, if it is one that a key ring would take: a public key for one of our algorithms, and for signing. */
function keyOf({ public: jwk }: Vectors['testGroups'][number]): VerificationKey | undefined {
  if (jwk === undefined || !ours.includes(jwk.alg ?? '') || (jwk.use ?? 'sig') !== 'sig') return undefined
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
  if (jwk.alg === 'RS256' && (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) return undefined
  return { kid: jwk.kid!, algorithm: jwk.alg as SigningAlgorithm, publicKey }
}

const vectors = testGroups.flatMap((group) =>
  group.tests.map((test) => ({ ...test, group: group.comment, key: keyOf(group) })),
)

async function isAccepted({ jws, key }: (typeof vectors)[number]): Promise<boolean> {
  const text = typeof jws === 'string' ? jws : JSON.stringify(jws)
  return verifyCompactJws(text, { find: (kid) => (kid === key?.kid ? key : undefined) }).then(
    () => true,
    () => false,
  )
}

// Covers: B01 B07 B08
describe('the Wycheproof vectors for JWS', () => {
  it('are 401', () => {
    expect(vectors).toHaveLength(401)
  })

  it.each(
    vectors
      .filter(({ result }) => result === 'invalid')
      .map((vector) => [vector.tcId, vector.group, vector.comment, vector] as const),
  )('number %i (%s, %s) is refused', async (_number, _group, _comment, vector) => {
    expect(await isAccepted(vector)).toBe(false)
  })

  it('are accepted where they are valid, for one of our algorithms, and name the key', async () => {
    const accepted: string[] = []
    for (const vector of vectors)
      if (await isAccepted(vector)) accepted.push(`${vector.tcId} ${vector.group} ${vector.comment}`)
    expect(accepted).toMatchInlineSnapshot(`
      [
        "18 es256 acceptsValid",
        "33 rs256 acceptsValid",
        "260 rs256 allZeroPayload",
        "261 rs256 oneBytePayload",
        "262 rs256 normalPayload",
        "263 rs256 normalPayload",
        "345 rfc7520 Figure13",
        "349 rfc7520WithKeyOps Figure13",
        "378 SpecialCaseEs256 valid",
      ]
    `)
  })
})
