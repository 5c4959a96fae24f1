/**
 * Writing ASN.1 in DER (X.690), as far as certificates need it.
 *
 * @module
 */

/** A value with its tag and length (section 8.1). */
export function tagged(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content])
}

/** The definite form of a length (section 8.1.3). */
function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const digits: number[] = []
  for (let rest = length; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff)
  return Buffer.from([0x80 | digits.length, ...digits])
}

export function sequence(...values: readonly Uint8Array[]): Buffer {
  return tagged(0x30, ...values)
}

export function set(...values: readonly Uint8Array[]): Buffer {
  return tagged(0x31, ...values)
}

/** An INTEGER that is not negative, of big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const isNegativeLooking = (bytes[0] ?? 0) > 0x7f
  return tagged(0x02, isNegativeLooking ? Buffer.from([0]) : Buffer.alloc(0), bytes)
}

export function boolean(value: boolean): Buffer {
  return tagged(0x01, Buffer.from([value ? 0xff : 0]))
}

export function octets(bytes: Uint8Array): Buffer {
  return tagged(0x04, bytes)
}

/** A BIT STRING; the last bits of it may be unused. */
export function bits(bytes: Uint8Array, unused: number = 0): Buffer {
  return tagged(0x03, Buffer.from([unused]), bytes)
}

export function utf8(text: string): Buffer {
  return tagged(0x0c, Buffer.from(text, 'utf8'))
}

/** An OBJECT IDENTIFIER, of dotted numbers (section 8.19). */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(0x06, Buffer.from([40 * first + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80)
  return digits
}

/** A time, as UTCTime until 2049 and as GeneralizedTime after it (RFC 5280 section 4.1.2.5). */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(0, 14)
  return date.getUTCFullYear() < 2050
    ? tagged(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : tagged(0x18, Buffer.from(`${digits}Z`))
}
