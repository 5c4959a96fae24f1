import { createCipheriv, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Ciphertext,
  decryptWithKey,
  decryptWithSymmetricKey,
  encryptForKey,
  longestPlainText,
  parseCiphertext,
  parseSymmetricKey,
} from '../../../lib/config/values/ciphertext.js'
import { keyPair } from '../../helpers/key-files.js'

const { key, certificate } = keyPair({ type: 'rsa' })
const { publicKey } = certificate
const material = { key, certificates: [certificate] }
const other = keyPair({ type: 'rsa' }).certificate.publicKey

const oaepName = 'RSA/ECB/OAEPwithSHA1andMGF1Padding'

function base64(value: string | Buffer | object): string {
  const isBytes = typeof value === 'string' || Buffer.isBuffer(value)
  return Buffer.from(isBytes ? (value as Buffer) : JSON.stringify(value)).toString('base64')
}

function rsa(text: string): Extract<Ciphertext, { kind: 'rsa' }> {
  const ciphertext = parseCiphertext(text)
  expect(ciphertext).toMatchObject({ kind: 'rsa' })
  return ciphertext as Extract<Ciphertext, { kind: 'rsa' }>
}

function aes(text: string): Extract<Ciphertext, { kind: 'aes' }> {
  const ciphertext = parseCiphertext(text)
  expect(ciphertext).toMatchObject({ kind: 'aes' })
  return ciphertext as Extract<Ciphertext, { kind: 'aes' }>
}

describe('RSA-OAEP', () => {
  it('gives back what was encrypted, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 50, unit: 'grapheme' }), (text) => {
        const ciphertext = encryptForKey(text, publicKey)
        fc.pre(ciphertext !== undefined)
        expect(decryptWithKey(rsa(ciphertext!), material)).toBe(text)
      }),
      { numRuns: 25 },
    )
  })

  it('is another text each time', () => {
    expect(encryptForKey('a', publicKey)).not.toBe(encryptForKey('a', publicKey))
  })

  it('takes 214 bytes with a key of 2048 bits, and no more', () => {
    expect(longestPlainText(publicKey)).toBe(214)
    expect(decryptWithKey(rsa(encryptForKey('x'.repeat(214), publicKey)!), material)).toBe('x'.repeat(214))
    expect(encryptForKey('x'.repeat(215), publicKey)).toBeUndefined()
    expect(encryptForKey('\u00e9'.repeat(108), publicKey)).toBeUndefined()
  })

  it('reads base64 that is broken into lines', () => {
    const lines = encryptForKey('secret', publicKey)!.replace(/.{64}/g, '$&\r\n')
    expect(decryptWithKey(rsa(`\n${lines}\n`), material)).toBe('secret')
  })

  it('gives nothing for another key, for changed bytes, and for bytes that are no text', () => {
    expect(decryptWithKey(rsa(encryptForKey('secret', other)!), material)).toBeUndefined()
    expect(decryptWithKey(rsa(base64(randomBytes(256))), material)).toBeUndefined()
    expect(decryptWithKey(rsa(base64(randomBytes(128))), material)).toBeUndefined()
  })

  describe('in an envelope with its thumbprint', () => {
    const c = encryptForKey('secret', publicKey)!
    const sha1 = certificate.fingerprint.replaceAll(':', '')
    const sha256 = certificate.fingerprint256.replaceAll(':', '')

    it.each([
      ['without one', {}],
      ['of SHA-1', { tp: sha1, tpd: 'SHA-1' }],
      ['in small letters', { tp: sha1.toLowerCase(), tpd: 'SHA-1' }],
      ['of SHA-256', { tp: sha256, tpd: 'SHA-256' }],
    ])('is read %s', (_, members) => {
      expect(decryptWithKey(rsa(base64({ c, t: oaepName, ...members })), material)).toBe('secret')
    })

    it('is not read when the thumbprint is that of another certificate', () => {
      const ciphertext = rsa(base64({ c, t: oaepName, tp: sha1.replace(/^../, '00'), tpd: 'SHA-1' }))
      expect(decryptWithKey(ciphertext, material)).toBeUndefined()
    })

    it.each(['RSA', 'RSA/ECB/PKCS1Padding', 'RSA/ECB/OAEPWithSHA-256AndMGF1Padding', ''])(
      'is no ciphertext with the transformation %j',
      (t) => expect(parseCiphertext(base64({ c, t }))).toBeUndefined(),
    )
  })
})

