import { readFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError, type HttpError } from '../../lib/errors.js'
import { trustProxyProblem } from '../../lib/internal/trust-proxy.js'
import { ipAllowList } from '../../lib/middlewares/ip-allow-list.js'
import { type ListeningServer, listen } from '../helpers/raw-socket.js'

interface Entry {
  readonly id: string
  readonly peer: string | null
  readonly trust: unknown
  readonly headers: readonly (readonly [string, string])[]
  readonly allow: readonly unknown[]
  readonly expect: 'allow' | 'deny' | 'config-error' | 'policy'
  readonly note: string
}

type Outcome = 'allow' | 'deny' | 'config-error'

const { entries } = JSON.parse(readFileSync(new URL('../corpora/ip-corpus.json', import.meta.url), 'utf8')) as {
  entries: readonly Entry[]
}

/** Where the corpus leaves the choice: what is chosen, and why. */
const policies: Readonly<Record<string, readonly [Outcome, reason: string]>> = {
  'np-xff-hop': ['allow', 'the hop is the proxy on the other end of the unix socket; a count of proxies is warned of'],
  'np-xff-all': ['config-error', 'trust proxy = true is refused together with any address rule'],
  'map-v6all': ['deny', '::/0 is IPv6 only: whoever means IPv4 too writes 0.0.0.0/0'],
  'v6-zone': ['deny', 'an address with a zone id means different hosts on different interfaces'],
  'v6-zone-exact': ['deny', 'an address with a zone id means different hosts on different interfaces'],
  'v6-zone-rule': ['config-error', 'a zone id in a list has no meaning for other hosts'],
  'v6-zone-num': ['deny', 'an address with a zone id means different hosts on different interfaces'],
  'cidr-host-bits': [
    'config-error',
    'a block that does not begin where it says is a slip; the message has both spellings',
  ],
  'cidr-host-bits-8': ['config-error', 'a block that does not begin where it says is a slip'],
  'cidr-0-any-base': ['config-error', 'a slip that would let everybody in'],
  'xf-two-short': ['allow', 'a known weakness of counts of proxies; they are warned of'],
  'xf-two-spoof': ['allow', 'a count that is one too high cannot be seen; counts are warned of'],
  'xf-true-left': ['config-error', 'trust proxy = true is refused together with any address rule'],
  'xf-addr-inner-spoof': ['allow', 'the app trusts that whole network; SECURITY.md advises narrow lists'],
  'xf-val-v6-bracket': ['deny', 'brackets are no part of an address'],
  'xf-val-port-allow': ['deny', 'a port is no part of an address'],
  'xf-val-v6-case': ['allow', 'addresses are compared as numbers'],
  'xf-two-headers-rev': ['allow', 'the proxy appends, so the last line is its own'],
  'xf-none-behind-proxy': ['allow', 'without the header the proxy itself is the client'],
}

/** Where the outcome is another than the corpus has, and why. */
const deviations: Readonly<Record<string, readonly [Outcome, reason: string]>> = {
  'v6-zone-other': ['config-error', 'the list has a zone id, which is refused at start before anybody calls'],
}

const namedSettings: Readonly<Record<string, unknown>> = {
  $NaN: Number.NaN,
  '$function-throws': () => {
    throw new Error('no answer')
  },
  '$function-returns-promise': async () => false,
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

const answerRefusal: ErrorRequestHandler = (error: HttpError, _request, response, _next) => {
  response.status(error.status).end(error.code)
}

/** An app that sees the entry's peer on its sockets. `undefined` when its address list or Express itself refuses it. */
function appOf({ peer, trust, allow }: Entry): Express | undefined {
  const app = express()
  const setting = typeof trust === 'string' && trust in namedSettings ? namedSettings[trust] : trust
  try {
    app.set('trust proxy', setting)
  } catch {
    // Express refuses some settings; the entry counts as refused only if the package sees the mistake as well.
  }
  try {
    app.use(((request, _response, next) => {
      Object.defineProperty(request.socket, 'remoteAddress', { configurable: true, value: peer ?? undefined })
      next()
    }) as express.RequestHandler)
    app.use(ipAllowList({ networks: allow as string[], logger: quiet }))
  } catch (error) {
    if (error instanceof ConfigError) return undefined
    throw error
  }
  app.use((_request: express.Request, response: express.Response) => void response.end('reached'))
  app.use(answerRefusal)
  return app
}

const outcomes: Readonly<Record<string, Outcome>> = {
  '200 reached': 'allow',
  '403 ERR_IP_NOT_ALLOWED': 'deny',
  '503 ERR_TRUST_PROXY_UNSAFE': 'config-error',
}

// Covers: F01 F02 F03 F04 F06
describe('ip-corpus.json', () => {
  let current: Express
  let server: ListeningServer
  // Each request has its own connection, because the peer is written onto the socket.
  const agent = new Agent({ keepAlive: false })

  beforeAll(async () => {
    server = await listen((request, response) => current(request, response))
  })
  afterAll(() => server[Symbol.asyncDispose]())

  function answerOf(entry: Entry): Promise<string> {
    // Node writes header values as latin1; the corpus means UTF-8 bytes.
    const headers = entry.headers.flatMap(([name, value]) => [name, Buffer.from(repeated(value)).toString('latin1')])
    const hasHost = entry.headers.some(([name]) => name.toLowerCase() === 'host')
    const allHeaders = hasHost ? headers : ['Host', 'localhost', ...headers]
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: server.port, agent, headers: allHeaders }
      const outgoing = httpRequest(options, (response) => {
        text(response).then((body) => resolve(`${response.statusCode} ${body}`), reject)
      })
      outgoing.on('error', reject).end()
    })
  }

  async function outcomeOf(entry: Entry): Promise<Outcome | string> {
    const app = appOf(entry)
    if (app === undefined) return 'config-error'
    current = app
    const answer = await answerOf(entry)
    const outcome = outcomes[answer]
    if (outcome === 'config-error') expect(trustProxyProblem(app)).toBeDefined()
    return outcome ?? answer
  }

  it('has an outcome for each entry, and a policy for no other', () => {
    const open = entries.filter((entry) => entry.expect === 'policy').map(({ id }) => id)
    expect(Object.keys(policies).sort()).toEqual(open.sort())
    expect(entries.length).toBeGreaterThan(150)
  })

  it.each(entries.map((entry) => [entry.id, entry.note, entry] as const))('%s: %s', async (id, _note, entry) => {
    const [expected] = deviations[id] ?? policies[id] ?? [entry.expect]
    expect(await outcomeOf(entry)).toBe(expected)
  })
})

/** `$repeat:text:count` stands for a long value. */
function repeated(value: string): string {
  const [, part = '', count = '0'] = /^\$repeat:(.*):(\d+)$/.exec(value) ?? []
  return part === '' ? value : part.repeat(Number(count))
}
