import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { attacksOf, type ExpectedAnswer, mistakesIn, tokenRequestBytes } from '../helpers/attack-request.js'
import { bearer, startFront } from '../helpers/front.js'
import { listen } from '../helpers/raw-exchange.js'
import { twoSetUps } from '../helpers/set-ups.js'
import { buildToken, respell } from '../tokens/corpus-token.js'

const classes = [
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
] as const

/** What every token gets that the store of the front does not know, whoever signed it. */
const unknownToken: ExpectedAnswer = { result: 'reject', status: 401, error: 'invalid_token' }

/** Where the answer is another one, and why. */
const deviations: Readonly<Record<string, readonly [ExpectedAnswer, reason: string]>> = {
  'shape-empty': [{ result: 'reject', status: 401, error: null }, 'no token was sent'],
  'shape-nullbyte': [{ result: 'reject', status: 400 }, 'Node takes no NUL in a header'],
}

/** Spellings that Node takes for no header at all. */
const refusedByNode = /nul-mid|lf-tail/

/** What a token gets for its length: from Node beyond 16 KiB of headers, and as no credential beyond 8 KiB of one. */
function expectedFor(id: string, token: string, spelling: string | undefined): ExpectedAnswer {
  const deviation = deviations[id]?.[0]
  if (deviation !== undefined) return deviation
  if (token.length > 16_384) return { result: 'reject', status: 431 }
  if (token.length > 8_192 - 'Bearer '.length) return { result: 'reject', status: 401, error: null }
  return refusedByNode.test(spelling ?? '') ? { result: 'reject', status: 400 } : unknownToken
}

describe.each(twoSetUps)('tokens of the attack corpus, sent to the front on $name', (setUp) => {
  // Covers: B01 B02 B03 B04 B05 B06 B07 B15 B16
  it.each(classes)('pass in none of the forms of class %s', async (className) => {
    let connections = 0
    const trap = createServer((_request, response) => response.end('{"keys":[]}')).on('connection', () => connections++)
    const trapPort = await listen(trap)
    onTestFinished(() => void trap.close())
    const front = await startFront(setUp)
    const nowSeconds = Math.floor(Date.now() / 1000)
    const mistakes: string[] = []
    for (const entry of attacksOf(className)) {
      const { token } = buildToken(entry, { nowSeconds, trapPort, tokenType: 'at+jwt' })
      const expected = expectedFor(entry.id, token, entry.signature?.variant)
      const answer = await front.send(tokenRequestBytes('/apis', token))
      for (const mistake of mistakesIn(answer, expected)) mistakes.push(`${entry.id} ${mistake}`)
      if (token.length > 20 && answer.body.includes(token)) mistakes.push(`${entry.id} is repeated in the answer`)
    }
    expect(mistakes).toEqual([])
    expect(front.handled).toEqual([])
    expect(front.appErrors).toEqual([])
    expect(connections, 'connections to an address that a token named').toBe(0)
  })

  // Covers: B08 C09
  it('pass in one spelling only, and in none once they have ended', async () => {
    const front = await startFront(setUp)
    const token = await front.login()
    const parts = token.split('.') as [string, string, string]
    const variants = [
      'pad1',
      'pad2',
      'star-tail',
      'pct',
      'extra-char',
      'quote',
      'hash',
      'query',
      'space-mid',
      'tab-mid',
    ]
    const spellings = [...variants, 'bang-mid', 'trail-bits', 'trail-bits-2'].flatMap((variant) =>
      parts.flatMap((part, index) => {
        // A part of whole groups of three bytes has no unused bits.
        if (variant.startsWith('trail-bits') && index !== 2) return []
        return [parts.with(index, respell(part, variant)).join('.')]
      }),
    )
    for (const spelling of spellings) {
      expect((await front.send(tokenRequestBytes('/apis', spelling))).status, spelling).toBe(401)
    }
    expect(front.handled).toEqual([])
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(200)
    expect((await front.call('GET', '/logout', [bearer(token)])).status).toBe(200)
    for (const spelling of [token, ...spellings]) {
      expect((await front.send(tokenRequestBytes('/apis', spelling))).status, spelling).toBe(401)
    }
    expect(front.handled).toEqual(['GET /apis'])
  })
})
