import { describe, expect, it } from 'vitest'
import { recordOf } from '../../lib/testing.js'
import { TokenEntry } from '../../lib/tokens/token-entry.js'
import { UserIndex, UserTokens } from '../../lib/tokens/user-tokens.js'

describe('UserIndex', () => {
  it('holds a user for as long as there is a token, so that logins and logouts leave nothing behind', () => {
    const users = new UserIndex(4)
    const owner = new UserTokens('alice')
    const [first, second] = ['a', 'b'].map((name, tick) => new TokenEntry(recordOf(name), owner, tick)) as [
      TokenEntry,
      TokenEntry,
    ]
    expect(users.find('alice')).toBeUndefined()
    users.add(first)
    users.add(second)
    users.remove(first)
    expect(users.find('alice')).toBe(owner)
    users.remove(second)
    expect(users.find('alice')).toBeUndefined()
  })

  it('leaves no link to an entry that has gone', () => {
    const users = new UserIndex(1)
    const owner = new UserTokens('alice')
    const entries = ['a', 'b', 'c'].map((name, tick) => new TokenEntry(recordOf(name), owner, tick))
    for (const entry of entries) users.add(entry)
    users.remove(entries[1]!)
    expect([entries[0]!.newerOfUser, entries[2]!.olderOfUser]).toEqual([entries[2], entries[0]])
    expect([entries[1]!.newerOfUser, entries[1]!.olderOfUser]).toEqual([undefined, undefined])
  })
})
