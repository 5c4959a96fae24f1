import { describe, expect, it } from 'vitest'
import { Asn1Value, encodeDer, encodeSequence } from '../../lib/tls/der.js'

const parse = (hex: string): Asn1Value => Asn1Value.parse(Buffer.from(hex, 'hex'))

describe('Asn1Value', () => {
  it.each([
    ['2a864886f70d01010b', '1.2.840.113549.1.1.11'],
    ['550403', '2.5.4.3'],
    ['883703', '2.999.3'],
    ['2b0e03021a', '1.3.14.3.2.26'],
  ])('reads the object identifier %s', (content, oid) => {
    expect(Asn1Value.parse(encodeDer(0x06, Buffer.from(content, 'hex'))).oid).toBe(oid)
  })

  it.each([0, 1, 127, 128, 255, 256, 60_000])('reads a value of %i bytes as it was written', (length) => {
    const content = Buffer.alloc(length, 7)
    const value = Asn1Value.parse(encodeSequence(encodeDer(0x04, content), encodeDer(0x02, Buffer.from([1, 0]))))
    expect(value.children.map(({ tag }) => tag)).toEqual([0x04, 0x02])
    expect(value.at(0).bytes.equals(content)).toBe(true)
    expect(value.at(1).integer).toBe(256)
  })

  it('reads texts by their types', () => {
    expect(parse('1e0400e420ac').text).toBe('\u00e4\u20ac')
    expect(parse('0c05c3a4e282ac').text).toBe('\u00e4\u20ac')
    expect(parse('130161').text).toBe('a')
  })

  it('reads indefinite lengths and OCTET STRINGs in pieces, as old tools write them', () => {
    const value = parse('3080' + '248004020102040103' + '0000' + '020105' + '0000')
    expect(value.at(0).bytes.toString('hex')).toBe('010203')
    expect(value.at(1).integer).toBe(5)
    expect(value.children).toHaveLength(2)
  })

  it.each([
    ['nothing', ''],
    ['a tag alone', '30'],
    ['a cut value', '3003020101'.slice(0, 8)],
    ['a cut length', '3082'],
    ['more than one value', '020101020101'],
    ['a tag of several bytes', '1f8101'.padEnd(12, '0')],
    ['a length of 126 bytes', 'fe'.padStart(4, '30').padEnd(300, '0')],
    ['an indefinite length without an end', '30800201'],
    ['an indefinite length of a primitive value', '04800000'],
    ['indefinite lengths without a bound', `${'3080'.repeat(1000)}${'0000'.repeat(1000)}`],
  ])('refuses %s', (_what, hex) => {
    expect(() => parse(hex)).toThrow()
  })

  it('refuses the wrong kind of value', () => {
    expect(() => parse('020101').children).toThrow('not a constructed value')
    expect(() => parse('3000').at(0)).toThrow('missing')
    expect(() => parse('0201ff').integer).toThrow('not a small number')
  })
})
