/**
 * `[secrets]`: what `$secret{alias}` stands for.
 *
 * @module
 */

import { resolve } from 'node:path'
import { nearest } from '../../internal/near-miss.js'
import type { Finding } from '../findings.js'
import { type KeyPath, parseKey } from '../key-path.js'
import { PlaceholderError } from '../placeholder-error.js'
import { isTree, type Tree, valueAt } from '../tree.js'
import { type Ciphertext, parseCiphertext } from './ciphertext.js'
import { readSecretFile } from './secret-file.js'

/** What became of one secret: its text, or why there is none, as the end of a sentence about its entry. */
export type SecretOutcome = { readonly text: string } | { readonly reason: string }

/** What the table needs besides its entries. */
export interface SecretTableOptions {
  /** Folder that the names of files start from. */
  readonly home: string
  /** Puts in the values of `$env{}` and `$sys{}`, which are the only placeholders here. */
  readonly expand: (text: string) => string
  /** Entries that were decrypted; what is not among them is reported in {@link SecretTable.encrypted}. */
  readonly decrypted: ReadonlyMap<string, SecretOutcome>
  /** Why an entry that is not among them has no text yet. */
  readonly whyEncrypted: string
  readonly warning: (finding: Finding) => void
}

/** The secrets of a configuration. */
export interface SecretTable {
  /** @throws {@link PlaceholderError} when there is no such secret, or it cannot be read. */
  textOf(alias: string): string
  /** What was asked for so far and is still encrypted, by alias. */
  readonly encrypted: ReadonlyMap<string, Ciphertext>
}

/** `$file{path}`, in which `$env{}` and `$sys{}` may stand. */
const fileEntry = /^\$file\{(.+)\}$/s

/** `[plain text]`, as in WSO2. */
const plainEntry = /^\[(.*)\]$/s

/** Reads the table. An entry is looked at when it is used for the first time. */
export function secretTable(source: Tree, options: SecretTableOptions): SecretTable {
  const { home, expand, decrypted, whyEncrypted, warning } = options
  const encrypted = new Map<string, Ciphertext>()
  const outcomes = new Map<string, SecretOutcome>()

  function outcomeOf(alias: string, path: KeyPath): SecretOutcome {
    const entry = valueAt(source, path)
    if (typeof entry !== 'string') return { reason: 'is not a text in quotes' }
    const plain = plainEntry.exec(entry)?.[1]
    if (plain !== undefined) return plainOutcome(plain, path)
    const file = fileEntry.exec(entry)?.[1]
    return file === undefined ? encryptedOutcome(alias, expand(entry)) : fileOutcome(resolve(home, expand(file)), path)
  }

  function plainOutcome(text: string, path: KeyPath): SecretOutcome {
    if (text === '') return { reason: 'is empty' }
    const rule =
      'is plain text, which everybody reads who reads the file; put ciphertext in its place, which ' +
      '"sallyport secrets encrypt" makes, or $file{path}'
    warning({ path, rule })
    return { text }
  }

  function fileOutcome(file: string, path: KeyPath): SecretOutcome {
    const read = readSecretFile(file)
    if (typeof read === 'string') return { reason: read }
    if (read.isReadableByAll) {
      warning({ path, rule: `names a file that every user of this machine can read: chmod 600 ${file}` })
    }
    return { text: read.text }
  }

  function encryptedOutcome(alias: string, text: string): SecretOutcome {
    const ciphertext = parseCiphertext(text)
    if (ciphertext === undefined) {
      return { reason: 'is neither ciphertext in base64 nor [plain text] in brackets nor $file{path}' }
    }
    const outcome = decrypted.get(alias)
    if (outcome === undefined) encrypted.set(alias, ciphertext)
    return outcome ?? { reason: whyEncrypted }
  }

  return {
    encrypted,

    textOf(alias) {
      const path = pathOf(alias, source)
      if (path === undefined) throw new PlaceholderError(`needs the secret ${alias}, which ${missing(alias, source)}`)
      const outcome = outcomes.get(alias) ?? tryOutcome(() => outcomeOf(alias, path))
      outcomes.set(alias, outcome)
      if ('text' in outcome) return outcome.text
      throw new PlaceholderError(`needs the secret ${alias}, which ${outcome.reason}`, path)
    },
  }
}

/** A variable that is missing is told as the reason of the secret that names it. */
function tryOutcome(find: () => SecretOutcome): SecretOutcome {
  try {
    return find()
  } catch (error) {
    if (error instanceof PlaceholderError) return { reason: error.message }
    throw error
  }
}

/** Where a secret is written: a name with dots may be in quotes, or be a table in a table. */
function pathOf(alias: string, source: Tree): KeyPath | undefined {
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
