import { hash } from 'bcryptjs'
import { describe, expect, it } from 'vitest'
import { type AttackEntry, attackBytes, attacksOf, type ExpectedAnswer, mistakesIn } from '../helpers/attack-request.js'
import { document, fileUser, startFront } from '../helpers/front.js'
import { twoSetUps } from '../helpers/set-ups.js'

const rightPassword = 'pa55'

/** Where the corpus leaves the choice, or where the answer is another one: what it is, and why. */
const policies: Readonly<Record<string, readonly [ExpectedAnswer, reason: string]>> = {
  'ba-colon-pass': [{ result: 'accept', status: 200 }, 'the first colon ends the name (RFC 7617 section 2)'],
  'ba-b64url': [{ result: 'accept', status: 200 }, 'these credentials have no letter that the two alphabets differ in'],
  'ba-nfd': [{ result: 'accept', status: 200 }, 'passwords are compared in NFC, whatever a keyboard sends'],
}

/** What `ba-b64url` is after: the base64url alphabet, and no padding. Basic has the standard one (RFC 7617 section 2). */
const ownEntries: readonly AttackEntry[] = ['{b64u:a>?>?:pa55}', '{b64u:a>?>?:pa55}=', '{b64u:admin:pa55}'].map(
  (value) => ({
    id: value,
    class: 'basic-auth',
    profile: 'rs256',
    description: 'login: base64url',
    http: { endpoint: 'login', headers: [['Authorization', `Basic ${value}`]] },
    expected: { result: 'reject', status: 401 },
  }),
)

/** The users that the entries speak of; each of them could be let in by a mistake that some entry provokes. */
async function usersOfCorpus(): Promise<readonly object[]> {
  return [
    fileUser('admin', rightPassword, { is_admin: true }),
    fileUser('adm?>in', rightPassword),
    fileUser('a>?>?', rightPassword),
    fileUser('colon', 'a:b:c'),
    fileUser('umlaut', 'p\u00e4ss'),
    fileUser('long72', await hash('A'.repeat(72), 4)),
  ]
}

describe.each(twoSetUps)('the ways of sending a name and a password, on $name', (setUp) => {
  // Covers: A03 A04 A05 A13
  it('log in only who has both right', async () => {
    const source = document({
      managementApi: { login_throttle: { enable: false } },
      internalApis: { users: await usersOfCorpus() },
    })
    const front = await startFront(setUp, { source })
    const mistakes: string[] = []
    const admitted: string[] = []
    const judge = async (entry: AttackEntry): Promise<void> => {
      const answer = await front.send(attackBytes(entry, '/login', { token: 'a.good.token', session: '' }))
      for (const mistake of mistakesIn(answer, policies[entry.id]?.[0] ?? entry.expected)) {
        mistakes.push(`${entry.id} ${mistake}`)
      }
      if (answer.body.includes('AccessToken')) admitted.push(entry.id)
    }
    await Promise.all([...attacksOf('basic-auth'), ...ownEntries].map(judge))
    expect(mistakes).toEqual([])
    expect(admitted.toSorted()).toEqual(['ba-b64url', 'ba-colon-pass', 'ba-nfd', 'ba-ok'])
    expect(front.events.filter(({ name }) => name === 'login')).toHaveLength(4)
    expect(front.handled).toEqual([])
  })
})
