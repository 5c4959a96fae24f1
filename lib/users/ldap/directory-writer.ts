/**
 * Requests that change a directory.
 *
 * @module
 */

import { AddRequest, Attribute, Change, DeleteRequest, ExtendedRequest, ModifyRequest } from 'ldapts'
import type { Directory } from './directory.js'
import type { PasswordHashMethod } from './password-value.js'
import { passwordModifyOid, passwordModifyValue, unicodePwdValue, userPasswordValue } from './password-value.js'
import { rootEntryHas } from './root-entry.js'

/** Options of {@link directoryWriter}. */
export interface DirectoryWriterOptions {
  readonly directory: Directory
  readonly isActiveDirectory: boolean
  readonly passwordHashMethod: PasswordHashMethod
}

/** Changes entries. Each rejects with {@link LdapError} when the directory does not do it. */
export interface DirectoryWriter {
  addEntry(dn: string, attributes: Readonly<Record<string, readonly string[]>>, signal?: AbortSignal): Promise<void>
  removeEntry(dn: string, signal?: AbortSignal): Promise<void>
  addValue(dn: string, attribute: string, value: string, signal?: AbortSignal): Promise<void>
  /** Takes a value away, and puts another in its place in the same step where one is given. */
  removeValue(dn: string, attribute: string, value: string, instead?: string, signal?: AbortSignal): Promise<void>
  replaceValue(dn: string, attribute: string, value: string, signal?: AbortSignal): Promise<void>
  /** By the password modify operation (RFC 3062), so that the directory hashes it, where there is one. */
  setPassword(dn: string, password: string, signal?: AbortSignal): Promise<void>
}

/** Makes the writer of one store. */
export function directoryWriter({
  directory,
  isActiveDirectory,
  passwordHashMethod,
}: DirectoryWriterOptions): DirectoryWriter {
  const knowsPasswordModify = rootEntryHas(directory, 'supportedExtension', passwordModifyOid)

  function modify(dn: string, changes: Change[], signal: AbortSignal | undefined): Promise<void> {
    return directory.write((messageId) => new ModifyRequest({ messageId, dn, changes }), signal)
  }

  function change(operation: 'add' | 'delete' | 'replace', type: string, value: string | Buffer): Change {
    const values = typeof value === 'string' ? [value] : [value]
    return new Change({ operation, modification: new Attribute({ type, values: values as string[] | Buffer[] }) })
  }

  return {
    addEntry(dn, attributes, signal) {
      const list = Object.entries(attributes).map(([type, values]) => new Attribute({ type, values: [...values] }))
      return directory.write((messageId) => new AddRequest({ messageId, dn, attributes: list }), signal)
    },

    removeEntry: (dn, signal) => directory.write((messageId) => new DeleteRequest({ messageId, dn }), signal),

    addValue: (dn, attribute, value, signal) => modify(dn, [change('add', attribute, value)], signal),

    removeValue(dn, attribute, value, instead, signal) {
      const added = instead === undefined ? [] : [change('add', attribute, instead)]
      return modify(dn, [...added, change('delete', attribute, value)], signal)
    },

    replaceValue: (dn, attribute, value, signal) => modify(dn, [change('replace', attribute, value)], signal),

    async setPassword(dn, password, signal) {
      if (isActiveDirectory) return modify(dn, [change('replace', 'unicodePwd', unicodePwdValue(password))], signal)
      if (await knowsPasswordModify()) {
        const value = passwordModifyValue(dn, password)
        return directory.write((messageId) => new ExtendedRequest({ messageId, oid: passwordModifyOid, value }), signal)
      }
      return modify(dn, [change('replace', 'userPassword', userPasswordValue(password, passwordHashMethod))], signal)
    },
  }
}
