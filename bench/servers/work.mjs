/**
 * The work that every server of the benchmark does: a bearer token accepted, CORS headers, a JSON answer of a route in a
 * mounted router. And how such a server tells the run where it listens.
 *
 * @module
 */

import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { SignJWT } from 'jose'

/** What `GET /management/apis` answers: some 600 bytes of JSON. */
export const apis = {
  count: 6,
  list: ['orders', 'customers', 'invoices', 'shipping', 'returns', 'catalogue'].map((name, index) => ({
    name: `${name}-api`,
    url: `https://gateway.example.org:8243/${name}/v1`,
    tracing: index % 2 === 0 ? 'enabled' : 'disabled',
  })),
}

export const issuer = 'https://login.example.org'
export const audience = 'management-api'

/** As many tokens are in use at the same time. */
export const tokenCount = 200

/** The loopback addresses, and 99 999 networks of 1024 addresses that do not touch each other. */
export function hundredThousandNetworks() {
  const networks = ['127.0.0.0/8']
  for (let number = 0; networks.length < 100_000; number++) {
    networks.push(`${1 + (number >> 13)}.${(number >> 5) & 255}.${(number & 31) * 8}.0/22`)
  }
  return networks
}

/** A router with the one route, of the Express that the server uses. */
export function apiRoutes(express) {
  const routes = express.Router()
  routes.get('/apis', (_request, response) => response.json(apis))
  return routes
}

/**
 * A new RSA key of 2048 bits. Key objects: text would be parsed anew by some libraries at each request.
 *
 * They are read back from bytes: on Node 20 a process can lock up for ever when the collector frees what is left of making
 * a key while that same key is exported as JWK, which jose does when it signs.
 */
export function makeKeys() {
  const { privateKey: bytes } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  })
  const privateKey = createPrivateKey({ key: bytes, type: 'pkcs8', format: 'der' })
  return { privateKey, publicKey: createPublicKey(privateKey) }
}

/** Headers with RS256 tokens of as many users, of the length that ours have too. */
export function signTokens(privateKey) {
  const sign = (_, number) =>
    new SignJWT({ scope: 'default' })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'Cxw1HxmS3b3rc1TzE3Vj0sYbwvLwUg5c5rhkA4ZeV0E' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(`user-${number}`)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey)
  return Promise.all(Array.from({ length: tokenCount }, sign)).then((tokens) => tokens.map(bearer))
}

/** The header that carries a token. */
export function bearer(token) {
  return `Authorization: Bearer ${token}`
}

/**
 * Listens on a free port of the loopback address, tells the parent process the port and the header line of each of the
 * clients, and afterwards the processor time used so far whenever it asks.
 *
 * @param {import('node:http').Server} server
 * @param {readonly string[]} credentials
 * @param {number} [lookUp] microseconds that the look-up of a token takes
 */
export async function serve(server, credentials, lookUp) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.on('message', () => process.send(process.cpuUsage()))
  process.on('disconnect', () => process.exit())
  process.send({ port: server.address().port, credentials, lookUp })
}
