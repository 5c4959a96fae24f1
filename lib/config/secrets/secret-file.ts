/**
 * Files with one secret each, such as those that Docker, Kubernetes and systemd give to a program.
 *
 * @module
 */

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { readFlags } from '../../internal/read-regular-file.js'

/** A certificate chain would fit; what is longer is no secret. */
const maxBytes = 65_536

/** What a file has. */
export interface SecretFile {
  /** Without blanks and line ends after it: editors and `echo` write one. */
  readonly text: string
  /** Whether every user of this machine can read the file. */
  readonly isReadableByAll: boolean
}

/** Reads a file with a secret; else says why it cannot be used, as the end of a sentence about its entry. */
export function readSecretFile(path: string): SecretFile | string {
  let descriptor: number | undefined
  try {
    // What is looked at is what is read, whatever is put in its place meanwhile.
    descriptor = openSync(path, readFlags)
    const status = fstatSync(descriptor)
    if (!status.isFile()) return `names ${path}, which is a folder or a device, not a file`
    if (status.size > maxBytes) return `names the file ${path}, which has more than ${maxBytes} bytes`
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(descriptor)).trimEnd()
    const isReadableByAll = process.platform !== 'win32' && (status.mode & 0o004) !== 0
    return text === '' ? `names the file ${path}, which is empty` : { text, isReadableByAll }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return `names the file ${path}, which is not there`
    return `names the file ${path}, which ${error instanceof TypeError ? 'is not UTF-8' : `cannot be read (${code})`}`
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
