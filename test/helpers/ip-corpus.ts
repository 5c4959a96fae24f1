import { readFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import { expect } from 'vitest'
import { trustProxyProblem } from '../../lib/addresses/trust-proxy.js'
import { ConfigError, type HttpError } from '../../lib/core/errors.js'
import { type ListeningServer, listen } from './raw-socket.js'

/** One entry of `ip-corpus.json`. */
export interface AddressEntry {
  readonly id: string
  readonly peer: string | null
  readonly trust: unknown
  readonly headers: readonly (readonly [string, string])[]
  readonly allow: readonly unknown[]
  readonly expect: AddressOutcome | 'policy'
  readonly note: string
}

/** What becomes of a request; `config-error`: the list, or the app's `trust proxy`, is refused. */
export type AddressOutcome = 'allow' | 'deny' | 'config-error'

/** All entries. */
export const { entries: addressEntries } = JSON.parse(
  readFileSync(new URL('../corpora/ip-corpus.json', import.meta.url), 'utf8'),
) as { entries: readonly AddressEntry[] }

/** Where the corpus leaves the choice: what is chosen, and why. */
export const addressPolicies: Readonly<Record<string, readonly [AddressOutcome, reason: string]>> = {
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
  'xf-val-v6-bracket': ['allow', 'some proxies write an IPv6 address with brackets'],
  'xf-val-port-allow': ['allow', 'some proxies, those of Azure and IIS for example, add the port'],
  'xf-val-v6-case': ['allow', 'addresses are compared as numbers'],
  'xf-two-headers-rev': ['allow', 'the proxy appends, so the last line is its own'],
  'xf-none-behind-proxy': ['allow', 'without the header the proxy itself is the client'],
}

/** Where the outcome is another than the corpus has, and why. */
const deviations: Readonly<Record<string, readonly [AddressOutcome, reason: string]>> = {
  'v6-zone-other': ['config-error', 'the list has a zone id, which is refused at start before anybody calls'],
}

/** The outcome of an entry in this package. */
export function expectedOutcome({ id, expect: expected }: AddressEntry): AddressOutcome | 'policy' {
  const [outcome] = deviations[id] ?? addressPolicies[id] ?? [expected]
  return outcome
}

const namedSettings: Readonly<Record<string, unknown>> = {
  $NaN: Number.NaN,
  '$function-throws': () => {
    throw new Error('no answer')
  },
  '$function-returns-promise': async () => false,
}

/** A logger that says nothing. */
export const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

const answerRefusal: ErrorRequestHandler = (error: HttpError, _request, response, _next) => {
  response.status(error.status).end(error.code)
}

/** Makes the handler that enforces the list of an entry. */
export type HandlerOfList = (allow: readonly unknown[]) => RequestHandler

/** An app that sees the entry's peer on its sockets. `undefined` when its address list or Express itself refuses it. */
function appOf({ peer, trust, allow }: AddressEntry, handlerOfList: HandlerOfList): Express | undefined {
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
    }) as RequestHandler)
    app.use(handlerOfList(allow))
  } catch (error) {
    if (error instanceof ConfigError) return undefined
    throw error
  }
  app.use((_request: express.Request, response: express.Response) => void response.end('reached'))
  app.use(answerRefusal)
  return app
}

const outcomes: Readonly<Record<string, AddressOutcome>> = {
  '200 reached': 'allow',
  '403 ERR_IP_NOT_ALLOWED': 'deny',
  '503 ERR_TRUST_PROXY_UNSAFE': 'config-error',
}

/** A server that entries are tried on, one after the other. */
export interface AddressCourt extends AsyncDisposable {
  /** The outcome of an entry; another answer as text. */
  outcomeOf(entry: AddressEntry, handlerOfList: HandlerOfList): Promise<string>
}

/** Starts the server. */
export async function openAddressCourt(): Promise<AddressCourt> {
  let current: Express
  const server: ListeningServer = await listen((request, response) => current(request, response))
  // Each request has its own connection, because the peer is written onto the socket.
  const agent = new Agent({ keepAlive: false })

  function answerOf(entry: AddressEntry): Promise<string> {
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

  return {
    async outcomeOf(entry, handlerOfList) {
      const app = appOf(entry, handlerOfList)
      if (app === undefined) return 'config-error'
      current = app
      const answer = await answerOf(entry)
      const outcome = outcomes[answer]
      if (outcome === 'config-error') expect(trustProxyProblem(app)).toBeDefined()
      return outcome ?? answer
    },

    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** `$repeat:text:count` stands for a long value. */
function repeated(value: string): string {
  const [, part = '', count = '0'] = /^\$repeat:(.*):(\d+)$/.exec(value) ?? []
  return part === '' ? value : part.repeat(Number(count))
}
