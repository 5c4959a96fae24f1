/**
 * Builds the tokens that `test/corpora/jwt-attacks.json` describes; its `fields`, `markers` and `signatureKinds` say how.
 *
 * @module
 */

import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  sign,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { deflateRawSync } from 'node:zlib'

type Json = Record<string, unknown>

interface SignatureChange {
  readonly kind: string
  readonly variant?: string
  readonly part?: 'header' | 'payload'
  readonly bytes?: number
  readonly value?: string
}

/** One entry of the corpus. */
export interface CorpusEntry {
  readonly id: string
  readonly class: string
  readonly profile: 'rs256' | 'es256' | 'hs256'
  readonly description: string
  readonly expected: { readonly result: 'reject' | 'accept' | 'policy' | 'no-privilege-gain' | 'reject-or-accept' }
  readonly header?: Json
  readonly headerDelete?: readonly string[]
  readonly headerRaw?: string
  readonly headerHex?: string
  readonly payload?: Json
  readonly payloadDelete?: readonly string[]
  readonly payloadRaw?: string
  readonly payloadHex?: string
  readonly sign?: {
    readonly alg: string
    readonly key?: string
    readonly keyText?: string
    readonly keyB64u?: string
    readonly keyForm?: { readonly of: string; readonly form: string }
  }
  readonly signature?: SignatureChange
  readonly token?: string
}

interface Corpus {
  readonly baseline: { readonly header: Json; readonly payload: Json }
  readonly keys: Record<
    string,
    { readonly public?: JsonWebKey; readonly private?: JsonWebKey; readonly secret_b64u?: string }
  >
  readonly entries: readonly CorpusEntry[]
}

/** The whole corpus. */
export const corpus: Corpus = JSON.parse(readFileSync(new URL('../corpora/jwt-attacks.json', import.meta.url), 'utf8'))

/** The public half of a key of the corpus. */
export function corpusPublicKey(name: string): KeyObject {
  return createPublicKey({ key: corpus.keys[name]!.public!, format: 'jwk' })
}

const profiles = {
  rs256: { alg: 'RS256', kid: 'k1', key: 'rsa-main' },
  es256: { alg: 'ES256', kid: 'e1', key: 'ec-main' },
  hs256: { alg: 'HS256', kid: 'h1', key: 'hs-main' },
} as const

/** What stands for the surroundings of a token. */
export interface Surroundings {
  readonly nowSeconds: number
  /** Port of a server that must see no request. */
  readonly trapPort: number
  /** `typ` where the entry does not speak of it: the corpus was made for verifiers that ask for none. */
  readonly tokenType: string
}

/** The token of an entry, and its payload where that is a JSON object. */
export function buildToken(
  entry: CorpusEntry,
  surroundings: Surroundings,
): { token: string; payload: Json | undefined } {
  const untouched = (): string => buildToken({ ...plain, profile: entry.profile }, surroundings).token
  if (entry.token !== undefined) {
    const token = untouched()
    const [h, p, s] = token.split('.') as [string, string, string]
    return { token: fill(entry.token, { token, h, p, s }), payload: undefined }
  }
  const header = headerBytesOf(entry, surroundings)
  const payload = payloadBytesOf(entry, surroundings, untouched)
  return { token: assemble(entry, header, payload, untouched), payload: parseObject(payload) }
}

const plain: CorpusEntry = {
  id: 'plain',
  class: 'control',
  profile: 'rs256',
  description: 'untouched token',
  expected: { result: 'accept' },
}

function headerBytesOf(entry: CorpusEntry, { trapPort, tokenType }: Surroundings): Buffer {
  if (entry.headerHex !== undefined) return Buffer.from(entry.headerHex, 'hex')
  if (entry.headerRaw?.startsWith('$nestHeader:')) {
    const depth = Number(entry.headerRaw.split(':')[1])
    return Buffer.from(`{"alg":"RS256","a":${'['.repeat(depth)}${']'.repeat(depth)}}`)
  }
  if (entry.headerRaw !== undefined) return Buffer.from(entry.headerRaw.replace('"typ":"JWT"', `"typ":"${tokenType}"`))
  const { alg, kid } = profiles[entry.profile]
  const header: Json = { ...corpus.baseline.header, alg, kid, typ: tokenType, ...entry.header }
  for (const name of entry.headerDelete ?? []) delete header[name]
  return jsonBytesOf(expand(header, trapPort), entry.signature, 'header')
}

