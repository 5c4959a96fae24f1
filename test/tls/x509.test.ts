import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Der, loadForge } from '../../lib/tls/pkcs12/der.js'
import { makeCertificate } from '../../lib/tls/x509/certificate.js'
import { makeCertificateRequest } from '../../lib/tls/x509/certificate-request.js'
import { integer, octets, oid, time } from '../../lib/tls/x509/der-writer.js'
import { isHostName } from '../../lib/tls/x509/names.js'
import { keyPair } from '../helpers/key-files.js'

const forge = await loadForge()

describe('DER as it is written', () => {
  it('is read as the same bytes of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70_000 }), (bytes) => {
        expect(Der.parse(forge, octets(bytes)).bytes.equals(bytes)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it('is read as the same small number', () => {
    fc.assert(
      fc.property(fc.nat(), (number) => {
        const bytes = Buffer.alloc(5)
        bytes.writeUInt32BE(number, 1)
        expect(Der.parse(forge, integer(bytes)).integer).toBe(number)
      }),
    )
  })

  it('is read as the same object identifier', () => {
    const step = fc.nat({ max: 2 ** 30 })
    fc.assert(
      fc.property(fc.nat({ max: 2 }), fc.nat({ max: 39 }), fc.array(step), (first, second, rest) => {
        const dotted = [first, second, ...rest].join('.')
        expect(Der.parse(forge, oid(dotted)).oid).toBe(dotted)
      }),
    )
  })

  it.each([
    ['2026-01-02T03:04:05Z', 0x17, '260102030405Z'],
    ['2049-12-31T23:59:59Z', 0x17, '491231235959Z'],
    ['2050-01-01T00:00:00Z', 0x18, '20500101000000Z'],
  ])('has the time %s as the standard wants it', (date, tag, text) => {
    const bytes = time(new Date(date))
    expect([bytes[0], bytes.subarray(2).toString()]).toEqual([tag, text])
  })
})

describe('certificates', () => {
  it.each(['ec', 'rsa', 'ed25519'] as const)('of a key of type %s verify', (type) => {
    const authority = keyPair({ type, isAuthority: true, name: 'authority' })
    const { certificate } = keyPair({ issuer: authority, name: 'b\u00fccher.example' })
    expect(certificate.verify(authority.certificate.publicKey)).toBe(true)
    expect(certificate.checkIssued(authority.certificate)).toBe(true)
    expect(certificate.issuer).toBe('CN=authority')
    expect(certificate.subject).toBe('CN=b\u00fccher.example')
  })

  it('may end after 2049', () => {
    expect(keyPair({ to: new Date('2060-01-01T00:00:00Z') }).certificate.validTo).toBe('Jan  1 00:00:00 2060 GMT')
  })

  it('have serial numbers of 127 bits that differ', () => {
    const numbers = Array.from({ length: 20 }, () => keyPair().certificate.serialNumber)
    expect(new Set(numbers).size).toBe(20)
    for (const number of numbers) expect(number).toMatch(/^[4-7][0-9A-F]{31}$/)
  })

  it('are not made with a key that cannot sign, nor by an issuer with more than a name', () => {
    const { privateKey: key } = generateKeyPairSync('x25519')
    const dates = { notBefore: new Date(0), notAfter: new Date() }
    expect(() => makeCertificate({ commonName: 'x', hostNames: [], key, ...dates })).toThrow(TypeError)
    expect(() => makeCertificateRequest(key, ['x'])).toThrow(TypeError)
  })
})

describe('the name of a host', () => {
  it.each([
    'localhost',
    'a',
    'api.example.com',
    'api.example.com.',
    '*.example.com',
    'my_host',
    `${'a'.repeat(63)}.b`,
    '::1',
  ])('may be %s', (name) => {
    expect(isHostName(name)).toBe(true)
  })

  it.each([
    '',
    '.',
    '*.',
    'a..b',
    '-a',
    'a-',
    'a.-b',
    'api.example.com:9443',
    'a b',
    'a.*.b',
    'a'.repeat(64),
    `${'a.'.repeat(126)}aa`,
    // Read in every possible way, this one would take longer than anybody waits.
    `${'a'.repeat(250)}/`,
    `${'a.'.repeat(120)}/`,
  ])('cannot be %j', (name) => {
    expect(isHostName(name)).toBe(false)
  })
})
