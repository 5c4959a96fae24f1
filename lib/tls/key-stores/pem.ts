/**
 * Certificates and keys as PEM text (RFC 7468), in one file or two.
 *
 * @module
 */

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { type KeyStoreEntries, KeyStoreError } from './key-store-entries.js'

const keyLabels = ['PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY']

/** Whether a file is PEM: comments may stand before its first block. */
export function isPem(bytes: Buffer): boolean {
  return /^-----BEGIN [A-Z0-9 ]+-----\r?$/m.test(bytes.toString('latin1'))
}

/** The first certificate is the key's own. @param keyBytes The file with the private key, where it has one of its own. */
export function readPem(bytes: Buffer, keyBytes: Buffer = bytes): KeyStoreEntries {
  const certificates = certificatesIn(bytes)
  const field = keyBytes === bytes ? 'file' : 'keyFile'
  const keyText = keyBytes.toString('latin1')
  const keys = keyLabels.flatMap((label) => blocksIn(keyText, label, field))
  if (keys.length > 1) throw new KeyStoreError(field, 'must name a file with one private key, not several')
  if (keys.length === 0 && field === 'keyFile') {
    throw new KeyStoreError(field, 'must name a PEM file with a private key')
  }
  return {
    keys: keys.map((key) => ({
      alias: undefined,
      certificates,
      open: async (keyPassword) => openKey(key, keyPassword, field),
    })),
    certificates,
  }
}

/** The blocks with one label (RFC 7468 section 2). One without an end, as in a file that was copied in part, is a mistake. */
function blocksIn(text: string, label: string, field: 'file' | 'keyFile'): string[] {
  const [first, last] = [`-----BEGIN ${label}-----`, `-----END ${label}-----`]
  const blocks: string[] = []
  let start = text.indexOf(first)
  while (start !== -1) {
    const end = text.indexOf(last, start)
    if (end === -1 || text.slice(start + first.length, end).includes('-----BEGIN ')) {
      throw new KeyStoreError(field, `names a PEM file that is cut: block ${blocks.length + 1} of ${label} has no end`)
    }
    blocks.push(text.slice(start, end + last.length))
    start = text.indexOf(first, end)
  }
  return blocks
}

function certificatesIn(bytes: Buffer): X509Certificate[] {
  const text = bytes.toString('latin1')
  const blocks = blocksIn(text, 'CERTIFICATE', 'file')
  if (text.lastIndexOf('-----BEGIN') > text.lastIndexOf('-----END ')) {
    throw new KeyStoreError('file', 'names a PEM file that is cut: its last block has no end')
  }
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch (cause) {
    throw new KeyStoreError('file', 'names a PEM file with a certificate that cannot be read', { cause })
  }
}

const isEncrypted = /^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m

function openKey(key: string, passphrase: string, field: 'file' | 'keyFile'): KeyObject {
  try {
    return createPrivateKey({ key, passphrase })
  } catch (cause) {
    // The cause of a wrong password is told in many ways, by library and cipher.
    if (isEncrypted.test(key)) throw new KeyStoreError('keyPassword', 'is not the password of the private key')
    throw new KeyStoreError(field, 'names a PEM file with a private key that cannot be read', { cause })
  }
}
