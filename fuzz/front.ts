/**
 * A running front, and requests that are nearly right: each gets a 2xx when it is good and a 4xx when it is not.
 *
 * @module
 */

import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import express from 'express'
import { createSecurity } from '../lib/app/create-security.js'
import { mutated, type Random, randomText } from './random.js'

/** Longer than any answer takes. */
const hangMs = 20_000

const password = 'Correct-horse-1'
const silent = { info() {}, warn() {}, error() {} }

/** A request, and what is known of it. */
interface Sent {
  readonly bytes: Buffer
  /** Whether its one credential is a good token, unchanged, so that a plain path must be served. */
  readonly isGood: boolean
  /** Whether a good credential is among what is sent, so that a 2xx may come. */
  readonly mayPass: boolean
}

/** A front that can be fuzzed. */
export interface FuzzedFront {
  /** Sends one request; rejects when the answer is wrong, or does not come. */
  run(random: Random): Promise<void>
  close(): Promise<void>
}

/** Starts an app behind the front on a free port of the loopback address. */
export async function startFuzzedFront(): Promise<FuzzedFront> {
  const source = {
    management_api: {
      // The tokens of the fuzz logins must not put out the good one.
      jwt_token_security_handler: {
        token_config: { algorithm: 'ES256' },
        token_store_config: { max_size: 10_000_000 },
      },
      login_throttle: { enable: false },
    },
    internal_apis: { users: [{ user: { name: 'admin', password, is_admin: true } }] },
  }
  const security = await createSecurity(source, { logger: silent })
  const app = express()
  app.disable('x-powered-by')
  app.use('/management', security.managementApi({ resources: false }), (_request, response) => {
    response.setHeader('X-Route', 'ran')
    response.end('{}')
  })
  const server = security.createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const basic = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
  const logIn = async (): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}/management/login`, { headers: { Authorization: basic } })
    return ((await answer.json()) as { AccessToken: string }).AccessToken
  }
  const tokens = { lasting: await logIn(), ending: await logIn() }

  return {
    async run(random) {
      const sent = requestOf(random, tokens, basic)
      const answer = await exchange(port, sent.bytes)
      const mistake = mistakeIn(answer, sent)
      if (mistake !== undefined)
        throw new Error(`${mistake}\n${JSON.stringify(sent.bytes.toString('latin1'))}\n${answer}`)
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await security.close()
    },
  }
}

const methods = [
  'GET',
  'GET',
  'GET',
  'POST',
  'HEAD',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'get',
  'X',
]
const paths = ['/apis', '/apis', '/users', '/login', '/logout', '/jwks', '', '/', '/a/b/c', '/users/42', '/%75sers']
const plainPaths = ['/apis', '/a/b/c', '/users/42']
const headers = [
  'Origin: https://a.example',
  'Access-Control-Request-Method: PUT',
  'Accept: application/problem+json',
  'Accept: text/html;q=0.9, */*',
  'X-Forwarded-For: 10.0.0.1',
  'X-Original-URL: /management/jwks',
  'Content-Type: application/json',
  'Sec-Fetch-Site: cross-site',
  'Cookie: a=b',
  'Expect: 100-continue',
  'Content-Length: 0',
]

interface Tokens {
  readonly lasting: string
  /** What is sent to paths that may be the logout. */
  readonly ending: string
}

function requestOf(random: Random, tokens: Tokens, basic: string): Sent {
  const isPlain = random.oneIn(8)
  const start = isPlain ? random.oneOf(plainPaths) : random.oneOf(paths)
  const path = isPlain ? start : mutated(random, start)
  const token = start === '/logout' ? tokens.ending : tokens.lasting
  const good = `Bearer ${token}`
  const credentials = Array.from({ length: random.oneIn(20) ? 2 : 1 }, () => credentialOf(random, good, basic))
  const method = isPlain ? random.oneOf(['GET', 'POST', 'PUT', 'DELETE', 'PATCH']) : random.oneOf(methods)
  const lines = isPlain ? [] : Array.from({ length: random.below(4) }, () => mutated(random, random.oneOf(headers)))
  if (!isPlain && random.oneIn(10)) lines.push(`${randomText(random)}: ${randomText(random)}`)
  const fields = credentials.filter((credential) => credential !== undefined).map((text) => `Authorization: ${text}`)
  const text = [
    `${method} /management${path} HTTP/1.1`,
    'Host: front.test',
    'Connection: close',
    ...fields,
    ...lines,
    '',
    '',
  ]
  const mayPass = fields.some((field) => field.includes(token) || field.includes(basic.slice(6)))
  return {
    bytes: Buffer.from(text.join('\r\n'), random.oneIn(10) ? 'utf8' : 'latin1'),
    isGood: isPlain && credentials.length === 1 && credentials[0] === good,
    mayPass,
  }
}

function credentialOf(random: Random, good: string, basic: string): string | undefined {
  switch (random.below(10)) {
    case 0:
      return undefined
    case 1:
      return basic
    case 2:
      return randomText(random)
    case 3:
      // Most of these are refused before they wait for the time that a wrong password takes.
      return mutated(random, basic)
    case 4:
    case 5:
    case 6:
      return good
    default:
      return mutated(random, good)
  }
}

/** All that comes back until the server closes the connection. */
function exchange(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = ''
    // Nothing follows: a server that waits for the rest of a message learns that there is none.
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(bytes))
    socket.setEncoding('latin1')
    const hanging = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no answer in ${hangMs} ms: ${JSON.stringify(bytes.toString('latin1'))}`))
    }, hangMs)
    socket.on('data', (chunk: string) => {
      received += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(hanging)
      resolve(received)
    })
  })
}

/** What is wrong with an answer. */
function mistakeIn(answer: string, { isGood, mayPass }: Sent): string | undefined {
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? Number.NaN)
  const hasRun = /^X-Route: ran/m.test(answer)
  if (Number.isNaN(status)) return answer === '' ? undefined : 'no status'
  if (status >= 500) return 'a 5xx'
  if (isGood && !(status === 200 && hasRun)) return 'a good request was refused'
  if (hasRun && !mayPass) return 'a request without a good credential reached the route'
  if (answer.includes('AccessToken') && !mayPass) return 'a login without a good password'
  return undefined
}
