import { hash as argon2 } from '@node-rs/argon2'
import bcrypt from 'bcryptjs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { SqlDatabase } from '../../../lib/sql/sql-database.js'
import { verifyPassword } from '../../../lib/users/passwords/password-hash.js'
import { type SqlUserStore, sqlUserStore } from '../../../lib/users/sql/sql-user-store.js'
import { recordedLog } from '../../helpers/recorded-log.js'
import { insertOwnUser, ownDatabase } from './engine.js'

vi.mock('../../../lib/users/passwords/password-hash.js', { spy: true })

const scrypt = `$scrypt$ln=4,r=8,p=1$${'c2FsdHNhbHRzYWx0c2FsdA'}$${'A'.repeat(43)}`
const unusable = ['', '$2b$31$short', '$6$rounds=5000$salt$digest', 'plain-secret']

// Covers: A10
describe('the work of a login whose password is wrong', () => {
  const { logger, entries } = recordedLog()
  let database: SqlDatabase
  let store: SqlUserStore
  let hashes: readonly string[]

  /** The hash that the login of a name verifies. */
  async function verifiedFor(name: string): Promise<string> {
    vi.mocked(verifyPassword).mockClear()
    await store.authenticate(name, 'wrong-secret')
    expect(vi.mocked(verifyPassword).mock.calls).toHaveLength(1)
    return vi.mocked(verifyPassword).mock.calls[0]![1]
  }

  beforeEach(async () => {
    database = await ownDatabase({ url: 'jdbc:sqlite::memory:' })
    hashes = [
      await argon2('right-secret', { memoryCost: 256, timeCost: 1, parallelism: 1 }),
      bcrypt.hashSync('right-secret', 4),
      bcrypt.hashSync('right-secret', 5),
      scrypt,
    ]
    store = await sqlUserStore({ datasource: database, logger })
  })

  afterEach(() => database.close())

  it.each([
    ['random ids', () => crypto.randomUUID()],
    ['ids that another program wrote', (name: string) => `id of ${name}`],
  ])(
    'is that of some user for every unknown name, and of any user for some, with %s',
    async (_ids, idOf) => {
      for (const [index, hash] of hashes.entries()) {
        const name = `${'adgm'[index]}-user`
        await insertOwnUser(database, name, hash)
        await database.query('UPDATE sallyport_user SET user_id = ? WHERE name = ?', [idOf(name), name])
      }
      const seen = new Set<string>()
      for (let count = 0; count < 1000 && seen.size < hashes.length; count++)
        seen.add(await verifiedFor(`nobody${count}`))
      expect(seen).toEqual(new Set(hashes))
    },
    60_000,
  )

  it('stays the same for a name, in whatever spelling, and is that of its own hash for a user', async () => {
    for (const [index, hash] of hashes.entries()) await insertOwnUser(database, `user${index}`, hash)
    const first = await verifiedFor('nobody')
    expect(await verifiedFor('NOBODY')).toBe(first)
    expect(await verifiedFor('PRIMARY/nobody')).toBe(first)
    for (const [index, hash] of hashes.entries()) expect(await verifiedFor(`user${index}`)).toBe(hash)
  })

  it('is no less for a user who is switched off', async () => {
    await insertOwnUser(database, 'alice', hashes[1]!)
    await database.query('UPDATE sallyport_user SET is_disabled = TRUE')
    expect(await verifiedFor('alice')).toBe(hashes[1])
    expect(await verifiedFor('nobody')).toBe(hashes[1])
  })

  it.each(unusable)(
    'is that of another user for one whose password is stored as %j, and the log says so',
    async (stored) => {
      await insertOwnUser(database, 'alice', stored)
      const made = await verifiedFor('nobody')
      expect(await verifiedFor('alice')).toBe(made)
      expect(await store.authenticate('alice', stored || 'wrong-secret')).toMatchObject({ failure: 'wrong-password' })
      expect(entries.at(-1)).toMatchObject({ level: 'error', message: expect.stringContaining('cannot log in') })
      expect(JSON.stringify(entries)).not.toContain('plain-secret')
      await insertOwnUser(database, 'bob', hashes[1]!)
      expect([made, hashes[1]]).toContain(await verifiedFor('alice'))
    },
  )
})
