/**
 * What is compared, in the order of the table.
 *
 * @module
 */

/**
 * @typedef {object} Contender
 * @property {string} name What the table and the chart call it.
 * @property {string} file The server in `servers/`.
 * @property {string} [how] What the server is told, for those that can be made in several ways.
 * @property {'us' | 'unguarded' | 'peer'} kind
 * @property {string} [dist] Another build of the package than that of this checkout.
 * @property {string} [path] What is requested, if not `/management/apis`.
 */

/** What every contender is measured against. */
export const base = { name: 'Express, no guard, app.listen', file: 'express', how: 'listen', kind: 'unguarded' }

/** The same app on our server: the second base, for what the guard itself costs there. */
const fastBase = { name: 'Express, no guard, createServer', file: 'express', how: 'create', kind: 'unguarded' }

const guarded = { name: 'Sallyport, createServer', file: 'sallyport', how: 'create', kind: 'us' }
const underListen = { name: 'Sallyport, app.listen', file: 'sallyport', how: 'listen', kind: 'us' }

/** @type {readonly Contender[]} */
export const contenders = [
  guarded,
  underListen,
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
 * What is compared besides the table; `keepsCaller`: with a connection for each caller.
 *
 * @type {readonly { contender: Contender, against: Contender, keepsCaller?: boolean, floor?: number }[]}
 */
export const pairs = [
  { contender: guarded, against: fastBase, floor: 0.9 },
  { contender: guarded, against: fastBase, keepsCaller: true, floor: 0.93 },
  { contender: guarded, against: base, keepsCaller: true },
]
