/**
 * Values of ASN.1: read in BER, written in DER (X.690).
 *
 * @module
 */

const utf8String = 0x0c
const bmpString = 0x1e
const constructed = 0x20
const deepestIndefinite = 32

/** One value of an ASN.1 structure. Its properties throw where it is of another kind. */
export class Asn1Value {
  /** The byte with its class and type. */
  readonly tag: number
  readonly encoded: Buffer
  readonly #content: Buffer

  private constructor(tag: number, content: Buffer, encoded: Buffer) {
    this.tag = tag
    this.#content = content
    this.encoded = encoded
  }

  /** @throws Error when the bytes are not exactly one value. */
  static parse(bytes: Buffer): Asn1Value {
    const value = Asn1Value.#readAt(bytes, 0)
    if (value.encoded.length !== bytes.length) throw new Error('bytes remain after the value')
    return value
  }

  static #readAt(bytes: Buffer, start: number, depth = 0): Asn1Value {
    const tag = bytes.readUInt8(start)
    const first = bytes.readUInt8(start + 1)
    if ((tag & 0x1f) === 0x1f) throw new Error('tags of several bytes are not supported')
    const isIndefinite = first === 0x80
    if (isIndefinite && ((tag & constructed) === 0 || depth > deepestIndefinite)) throw new Error('invalid length')
    const lengthBytes = first > 0x80 ? first & 0x7f : 0
    const from = start + 2 + lengthBytes
    let end = from
    if (isIndefinite) {
      while (bytes.readUInt16BE(end) !== 0) end += Asn1Value.#readAt(bytes, end, depth + 1).encoded.length
    } else {
      end += lengthBytes === 0 ? first : bytes.readUIntBE(start + 2, lengthBytes)
    }
    const next = isIndefinite ? end + 2 : end
    if (next > bytes.length) throw new Error('the value is cut')
    return new Asn1Value(tag, bytes.subarray(from, end), bytes.subarray(start, next))
  }

  get children(): Asn1Value[] {
    if ((this.tag & constructed) === 0) throw new Error('not a constructed value')
    const children: Asn1Value[] = []
    for (let start = 0; start < this.#content.length; ) {
      const child = Asn1Value.#readAt(this.#content, start)
      children.push(child)
      start += child.encoded.length
    }
    return children
  }

  at(index: number): Asn1Value {
    const child = this.children[index]
    if (child === undefined) throw new Error('a value is missing')
    return child
  }

  /** The content of a primitive value; an OCTET STRING may also come in pieces (section 8.7.3). */
  get bytes(): Buffer {
    const isInPieces = (this.tag & constructed) !== 0
    return isInPieces ? Buffer.concat(this.children.map(({ bytes }) => bytes)) : this.#content
  }

  get text(): string {
    const { tag, bytes } = this
    if (tag === bmpString) return Buffer.from(bytes).swap16().toString('utf16le')
    return bytes.toString(tag === utf8String ? 'utf8' : 'latin1')
  }

  get oid(): string {
    const arcs: number[] = []
    let arc = 0
    for (const byte of this.bytes) {
      arc = arc * 128 + (byte & 0x7f)
      if (byte >= 0x80) continue
      arcs.push(arc)
      arc = 0
    }
    const [first = 0, ...rest] = arcs
    const root = Math.min(Math.floor(first / 40), 2)
    return [root, first - root * 40, ...rest].join('.')
  }

  /** A small INTEGER that is not negative. */
  get integer(): number {
    const { bytes } = this
    if (bytes.length === 0 || bytes.length > 6 || bytes[0]! > 0x7f) throw new Error('not a small number')
    return bytes.readUIntBE(0, bytes.length)
  }

  get inner(): Asn1Value {
    return Asn1Value.parse(this.bytes)
  }
}

/** A value with its tag and length, of at most 64 KiB. */
export function encodeDer(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const header = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >>> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...header]), content])
}

export function encodeSequence(...values: readonly Uint8Array[]): Buffer {
  return encodeDer(0x30, ...values)
}