describe('AES-256-GCM', () => {
  const secretKey = randomBytes(32)

  function sealed(text: string, ivBytes: number): { cipherText: string; iv: string } {
    const iv = randomBytes(ivBytes)
    const cipher = createCipheriv('aes-256-gcm', secretKey, iv)
    const bytes = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()])
    return { cipherText: base64(bytes), iv: base64(iv) }
  }

  // The Cipher Tool takes 128 bytes, where its constant meant bits; the server takes 12.
  it.each([12, 16, 128])('is read with an initialization vector of %d bytes', (ivBytes) => {
    expect(decryptWithSymmetricKey(aes(base64(sealed('secr\u00e9t', ivBytes))), secretKey)).toBe('secr\u00e9t')
  })

  it('gives nothing for another key, a changed text, vector or tag', () => {
    const { cipherText, iv } = sealed('secret', 12)
    const flipped = (text: string, index: number): string => {
      const bytes = Buffer.from(text, 'base64')
      bytes[index < 0 ? bytes.length + index : index]! ^= 1
      return base64(bytes)
    }
    expect(decryptWithSymmetricKey(aes(base64({ cipherText, iv })), randomBytes(32))).toBeUndefined()
    for (const changed of [
      { cipherText: flipped(cipherText, 0), iv },
      { cipherText: flipped(cipherText, -1), iv },
      { cipherText, iv: flipped(iv, 0) },
    ]) {
      expect(decryptWithSymmetricKey(aes(base64(changed)), secretKey)).toBeUndefined()
    }
  })

  it('is none without a whole tag, or with members that are no base64', () => {
    const { cipherText, iv } = sealed('', 12)
    expect(aes(base64({ cipherText, iv })).bytes).toHaveLength(16)
    expect(parseCiphertext(base64({ cipherText: base64(randomBytes(15)), iv }))).toBeUndefined()
    expect(parseCiphertext(base64({ cipherText: '?', iv }))).toBeUndefined()
    expect(parseCiphertext(base64({ cipherText, iv: 1 }))).toBeUndefined()
  })

  it.each([
    ['64 hexadecimal digits', secretKey.toString('hex'), secretKey],
    ['capital ones', secretKey.toString('hex').toUpperCase(), secretKey],
    ['32 characters', 'abcdefghijklmnopqrstuvwxyz012345', Buffer.from('abcdefghijklmnopqrstuvwxyz012345')],
    ['31 characters', 'abcdefghijklmnopqrstuvwxyz01234', undefined],
    ['32 hexadecimal digits of WSO2 with a key of 128 bits', '03BAFEB27A8E871CAD83C5CD4E771DAB', expect.any(Buffer)],
    ['64 letters', 'g'.repeat(64), undefined],
    ['nothing', '', undefined],
  ])('takes a key of %s as it is meant', (_, text, expected) => {
    expect(parseSymmetricKey(text)).toEqual(expected)
  })
})

describe('what is no ciphertext', () => {
  it.each([
    ['', ' ', 'password', 'pass word', 'pass-word', '[abc]', 'YQ', 'YQ=', '=', 'YQ===', '{"c":"x"}', base64('{}')],
    [base64(randomBytes(127)), `${base64(randomBytes(256))}!`, base64(randomBytes(256)).replace(/=+$/, '')],
  ])('is told apart: %j', (...texts) => {
    for (const text of texts) expect(parseCiphertext(text), text).toBeUndefined()
  })

  it('never throws, and never takes a text for its own secret', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.json().map(base64)), (text) => {
        const ciphertext = parseCiphertext(text)
        if (ciphertext?.kind === 'rsa') expect(decryptWithKey(ciphertext, material)).toBeUndefined()
        if (ciphertext?.kind === 'aes') expect(decryptWithSymmetricKey(ciphertext, randomBytes(32))).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })
})