function payloadBytesOf(entry: CorpusEntry, { nowSeconds, trapPort }: Surroundings, untouched: () => string): Buffer {
  if (entry.payloadHex !== undefined) return Buffer.from(entry.payloadHex, 'hex')
  if (entry.payloadRaw !== undefined) {
    const token = entry.payloadRaw.includes('{token}') ? untouched() : ''
    return Buffer.from(fillTimes(fill(entry.payloadRaw, { token }), nowSeconds))
  }
  const { $manyClaims, ...changes } = entry.payload ?? {}
  const payload: Json = { ...corpus.baseline.payload, ...changes }
  if (payload['nbf'] === null) delete payload['nbf']
  for (const name of entry.payloadDelete ?? []) delete payload[name]
  for (let number = 0; number < Number($manyClaims ?? 0); number++) payload[`c${number}`] = number
  for (const [name, value] of Object.entries(payload)) {
    if (typeof value === 'string' && /^\{now[^}]*\}$/.test(value)) payload[name] = Number(fillTimes(value, nowSeconds))
  }
  const bytes = jsonBytesOf(expand(payload, trapPort), entry.signature, 'payload')
  return entry.signature?.kind === 'deflated-payload' ? deflateRawSync(bytes) : bytes
}

/** Blanks at the end make a part whose spelling can be varied: one with unused bits, and with letters 62 and 63. */
function jsonBytesOf(value: unknown, change: SignatureChange | undefined, part: 'header' | 'payload'): Buffer {
  let text = JSON.stringify(value)
  if (change?.kind !== 'part-variant' || change.part !== part) return Buffer.from(text)
  if (change.variant === 'std-alphabet') text = text.replace('{', '{"x":"?>?>?>",')
  while (Buffer.byteLength(text) % 3 !== 1) text += ' '
  return Buffer.from(text)
}

function assemble(entry: CorpusEntry, headerBytes: Buffer, payloadBytes: Buffer, untouched: () => string): string {
  const { signature: change = { kind: 'none' } } = entry
  let header = headerBytes.toString('base64url')
  let payload = payloadBytes.toString('base64url')
  if (change.kind === 'unencoded-payload') payload = payloadBytes.toString()
  if (change.kind === 'part-variant' && change.part === 'header') header = respell(header, change.variant!)
  if (change.kind === 'part-variant' && change.part === 'payload') payload = respell(payload, change.variant!)

  const input = `${header}.${payload}`
  switch (change.kind) {
    case 'absent':
      return input
    case 'empty':
      return `${input}.`
    case 'literal':
      return `${input}.${change.value}`
    case 'original':
      return `${input}.${untouched().split('.')[2]}`
  }
  const signature = signatureOf(entry, input)
  switch (change.kind) {
    case 'none':
    case 'part-variant':
    case 'unencoded-payload':
    case 'deflated-payload':
      return `${input}.${signature.toString('base64url')}`
    case 'truncate':
      return `${input}.${signature.subarray(0, change.bytes).toString('base64url')}`
    case 'text-variant':
      return `${input}.${respell(signature.toString('base64url'), change.variant!)}`
    case 'ecdsa':
      return `${input}.${ecdsaVariant(signature, change.variant!).toString('base64url')}`
    case 'rsa':
      return `${input}.${rsaVariant(signature, change.variant!).toString('base64url')}`
    default:
      throw new Error(`${entry.id}: unknown signature kind ${change.kind}`)
  }
}

function signatureOf(entry: CorpusEntry, input: string): Buffer {
  const profile = profiles[entry.profile]
  const { alg = profile.alg, key = profile.key, keyText, keyB64u, keyForm } = entry.sign ?? {}
  const data = Buffer.from(input)
  if (alg.startsWith('HS')) {
    const secret =
      keyForm !== undefined
        ? publicKeyText(keyForm.of, keyForm.form)
        : keyText !== undefined
          ? Buffer.from(keyText)
          : Buffer.from(keyB64u ?? corpus.keys[key]!.secret_b64u!, 'base64url')
    return createHmac(`sha${alg.slice(2)}`, secret)
      .update(data)
      .digest()
  }
  const privateKey = createPrivateKey({ key: corpus.keys[key]!.private!, format: 'jwk' })
  if (alg === 'EdDSA') return sign(null, data, privateKey)
  const digest = `sha${alg.slice(2)}`
  if (alg.startsWith('ES')) return sign(digest, data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  if (alg.startsWith('RS')) return sign(digest, data, privateKey)
  if (alg.startsWith('PS')) {
    return sign(digest, data, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })
  }
  throw new Error(`${entry.id}: unknown algorithm ${alg}`)
}

