/**
 * `[secrets]`: what `$secret{alias}` stands for.
 *
 * @module
 */

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { nearest } from '../../core/names.js'
import { readFlags } from '../../files/read-file.js'
import type { Finding } from '../checks/findings.js'
import { type Ciphertext, parseCiphertext } from './ciphertext.js'
import { type KeyPath, parseKey } from './key-path.js'
import { PlaceholderError } from './placeholders.js'
import { isTree, type Tree, valueAt } from './tree.js'

/** What became of one secret: its text, or why there is none, as the end of a sentence about its entry. */
export type SecretOutcome = { readonly text: string } | { readonly reason: string }

/** `$file{path}`, in which `$env{}` and `$sys{}` may stand. */
const fileEntry = /^\$file\{(.+)\}$/s

/** `[plain text]`, as in WSO2. */
const plainEntry = /^\[(.*)\]$/s

/**
 * Reads the table. An entry is read when it is used for the first time.
 *
 * @param home - Folder that the names of files start from.
 * @param expand - Replaces `$env{}` and `$sys{}`, which are the only placeholders here.
 * @param decrypted - Entries that were decrypted. What else is used and encrypted is listed in `encrypted`, by alias, and refused
 *   with `whyEncrypted`.
 * @returns `read` throws {@link PlaceholderError} when there is no such secret, or it cannot be read.
 */
export function createSecrets(
  source: Tree,
  home: string,
  expand: (text: string) => string,
  decrypted: ReadonlyMap<string, SecretOutcome>,
  whyEncrypted: string,
  warning: (finding: Finding) => void,
): { readonly read: (alias: string) => string; readonly encrypted: ReadonlyMap<string, Ciphertext> } {
  const encrypted = new Map<string, Ciphertext>()
  const outcomes = new Map<string, SecretOutcome>()

  function readEntry(alias: string, path: KeyPath): SecretOutcome {
    const entry = valueAt(source, path)
    if (typeof entry !== 'string') return { reason: 'is not a text in quotes' }
    const text = plainEntry.exec(entry)?.[1]
    if (text === '') return { reason: 'is empty' }
    if (text !== undefined) {
      const rule =
        'is plain text, which everybody reads who reads the file; put ciphertext in its place, which ' +
        '"npx sallyport secrets encrypt" makes, or $file{path}'
      warning({ path, rule })
      return { text }
    }
    const file = fileEntry.exec(entry)?.[1]
    if (file !== undefined) return readSecretFile(resolve(home, expand(file)), (rule) => warning({ path, rule }))
    const ciphertext = parseCiphertext(expand(entry))
    if (ciphertext === undefined) {
      return { reason: 'is neither ciphertext in base64 nor [plain text] in brackets nor $file{path}' }
    }
    const outcome = decrypted.get(alias)
    if (outcome === undefined) encrypted.set(alias, ciphertext)
    return outcome ?? { reason: whyEncrypted }
  }

  return {
    encrypted,

    read(alias) {
      const path = findPath(alias, source)
      if (path === undefined) throw new PlaceholderError(`needs the secret ${alias}, which ${missing(alias, source)}`)
      const outcome = outcomes.get(alias) ?? tryOutcome(() => readEntry(alias, path))
      outcomes.set(alias, outcome)
      if ('text' in outcome) return outcome.text
      throw new PlaceholderError(`needs the secret ${alias}, which ${outcome.reason}`, path)
    },
  }
}

/** A placeholder that cannot be expanded is the reason why a text is not there. */
export function tryOutcome(find: () => SecretOutcome): SecretOutcome {
  try {
    return find()
  } catch (error) {
    if (error instanceof PlaceholderError) return { reason: error.message }
    throw error
  }
}

/** Where a secret is written: a name with dots may be in quotes, or be a table in a table. */
function findPath(alias: string, source: Tree): KeyPath | undefined {
  const paths = [
    ['secrets', alias],
    ['secrets', ...(parseKey(alias) ?? [])],
  ]
  return paths.find((path) => path.length > 1 && valueAt(source, path) !== undefined)
}

function missing(alias: string, { secrets }: Tree): string {
  const suggestion = isTree(secrets) ? nearest(alias, Object.keys(secrets)) : undefined
  return `is not in [secrets]${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`
}

/** A certificate chain would fit; what is longer is no secret. */
const maxBytes = 65_536

/** Reads a file with a secret, without blanks and line ends after it: editors and `echo` write one. */
function readSecretFile(path: string, warn: (rule: string) => void): SecretOutcome {
  let descriptor: number | undefined
  try {
    // What is checked is what is read, whatever takes its place meanwhile.
    descriptor = openSync(path, readFlags)
    const status = fstatSync(descriptor)
    if (!status.isFile()) return { reason: `names ${path}, which is a folder or a device, not a file` }
    if (status.size > maxBytes) return { reason: `names the file ${path}, which has more than ${maxBytes} bytes` }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(descriptor)).trimEnd()
    if (text === '') return { reason: `names the file ${path}, which is empty` }
    const isReadableByAll = process.platform !== 'win32' && (status.mode & 0o004) !== 0
    if (isReadableByAll) warn(`names a file that every user of this machine can read: chmod 600 ${path}`)
    return { text }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = error instanceof TypeError ? 'is not UTF-8' : `cannot be read (${code})`
    return { reason: `names the file ${path}, which ${code === 'ENOENT' ? 'is not there' : why}` }
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
