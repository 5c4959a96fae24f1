/**
 * What is compared, in the order of the table.
 *
 * @module
 */

/**
 * @typedef {object} Contender
 * @property {string} name What the table and the chart call it.
 * @property {string} file The server in `servers/`.
 * @property {'listen' | 'create' | 'create-with-etags'} [how] How the server is made, for those that can be made in several ways.
 * @property {'us' | 'unguarded' | 'peer'} kind
 */

/** What every contender is measured against. */
export const base = { name: 'Express, no guard, app.listen', file: 'express', how: 'listen', kind: 'unguarded' }

/** The same app on our server: the second base, for what the guard itself costs there. */
export const fastBase = { name: 'Express, no guard, createServer', file: 'express', how: 'create', kind: 'unguarded' }

/** @type {readonly Contender[]} */
export const contenders = [
  { name: 'Sallyport, createServer', file: 'sallyport', how: 'create', kind: 'us' },
  { name: 'Sallyport by hand, createServer', file: 'sallyport-by-hand', how: 'create', kind: 'us' },
  { name: 'Sallyport, app.listen', file: 'sallyport', how: 'listen', kind: 'us' },
  { name: 'Sallyport by hand, app.listen', file: 'sallyport-by-hand', how: 'listen', kind: 'us' },
  fastBase,
  { name: 'Fastify, cors, @fastify/jwt with cache', file: 'fastify', kind: 'peer' },
  { name: 'fast-jwt with cache', file: 'fast-jwt', kind: 'peer' },
  { name: 'express-jwt', file: 'express-jwt', kind: 'peer' },
  { name: 'jose, by hand', file: 'jose', kind: 'peer' },
  { name: 'passport-jwt', file: 'passport-jwt', kind: 'peer' },
  { name: 'express-session, memory', file: 'express-session', kind: 'peer' },
  { name: 'express-oauth2-jwt-bearer', file: 'express-oauth2-jwt-bearer', kind: 'peer' },
]

/**
 * V8 enlarges the young generation of a process that has kept much once, as a server with long lists does at its start, and
 * then collects less often: a small server without a guard is a fifth slower than it would be otherwise.
 */
const grownHeap = ['--min-semi-space-size=16']

const [wired, byHand, wiredUnderListen, byHandUnderListen] = contenders

/** Answers behind the front say `no-store` and carry no ETag by default; here they do, as those without a guard. */
const withEtags = { ...wired, name: 'Sallyport, createServer, with ETags', how: 'create-with-etags' }

/**
 * What is compared besides the table: with the same kind of server, with a connection for each caller (`keepsCaller`), or
 * with `flags` of Node on both sides. `note` says which.
 *
 * @type {readonly { contender: Contender, against: Contender, note?: string, keepsCaller?: boolean, flags?: readonly string[] }[]}
 */
export const pairs = [
  { contender: wired, against: fastBase },
  { contender: wired, against: fastBase, note: 'each caller on a connection of its own', keepsCaller: true },
  { contender: wired, against: base, note: 'each caller on a connection of its own', keepsCaller: true },
  { contender: wired, against: fastBase, note: 'both with a grown heap', flags: grownHeap },
  { contender: wired, against: base, note: 'both with a grown heap', flags: grownHeap },
  { contender: withEtags, against: fastBase },
  { contender: withEtags, against: base },
  { contender: byHand, against: fastBase },
  { contender: wiredUnderListen, against: base },
  { contender: byHandUnderListen, against: base },
]
