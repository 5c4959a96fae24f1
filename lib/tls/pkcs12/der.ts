/**
 * Reading ASN.1 structures, by node-forge.
 *
 * @module
 */

import type { asn1 } from 'node-forge'

type Forge = typeof import('node-forge')

/** Loads node-forge. It is large, and only needed for key stores in PKCS #12 and for making certificates. */
export async function loadForge(): Promise<Forge> {
  const { default: forge } = (await import('node-forge')) as unknown as { default: Forge }
  return forge
}

/** One value of an ASN.1 structure. Its methods throw where it is of another kind. */
export class Der {
  readonly #forge: Forge
  readonly #node: asn1.Asn1

  private constructor(forge: Forge, node: asn1.Asn1) {
    this.#forge = forge
    this.#node = node
  }

  /** @throws Error when the bytes are not ASN.1. */
  static parse(forge: Forge, bytes: Buffer): Der {
    return new Der(forge, forge.asn1.fromDer(bytes.toString('latin1')))
  }

  /** What is in a SEQUENCE, a SET or a tagged value. */
  get children(): Der[] {
    const { value } = this.#node
    if (typeof value === 'string') throw new Error('not a constructed value')
    return value.map((node) => new Der(this.#forge, node))
  }

  /** The child at a place, which has to be there. */
  at(index: number): Der {
    const child = this.children[index]
    if (child === undefined) throw new Error('a value is missing')
    return child
  }

  /** The content of a plain value; an OCTET STRING may also come in pieces (X.690 section 8.7.3). */
  get bytes(): Buffer {
    const { value } = this.#node
    return typeof value === 'string'
      ? Buffer.from(value, 'latin1')
      : Buffer.concat(this.children.map(({ bytes }) => bytes))
  }

  /** The content of a text, decoded by its type. */
  get text(): string {
    const { value, type } = this.#node
    if (typeof value !== 'string') throw new Error('not a text')
    return type === this.#forge.asn1.Type.UTF8 ? this.bytes.toString('utf8') : value
  }

  /** The number of the type, or of the tag. */
  get type(): number {
    return this.#node.type
  }

  /** An object identifier, as dotted numbers. */
  get oid(): string {
    return this.#forge.asn1.derToOid(this.bytes.toString('latin1'))
  }

  /** A small INTEGER. */
  get integer(): number {
    const { bytes } = this
    if (bytes.length === 0 || bytes.length > 6 || bytes[0]! > 0x7f) throw new Error('not a small number')
    return bytes.readUIntBE(0, bytes.length)
  }

  /** The whole value in DER. */
  get der(): Buffer {
    return Buffer.from(this.#forge.asn1.toDer(this.#node).getBytes(), 'latin1')
  }

  /** The bytes of the structure that an OCTET STRING holds, parsed. */
  get inner(): Der {
    return Der.parse(this.#forge, this.bytes)
  }
}
