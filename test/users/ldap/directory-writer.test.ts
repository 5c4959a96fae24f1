/** What is sent to change a password, by what the directory offers. */

import { BerReader } from 'ldapts'
import { describe, expect, it } from 'vitest'
import type { Directory } from '../../../lib/users/ldap/directory.js'
import { DirectoryWriter, type PasswordHashMethod } from '../../../lib/users/ldap/directory-writer.js'
import { LdapError } from '../../../lib/users/ldap/ldap-error.js'

const passwordModify = '1.3.6.1.4.1.4203.1.11.1'

/** A directory that keeps what it is sent, as one character for each byte. */
function keeping(extensions: () => readonly string[]): { readonly directory: Directory; readonly sent: string[] } {
  const sent: string[] = []
  const directory = {
    search: async () => ({ entries: [{ dn: '', values: extensions, nextValue: () => undefined }], isCut: false }),
    write: async (make: Parameters<Directory['write']>[0]) => {
      sent.push(make(1).write().toString('latin1'))
    },
  } as unknown as Directory
  return { directory, sent }
}

const writerOf = (
  directory: Directory,
  passwordHashMethod: PasswordHashMethod = 'PLAIN_TEXT',
  activeDirectory = false,
) => new DirectoryWriter(directory, { activeDirectory, passwordHashMethod })

describe('a password', () => {
  it('is changed by the password modify operation where there is one, and left to the directory to hash', async () => {
    const { directory, sent } = keeping(() => ['1.2.3', passwordModify])
    await writerOf(directory, 'SHA').setPassword('cn=a', 'secret')
    expect(sent).toEqual([expect.stringContaining(passwordModify)])
    expect(sent[0]).toContain('\x82\x06secret')
  })

  it('is replaced where there is none, hashed as it is asked for', async () => {
    const { directory, sent } = keeping(() => [])
    await writerOf(directory, 'SHA').setPassword('cn=a', 'secret')
    expect(sent).toEqual([expect.stringContaining('userPassword')])
    expect(sent[0]).toContain('{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=')
  })

  it('of an Active Directory is replaced without asking', async () => {
    const { directory, sent } = keeping(() => {
      throw new Error('asked')
    })
    await writerOf(directory, 'PLAIN_TEXT', true).setPassword('cn=a', 'pw')
    expect(sent).toEqual([expect.stringContaining('unicodePwd')])
    expect(sent[0]).toContain('"\0p\0w\0"\0')
    expect(new BerReader(Buffer.from(sent[0]!, 'latin1')).readSequence()).toBe(0x30)
  })

  it('asks again for what the directory offers after it could not be asked', async () => {
    let isDown = true
    const { directory, sent } = keeping(() => {
      if (isDown) throw new LdapError('connection', 'down')
      return [passwordModify]
    })
    const writer = writerOf(directory)
    await expect(writer.setPassword('cn=a', 'secret')).rejects.toBeInstanceOf(LdapError)
    isDown = false
    await writer.setPassword('cn=a', 'secret')
    expect(sent).toHaveLength(1)
  })
})
