/**
 * Requests that change a directory.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { AddRequest, Attribute, BerWriter, Change, DeleteRequest, ExtendedRequest, ModifyRequest } from 'ldapts'
import type { Directory } from './directory.js'
import { rootEntryHas } from './directory-lookups.js'

/** Object identifier of the password modify operation (RFC 3062 section 2). */
const passwordModifyOid = '1.3.6.1.4.1.4203.1.11.1'

const digests = { SHA: 'sha1', MD5: 'md5' } as const

/** What a directory without RFC 3062 is given. */
export type PasswordHashMethod = 'PLAIN_TEXT' | keyof typeof digests

export function isPasswordHashMethod(method: string): method is PasswordHashMethod {
  return method === 'PLAIN_TEXT' || Object.hasOwn(digests, method)
}

export interface DirectoryWriterOptions {
  readonly activeDirectory: boolean
  readonly passwordHashMethod: PasswordHashMethod
}

/** Changes entries. Each method rejects with {@link LdapError} when the directory does not do it. */
export class DirectoryWriter {
  readonly #directory: Directory
  readonly #options: DirectoryWriterOptions
  readonly #hasPasswordModify: () => Promise<boolean>

  constructor(directory: Directory, options: DirectoryWriterOptions) {
    this.#directory = directory
    this.#options = options
    this.#hasPasswordModify = rootEntryHas(directory, 'supportedExtension', passwordModifyOid)
  }

  addEntry(dn: string, attributes: Readonly<Record<string, readonly string[]>>, signal?: AbortSignal): Promise<void> {
    const list = Object.entries(attributes).map(([type, values]) => new Attribute({ type, values: [...values] }))
    return this.#directory.write((messageId) => new AddRequest({ messageId, dn, attributes: list }), signal)
  }

  removeEntry(dn: string, signal?: AbortSignal): Promise<void> {
    return this.#directory.write((messageId) => new DeleteRequest({ messageId, dn }), signal)
  }

  addValue(dn: string, attribute: string, value: string, signal?: AbortSignal): Promise<void> {
    return this.#modify(dn, [createChange('add', attribute, value)], signal)
  }

  /** Removes a value, and adds `replacement` in the same step where there is one. */
  removeValue(dn: string, attribute: string, value: string, replacement?: string, signal?: AbortSignal): Promise<void> {
    const added = replacement === undefined ? [] : [createChange('add', attribute, replacement)]
    return this.#modify(dn, [...added, createChange('delete', attribute, value)], signal)
  }

  replaceValue(dn: string, attribute: string, value: string | Buffer, signal?: AbortSignal): Promise<void> {
    return this.#modify(dn, [createChange('replace', attribute, value)], signal)
  }

  /** By the password modify operation (RFC 3062), so that the directory hashes it, where there is one. */
  async setPassword(dn: string, password: string, signal?: AbortSignal): Promise<void> {
    const { activeDirectory, passwordHashMethod } = this.#options
    if (activeDirectory) return this.replaceValue(dn, 'unicodePwd', unicodePwdValue(password), signal)
    if (await this.#hasPasswordModify()) {
      const request = { oid: passwordModifyOid, value: passwordModifyValue(dn, password) }
      return this.#directory.write((messageId) => new ExtendedRequest({ messageId, ...request }), signal)
    }
    return this.replaceValue(dn, 'userPassword', userPasswordValue(password, passwordHashMethod), signal)
  }

  #modify(dn: string, changes: Change[], signal: AbortSignal | undefined): Promise<void> {
    return this.#directory.write((messageId) => new ModifyRequest({ messageId, dn, changes }), signal)
  }
}

function createChange(operation: 'add' | 'delete' | 'replace', type: string, value: string | Buffer): Change {
  const values = [value] as string[] | Buffer[]
  return new Change({ operation, modification: new Attribute({ type, values }) })
}

/** A value of `userPassword` (RFC 2307 section 5.3). Plain text is left to the directory to hash. */
export function userPasswordValue(password: string, method: PasswordHashMethod): string {
  if (method === 'PLAIN_TEXT') return password
  return `{${method}}${createHash(digests[method]).update(password, 'utf8').digest('base64')}`
}

/** A value of `unicodePwd`: the password in quotation marks, in UTF-16 ([MS-ADTS] section 3.1.1.3.1.5). */
export function unicodePwdValue(password: string): Buffer {
  return Buffer.from(`"${password}"`, 'utf16le')
}

const userIdentityTag = 0x80
const newPasswordTag = 0x82

/** The value of a password modify operation: whose, and the new one. */
export function passwordModifyValue(dn: string, password: string): Buffer {
  const writer = new BerWriter()
  writer.startSequence()
  writer.writeString(dn, userIdentityTag)
  writer.writeString(password, newPasswordTag)
  writer.endSequence()
  return writer.buffer
}
