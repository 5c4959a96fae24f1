/** Names that mean something to SQL, to a directory or to a collation: each logs in as itself and as nobody else. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SqlUserStore } from '../../../lib/users/sql/sql-user-store.js'

const specialNames = [
  ...'*()\\/,+"<>;=#\'%_!?$`@&|^~{}[]'.split('').flatMap((character) => [`al${character}ce`, `${character.repeat(3)}`]),
  "' OR '1'='1",
  "al'--",
  'al/*ce',
  "x'; DROP TABLE UM_USER; --",
  '\\\\alice',
  '$1',
  '#{env}',
  '%00',
  'OTHER/alice',
]

/** Names that some collation takes for one of the others. */
const twins = [
  'alice',
  'al\u00edce',
  'al\u00efce',
  '\uff41lice',
  'alic\u0435',
  'al\u0131ce',
  'ali\u00adce',
  'stra\u00dfe',
  'strasse',
  '\u{1f600}bob',
  '\u{1f601}bob',
]

/** Runs the suite on stores that `makeStore` makes empty of these names, with patterns that allow any of them. */
export function hostileNames(
  name: string,
  makeStore: (patterns: { userNamePattern: string }) => Promise<SqlUserStore>,
  isWide = true,
): void {
  const names = [...specialNames, ...(isWide ? twins : [])]

  describe(`${name} with names that mean something else`, () => {
    let store: SqlUserStore

    beforeEach(async () => {
      store = await makeStore({ userNamePattern: '.{2,60}' })
    })

    afterEach(async () => {
      await store.close()
    })

    it('logs each of them in as itself and as nobody else', async () => {
      const others = names.filter((other) => !['alice'].includes(other))
      for (const other of others) await store.add({ name: other, password: passwordOf(other), isAdmin: false })
      for (const one of others) {
        const { account } = await store.authenticate(one, passwordOf(one))
        expect([one, account?.subject]).toEqual([one, one.normalize('NFC')])
        expect((await store.find(one))?.subject).toBe(one.normalize('NFC'))
        expect(await store.list({ pattern: one.replace(/[*?]/g, '?') })).toContain(one.normalize('NFC'))
      }
      for (const one of others.slice(0, 12)) {
        for (const other of others.slice(0, 12)) {
          if (one === other) continue
          expect(await store.authenticate(one, passwordOf(other))).toEqual({ failure: 'wrong-password' })
        }
      }
    })

    it('removes and changes exactly the one that is meant', async () => {
      const few = ["al'--", 'al%ce', 'al_ce', 'al*ce', 'al\\ce', ...(isWide ? ['al\u00edce'] : [])]
      for (const one of few) await store.add({ name: one, password: passwordOf(one), isAdmin: false })
      for (const one of few) {
        await store.setPassword(one, 'other-secret')
        await store.changeRoles(one, { added: ['operators'], removed: [] })
        expect(await store.authenticate('alice', 'alice-secret')).toHaveProperty('account')
      }
      expect(await store.membersOf('operators')).toEqual([...few, 'bob'].map((each) => each.normalize('NFC')).sort())
      for (const one of few) await store.remove(one)
      expect(await store.list({})).toEqual(['alice', 'bob', 'carol'])
    })

    it.each([{ a: 1 }, ['alice'], Buffer.from('alice'), 1, true, null])(
      'takes no %j for a name or a password',
      async (value) => {
        const odd = value as unknown as string
        await expect(store.add({ name: odd, password: 'dave-secret', isAdmin: false })).rejects.toMatchObject({
          code: 'invalid-name',
        })
        await expect(store.add({ name: 'dave', password: odd, isAdmin: false })).rejects.toMatchObject({
          code: 'invalid-password',
        })
      },
    )
  })
}

function passwordOf(name: string): string {
  return `secret-${Buffer.from(name).toString('hex').slice(0, 20)}`
}