/** A public key in the form that a careless verifier would take for an HMAC secret. */
function publicKeyText(name: string, form: string): Buffer {
  const key = corpusPublicKey(name)
  const pem = key.export({ type: 'spki', format: 'pem' }) as string
  switch (form) {
    case 'spki-pem':
      return Buffer.from(pem)
    case 'spki-pem-no-newline':
      return Buffer.from(pem.trimEnd())
    case 'spki-pem-crlf':
      return Buffer.from(pem.replaceAll('\n', '\r\n'))
    case 'spki-pem-leading-space':
      return Buffer.from(` ${pem}`)
    case 'spki-pem-leading-newline':
      return Buffer.from(`\n${pem}`)
    case 'spki-pem-comment-prefix':
      return Buffer.from(`# key\n${pem}`)
    case 'spki-pem-bom':
      return Buffer.from(`\ufeff${pem}`)
    case 'pkcs1-pem':
      return Buffer.from(key.export({ type: 'pkcs1', format: 'pem' }) as string)
    case 'pkcs1-der':
      return key.export({ type: 'pkcs1', format: 'der' })
    case 'modulus-bytes':
      return Buffer.from(corpus.keys[name]!.public!.n!, 'base64url')
    case 'jwks-json':
      return Buffer.from(JSON.stringify({ keys: [corpus.keys[name]!.public] }))
    default:
      throw new Error(`unknown form ${form}`)
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const tails: Record<string, string> = {
  pad1: '=',
  pad2: '==',
  'lf-tail': '\n',
  'star-tail': '*',
  pct: '%3D',
  'extra-char': 'A',
  high: '\u0141',
  quote: '"',
  hash: '#',
  query: '?',
}

const middles: Record<string, string> = { 'space-mid': ' ', 'tab-mid': '\t', 'nul-mid': '\u0000', 'bang-mid': '!' }

/** Another spelling of a base64url text. */
export function respell(text: string, variant: string): string {
  const spelled = respelled(text, variant)
  if (spelled === text) throw new Error(`${variant} changes nothing`)
  return spelled
}

function respelled(text: string, variant: string): string {
  const middle = middles[variant]
  if (middle !== undefined) return `${text.slice(0, 10)}${middle}${text.slice(10)}`
  const tail = tails[variant]
  if (tail !== undefined) return text + tail
  switch (variant) {
    case 'trail-bits':
      return text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1)!) ^ 1]
    case 'trail-bits-2':
      return text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1)!) ^ 2]
    case 'pad-correct':
      return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
    case 'std-alphabet':
      return text.replaceAll('-', '+').replaceAll('_', '/')
    default:
      throw new Error(`unknown text variant ${variant}`)
  }
}

/** Order of the group of P-256 (FIPS 186-5). */
const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

function ecdsaVariant(signature: Buffer, variant: string): Buffer {
  const r = signature.subarray(0, 32)
  const s = signature.subarray(32)
  switch (variant) {
    case 'zero':
      return Buffer.alloc(64)
    case 'r0s1':
      return Buffer.concat([Buffer.alloc(63), Buffer.from([1])])
    case 'empty':
      return Buffer.alloc(0)
    case '63':
      return signature.subarray(0, 63)
    case 'swap':
      return Buffer.concat([s, r])
    case 'high-s': {
      const other = p256Order - BigInt(`0x${s.toString('hex')}`)
      return Buffer.concat([r, Buffer.from(other.toString(16).padStart(64, '0'), 'hex')])
    }
    case 'der': {
      const integers = [r, s].map((bytes) => Buffer.concat([Buffer.from([2, 33, 0]), bytes]))
      return Buffer.concat([Buffer.from([0x30, 70]), ...integers])
    }
    default:
      throw new Error(`unknown ECDSA variant ${variant}`)
  }
}

function rsaVariant(signature: Buffer, variant: string): Buffer {
  switch (variant) {
    case 'zero':
      return Buffer.alloc(256)
    case 'one':
      return Buffer.concat([Buffer.alloc(255), Buffer.from([1])])
    case 'n':
      return Buffer.from(corpus.keys['rsa-main']!.public!.n!, 'base64url')
    case '512':
      return Buffer.concat([Buffer.alloc(256), signature])
    case 'flip-first':
      return Buffer.concat([Buffer.from([signature[0]! ^ 1]), signature.subarray(1)])
    case 'ff':
      return Buffer.alloc(256, 0xff)
    default:
      throw new Error(`unknown RSA variant ${variant}`)
  }
}

/** Replaces the markers in header and payload. */
function expand(value: unknown, trapPort: number): unknown {
  if (Array.isArray(value)) return value.map((entry) => expand(entry, trapPort))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, expand(member, trapPort)]))
  }
  if (typeof value !== 'string') return value
  const [marker, ...rest] = value.split(':') as [string, ...string[]]
  switch (marker) {
    case '$repeat':
      return rest[0]!.repeat(Number(rest[1]))
    case '$public':
      return corpus.keys[rest[0]!]!.public
    case '$private':
      return corpus.keys[rest[0]!]!.private
    case '$selfSignedCert':
      // No certificate, but as far as a verifier gets that must not look into it.
      return corpusPublicKey(rest[0]!).export({ type: 'spki', format: 'der' }).toString('base64')
    default:
      return value.replace('{trap}', String(trapPort))
  }
}

function fillTimes(text: string, nowSeconds: number): string {
  return text.replaceAll(/\{now([+-]\d+)?\}/g, (_, offset?: string) => String(nowSeconds + Number(offset ?? 0)))
}

function fill(text: string, values: Record<string, string>): string {
  return text.replaceAll(/\{(\w+)\}/g, (marker, name: string) => values[name] ?? marker)
}

function parseObject(bytes: Buffer): Json | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
  } catch {
    return undefined
  }
}
