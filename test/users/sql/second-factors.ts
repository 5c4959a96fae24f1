/** The table of second factors in a database, beside the tables of the users. */

import { TOTP } from 'otpauth'
import { describe, expect, it } from 'vitest'
import type { SqlDatabase } from '../../../lib/sql/sql-database.js'
import { createSecondFactors, type SecondFactors } from '../../../lib/users/second-factor/second-factors.js'
import { initSecondFactors, sqlSecondFactors } from '../../../lib/users/second-factor/sql-second-factors.js'
import { loadTotp } from '../../../lib/users/second-factor/totp.js'

const now = Date.UTC(2026, 0, 1)

const codeFrom = (secret: string, at = now): string => new TOTP({ secret }).generate({ timestamp: at })

/** Two of them are two processes over one database, which the tests close. */
async function open(database: SqlDatabase): Promise<SecondFactors> {
  await initSecondFactors(database)
  return createSecondFactors(sqlSecondFactors(database, Buffer.alloc(32, 7)), await loadTotp('Sallyport'), () => now)
}

export function secondFactorTable(name: string, databaseOf: () => SqlDatabase): void {
  describe(`second factors in ${name}`, () => {
    it('are set up with a code of an operator, which is good once', async () => {
      const factors = await open(databaseOf())
      // Letters, accents and case tell users apart, whatever the collation is.
      const subject = 'PRIMARY/\u00e9l\u00e9onore'
      const invitation = await factors.createEnrolmentCode(subject, 60_000)
      expect(await factors.statusOf(subject)).toBe('invited')
      const { secret } = factors.createSecret(subject)
      expect(await factors.enrol(subject, secret, codeFrom(secret), 'another-code')).toBeUndefined()
      expect(await factors.enrol(subject, secret, codeFrom(secret), invitation)).toHaveLength(10)
      expect(await factors.enrol(subject, secret, codeFrom(secret), invitation)).toBeUndefined()
      expect(await factors.statusOf(subject)).toBe('enrolled')
      expect(await factors.statusOf('PRIMARY/eleonore')).toBe('none')
      await factors.remove(subject)
      expect(await factors.statusOf(subject)).toBe('none')
    })

    it('take a code once, and a recovery code once, of processes that ask at the same time', async () => {
      const [first, second] = [await open(databaseOf()), await open(databaseOf())]
      const { secret, recoveryCodes } = await first.assign('alice')
      const all = [first, second, first, second]
      for (const [code, factor] of [
        [codeFrom(secret), 'otp'],
        [recoveryCodes[0]!, 'recovery'],
      ] as const) {
        const outcomes = await Promise.all(all.map((factors) => factors.verify('alice', code)))
        expect(outcomes.filter(({ outcome }) => outcome === 'right')).toEqual([{ outcome: 'right', factor }])
      }
      await first.remove('alice')
    })

    it('count wrong codes of all processes, none of them less', async () => {
      const [first, second] = [await open(databaseOf()), await open(databaseOf())]
      const { secret } = await first.assign('bob')
      const guesses = [first, second, first, second, first].map((factors) => factors.verify('bob', '000000'))
      expect((await Promise.all(guesses)).map(({ outcome }) => outcome)).toEqual(Array(5).fill('wrong'))
      expect(await second.verify('bob', codeFrom(secret))).toMatchObject({ outcome: 'locked' })
      await second.unlock('bob')
      expect(await first.verify('bob', codeFrom(secret))).toMatchObject({ outcome: 'right' })
      await first.remove('bob')
    })
  })
}
