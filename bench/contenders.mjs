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

/** Answers that say `no-store` carry no ETag by default; here they do, as those without a guard. */
const withEtags = {
  name: 'Sallyport, createServer, with ETags',
  file: 'sallyport',
  how: 'create-with-etags',
  kind: 'us',
}

/**
 * Pairs whose ratio is a target of its own, or shows what a caller with a connection of its own sees (`keepsCaller`), or both
 * servers with `flags` of Node.
 */
export const pairs = [
  { name: 'guarded, both on createServer', contender: contenders[0], against: fastBase },
  {
    name: 'guarded, both on createServer, each caller on a connection of its own',
    contender: contenders[0],
    against: fastBase,
    keepsCaller: true,
  },
  {
    name: 'guarded, both on createServer, both with a grown heap',
    contender: contenders[0],
    against: fastBase,
    flags: grownHeap,
  },
  {
    name: 'guarded on createServer, unguarded under app.listen, both with a grown heap',
    contender: contenders[0],
    against: base,
    flags: grownHeap,
  },
  { name: 'guarded, with ETags as without a guard, both on createServer', contender: withEtags, against: fastBase },
  {
    name: 'guarded on createServer, with ETags as without a guard, unguarded under app.listen',
    contender: withEtags,
    against: base,
  },
  { name: 'guarded by hand, both on createServer', contender: contenders[1], against: fastBase },
  { name: 'guarded, both under app.listen', contender: contenders[2], against: base },
  { name: 'guarded by hand, both under app.listen', contender: contenders[3], against: base },
]
