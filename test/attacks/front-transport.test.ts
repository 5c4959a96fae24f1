import { describe, expect, it } from 'vitest'
import { attackBytes, attacksOf, type ExpectedAnswer, mistakesIn } from '../helpers/attack-request.js'
import { type Front, startFront, users } from '../helpers/front.js'
import type { RawAnswer } from '../helpers/raw-http.js'
import { serverSetUps } from '../helpers/set-ups.js'

/** Where the corpus leaves the choice: what is chosen, and why. */
const policies: Readonly<Record<string, readonly [ExpectedAnswer, reason: string]>> = {
  'tr-two-spaces': [{ result: 'accept', status: 200 }, 'RFC 9110 section 11.4 allows one or more blanks'],
  'tr-cookie-and-header': [{ result: 'accept', status: 200 }, 'only the header is read: the caller is who it names'],
  'tr-options': [
    { result: 'reject', status: 401, error: 'invalid_token' },
    'without Access-Control-Request-Method it is no preflight, so it is authenticated like any request',
  ],
}

/** Entries that are ways of passing: a good token in a form that RFC 6750 and RFC 9110 allow. */
const admitted = ['tr-lower', 'tr-upper', 'tr-mixed', 'tr-hdr-upper', 'tr-two-spaces', 'tr-cookie-and-header']

describe.each(serverSetUps)('the ways of sending a good token, on $name', (setUp) => {
  // Covers: C01 C02 C03 C04 H03
  it('open the front only as RFC 6750 has them', async () => {
    const front: Front = await startFront(setUp)
    const values = { token: await front.login(users.reader), session: 'a-session-of-somebody-else' }
    const mistakes: string[] = []
    const passed: string[] = []
    for (const entry of attacksOf('transport')) {
      const before = front.handled.length
      const answer: RawAnswer = await front.send(attackBytes(entry, '/whoami', values))
      const expected = policies[entry.id]?.[0] ?? entry.expected
      for (const mistake of mistakesIn(answer, expected)) mistakes.push(`${entry.id} ${mistake}`)
      if (front.handled.length === before) continue
      passed.push(entry.id)
      expect(answer.json()).toMatchObject({ auth: { subject: 'reader', isAdmin: false } })
    }
    expect(mistakes).toEqual([])
    expect(passed).toEqual(admitted)
    expect(front.appErrors).toEqual([])
  })

  // Covers: C01
  it('do not open the front when the header is sent twice on one connection, first good and then bad', async () => {
    const front = await startFront(setUp)
    const token = await front.login(users.reader)
    const request = (credential: string, connection: string): string =>
      `GET /management/whoami HTTP/1.1\r\nHost: front.test\r\nAuthorization: Bearer ${credential}\r\nConnection: ${connection}\r\n\r\n`
    const { headerLines, body } = await front.send(request(token, 'keep-alive') + request(`${token}x`, 'close'))
    expect([...headerLines, body].join('\n')).toContain('"subject":"reader"')
    expect(body).toContain('HTTP/1.1 401 Unauthorized')
    expect(front.handled).toEqual(['GET /whoami'])
  })
})
