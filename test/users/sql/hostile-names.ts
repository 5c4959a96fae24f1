/** Names that mean something to SQL, to a directory or to a collation: each logs in as itself and as nobody else. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SqlUserStore } from '../../../lib/users/sql/sql-user-store.js'
import type { UserStore } from '../../../lib/users/user-store.js'

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

/** Each of the names with a password of its own. `isWide`: with those that some collation takes for one of the others. */
export function hostileUsers(isWide: boolean): readonly { readonly name: string; readonly password: string }[] {
  const names = [...specialNames, ...(isWide ? twins : [])].filter((name) => name !== 'alice')
  return names.map((name) => ({ name, password: passwordOf(name) }))
}

/** Demands that each of the users of a store logs in as itself, and not with the password of another. */
export async function expectThemselvesOnly(store: UserStore, users: ReturnType<typeof hostileUsers>): Promise<void> {
  for (const { name, password } of users) {
    const { account } = await store.authenticate(name, password)
    expect([name, account?.subject]).toEqual([name, name.normalize('NFC')])
    expect((await store.find(name))?.subject).toBe(name.normalize('NFC'))
  }
  const few = users.slice(0, 12)
  for (const { name } of few) {
    for (const { name: other, password } of few) {
      if (name === other) continue
      expect(await store.authenticate(name, password)).toMatchObject({ failure: 'wrong-password' })
    }
  }
}

/** Runs the suite on stores that `makeStore` makes empty of these names, with patterns that allow any of them. */
export function hostileNames(
  name: string,
  makeStore: (patterns: { userNamePattern: string }) => Promise<SqlUserStore>,
  isWide = true,
): void {
  describe(`${name} with names that mean something else`, () => {
    let store: SqlUserStore

    beforeEach(async () => {
      store = await makeStore({ userNamePattern: '.{2,60}' })
    })

    afterEach(async () => {
      await store.close()
    })

    it('logs each of them in as itself and as nobody else', async () => {
      const others = hostileUsers(isWide)
      for (const other of others) await store.add({ ...other, isAdmin: false })
      await expectThemselvesOnly(store, others)
      for (const { name: one } of others) {
        expect(await store.list({ pattern: one.replace(/[*?]/g, '?') })).toContain(one.normalize('NFC'))
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
      expect(await store.listMembers('operators')).toEqual([...few, 'bob'].map((each) => each.normalize('NFC')).sort())
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
