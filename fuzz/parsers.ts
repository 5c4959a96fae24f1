/**
 * Parsers, each with texts that it takes, and what may come of any text: an answer, or an error of one of these classes.
 *
 * @module
 */

import { readdirSync, readFileSync } from 'node:fs'
import { parse, TomlError } from 'smol-toml'
import { addressKey, addressText, parseAddress } from '../lib/addresses/ip-address.js'
import { networkSet } from '../lib/addresses/network-set.js'
import { parseConfig } from '../lib/config/parse.js'
import { parseDuration } from '../lib/config/values/durations.js'
import { ConfigError, UnauthorizedError } from '../lib/core/errors.js'
import { parseBasic, parseBearer } from '../lib/http/authorization-header.js'
import { foldedSegments, readingsFrom } from '../lib/paths/readings.js'
import { compilePathRules } from '../lib/paths/rules.js'
import { parseJsonObject } from '../lib/tokens/jwt/strict-json.js'
import { verifyToken } from '../lib/tokens/jwt/verify-token.js'
import { createKeyRing } from '../lib/tokens/keys/key-ring.js'
import { checkPasswordHash, needsRehash } from '../lib/users/passwords/password-hash.js'

/** A parser under test. */
export interface Parser {
  readonly name: string
  /** How often it is chosen, compared with the others. */
  readonly weight: number
  readonly examples: readonly string[]
  /** Reads the text, and throws what it must not throw, or what says that an answer is wrong. */
  run(text: string): unknown
}

type ErrorClass = abstract new (...values: never[]) => Error

/** Lets errors of these classes pass: they are the answer to a bad text. */
function allowing(classes: readonly ErrorClass[], run: (text: string) => unknown): (text: string) => unknown {
  const judge = (error: unknown): undefined => {
    if (classes.some((errorClass) => error instanceof errorClass)) return undefined
    throw error
  }
  return (text) => {
    try {
      const result = run(text)
      return result instanceof Promise ? result.catch(judge) : result
    } catch (error) {
      return judge(error)
    }
  }
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

const deployments = new URL('../test/config/deployments/', import.meta.url)
const documents = readdirSync(deployments)
  .filter((name) => name.endsWith('.toml'))
  .map((name) => readFileSync(new URL(name, deployments), 'utf8'))

const rules = compilePathRules({
  rules: [{ path: '/users' }, { path: '/apis', methods: ['POST'], roles: ['publisher'] }],
  defaultPolicy: 'authenticated',
  publicPaths: ['/open'],
})
const keys = await createKeyRing({ algorithm: 'ES256' })
const token = `${Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: keys.kid })).toString('base64url')}.e30.`

/** Every parser of what strangers send, and of what operators write. */
export const parsers: readonly Parser[] = [
  {
    name: 'parseBasic',
    weight: 20,
    examples: ['Basic YTpi', 'basic  YWxpY2U6cGE1NQ==', 'Basic 8J+UkTrwn5SR'],
    run(text) {
      const read = parseBasic(text)
      if (read === undefined) return
      const again = `Basic ${Buffer.from(`${read.name}:${read.password}`).toString('base64')}`
      demand(again.slice(6) === text.slice(6).trimStart(), 'a header with another spelling was read')
      demand(!read.name.includes(':'), 'a name with a colon')
    },
  },
  {
    name: 'parseBearer',
    weight: 10,
    examples: ['Bearer a.b.c', 'bearer  x'],
    run: (text) => demand(parseBearer(text)?.startsWith(' ') !== true, 'a token with a blank before it'),
  },
  {
    name: 'path rules',
    weight: 30,
    examples: ['/users', '/users/42', '/apis/x/../users', '/open', '/%75sers', '/a;b=c//d/./e\\f'],
    run(text) {
      const path = `/${text}`
      demand((readingsFrom(path)?.length ?? 0) <= 64, 'more than 64 readings')
      const decision = rules.decide('GET', path)
      const level = typeof decision === 'string' ? decision : decision.level
      const isProtected = foldedSegments(path)[0] === 'users'
      demand(!isProtected || ['admin', 'deny', 'ambiguous'].includes(level), 'a protected path is open')
      demand(!isProtected || rules.isPublic('GET', path) !== true, 'a protected path is public')
      demand(rules.isPublic('POST', path) !== true, 'a path is public for POST')
    },
  },
  {
    name: 'addresses',
    weight: 15,
    examples: ['127.0.0.1', '::ffff:10.0.0.1', '2001:db8::1', 'fe80::1%eth0'],
    run(text) {
      const address = parseAddress(text)
      if (address === undefined) return
      demand(String(parseAddress(addressText(address))) === String(address), 'an address that is written as another')
      demand(addressKey(text) !== undefined, 'an address without a key')
    },
  },
  {
    name: 'networkSet',
    weight: 5,
    examples: ['10.0.0.0/8', '::/0', '192.0.2.7', '2001:db8::/32'],
    run: allowing([ConfigError], (text) => networkSet([text])('203.0.113.9')),
  },
  {
    name: 'parseJsonObject',
    weight: 10,
    examples: ['{"a":1,"b":{"a":[2]}}', '{"\\u0061":1}', '{}'],
    run: allowing([SyntaxError, TypeError], (text) => parseJsonObject(Buffer.from(text))),
  },
  {
    name: 'verifyToken',
    weight: 2,
    examples: [token, `${token}AAAA`, 'a.b.c'],
    run: allowing([UnauthorizedError], (text) => {
      return verifyToken(text, { keys, issuer: 'i', audience: 'a', now: 0 }).then(() => {
        throw new Error('a token that nobody signed was taken')
      })
    }),
  },
  {
    name: 'password hashes',
    weight: 4,
    examples: [
      '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2g',
      `$2b$10$${'a'.repeat(53)}`,
    ],
    run(text) {
      return [checkPasswordHash(text), needsRehash(text)]
    },
  },
  {
    name: 'durations',
    weight: 4,
    examples: ['90s', '1.5 h', '0.5s'],
    run: (text) => demand((parseDuration(text) ?? 1) > 0, 'a duration that is not above zero'),
  },
  {
    name: 'configuration',
    weight: 1,
    examples: documents,
    run: allowing([ConfigError, TomlError], (text) => parseConfig(parse(text), { env: {} })),
  },
]
