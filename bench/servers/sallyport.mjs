/**
 * Sallyport as a deployment.toml wires it: 100 000 networks, CORS, the token store, path rules, rights that are current.
 * `BENCH_DIST` names another build of the package than that of this checkout.
 *
 * @module
 */

import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import express from 'express'
import { apiRoutes, bearer, hundredThousandNetworks, serve, tokenCount } from './work.mjs'

const build = process.env.BENCH_DIST
const { createSecurity } = await import(build ? pathToFileURL(`${build}/index.js`).href : '../../dist/index.js')

/** `create`, `listen`, `logins` (the requests are logins), `look-ups` (100 000 tokens are live), or the URL of a Redis. */
const how = process.argv[2]
const live = how === 'look-ups' ? 100_000 : tokenCount
const usesRedis = how?.startsWith('redis:')
const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
const keyFile = join(folder, 'token-key.pem')
if (usesRedis) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
}

// The passwords below are in plain text, and the run tries out refusals: nothing to be logged.
const logger = { info() {}, warn() {}, error: console.error }
// Of one length, so that all answers to logins have one length too.
const users = Array.from({ length: tokenCount }, (_, number) => ({
  name: `user-${1000 + number}`,
  password: crypto.randomUUID(),
}))
const security = await createSecurity(
  {
    management_api: {
      jwt_token_security_handler: {
        enable: true,
        // EdDSA is the quickest to issue.
        token_config: { algorithm: how === 'look-ups' ? 'EdDSA' : 'RS256', ...(usesRedis && { key_file: keyFile }) },
        token_store_config: { max_size: live },
      },
      authorization_handler: { enable: true, resources: ['/users', '/roles', '/configs'].map((path) => ({ path })) },
      cors: { enabled: true, allowed_origins: '*' },
      control_access: { enable: true, allow: hundredThousandNetworks() },
    },
    internal_apis: {
      users: [
        { user: { name: 'admin', password: crypto.randomUUID(), is_admin: true } },
        ...users.map((user) => ({ user })),
      ],
    },
    ...(usesRedis && { shared_store: { type: 'redis', url: how } }),
  },
  { logger },
)
rmSync(folder, { recursive: true })
const app = express().use('/management', security.managementApi(), apiRoutes(express))
const server = how === 'listen' ? createServer(app) : security.createServer(app)

if (how === 'logins') {
  await serve(
    server,
    users.map(({ name, password }) => `Authorization: Basic ${btoa(`${name}:${password}`)}`),
  )
} else {
  const accounts = await Promise.all(users.map(({ name }) => security.users.find(name)))
  const tokens = []
  for (let number = 0; number < live; number++) {
    tokens.push((await security.tokens.issue(accounts[number % users.length])).token)
  }
  const lookUp = how === 'look-ups' ? await lookUpTime(tokens) : undefined
  // Not all of 100 000: the load generator keeps a request for each.
  const step = Math.max(1, live / 10_000)
  const inUse = tokens.filter((_, number) => number % step === 0)
  await serve(server, inUse.map(bearer), lookUp)
}

/** Microseconds of `tokens.verify`, the median of five rounds. */
async function lookUpTime(tokens) {
  const rounds = []
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage()
    for (let call = 0; call < tokens.length; call++) await security.tokens.verify(tokens[(call * 7919) % tokens.length])
    const { user, system } = process.cpuUsage(before)
    rounds.push((user + system) / tokens.length)
  }
  return rounds.sort((left, right) => left - right)[2]
}
