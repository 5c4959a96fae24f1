import forge from 'node-forge'
import { describe, expect, it } from 'vitest'
import { decryptRc2 } from '../../../lib/tls/key-stores/password-cipher.js'

/** The part of node-forge that its types leave out. */
const { rc2 } = forge as unknown as {
  readonly rc2: {
    createEncryptionCipher(key: string, bits: number): forge.cipher.BlockCipher & { start(iv: string): void }
  }
}

const noIv = Buffer.alloc(8)

function encrypt(key: Buffer, iv: Buffer, plain: Buffer): Buffer {
  const cipher = rc2.createEncryptionCipher(key.toString('latin1'), key.length * 8)
  cipher.start(iv.toString('latin1'))
  cipher.update(forge.util.createBuffer(plain.toString('latin1')))
  cipher.finish()
  return Buffer.from(cipher.output.getBytes(), 'latin1')
}

describe('decryptRc2', () => {
  it.each([
    ['ffffffffffffffff', 'ffffffffffffffff', '278b27e42e2f0d49'],
    ['3000000000000000', '1000000000000001', '30649edf9be7d2c2'],
    ['88bca90e90875a7f0f79c384627bafb2', '0000000000000000', '2269552ab0f85ca6'],
  ])('decrypts the vector of RFC 2268 section 5 with the key %s', (keyHex, plain, encrypted) => {
    const key = Buffer.from(keyHex, 'hex')
    const first = Buffer.from(encrypted, 'hex')
    // Vectors are one block without padding: a block of padding follows, chained to it.
    const padding = encrypt(key, first, Buffer.alloc(0))
    expect(decryptRc2(key, noIv, Buffer.concat([first, padding]))?.toString('hex')).toBe(plain)
  })

  it.each([5, 16])('decrypts what another implementation encrypted, with a key of %i bytes', (length) => {
    const key = Buffer.from('0123456789abcdef').subarray(0, length)
    const iv = Buffer.from('initvect')
    for (let size = 0; size < 40; size++) {
      const plain = Buffer.from('some text that is longer than four blocks').subarray(0, size)
      expect(decryptRc2(key, iv, encrypt(key, iv, plain)), `${size} bytes`).toEqual(plain)
    }
  })

  it('gives nothing for a wrong padding or a part of a block', () => {
    const key = Buffer.from('01234')
    const encrypted = encrypt(key, noIv, Buffer.from('some text'))
    for (const wrong of [Buffer.alloc(0), encrypted.subarray(0, 15), encrypted.subarray(0, 8)]) {
      expect(decryptRc2(key, noIv, wrong)).toBeUndefined()
    }
  })
})
