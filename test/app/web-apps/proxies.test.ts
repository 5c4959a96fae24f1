import { request as httpRequest } from 'node:http'
import express, { type RequestHandler } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSecurity } from '../../../lib/app/create-security.js'
import { startForwardingProxy } from '../../helpers/forwarding-proxy.js'
import { document } from '../../helpers/front.js'
import { type ListeningServer, listen } from '../../helpers/raw-socket.js'
import { recordedLog } from '../../helpers/recorded-log.js'

/** The proxies from the client's side to the app's, each with an address of its own. */
const proxyAddresses = ['127.0.0.11', '127.0.0.12', '127.0.0.13']
const listed = '127.0.9.9'
const unlisted = '127.0.9.8'
const log = recordedLog()
const { logger } = log

/** The three controls, each with `listed` alone. */
const controls: Readonly<Record<string, () => Promise<RequestHandler>>> = {
  '[admin_console.control_access]': async () => {
    const admin_console = { control_access: { enable: true, allow: [listed] } }
    return (await createSecurity(document({ root: { admin_console } }), { logger })).portal('management_console')
  },
  '[web_app.control_access]': async () => {
    const web_app = { control_access: { enable: true, allow: ['127\\.0\\.9\\.9'] } }
    return (await createSecurity(document({ root: { web_app } }), { logger })).webApps()
  },
  '[[servlet_access_control_filter]]': async () => {
    const filter = { filter_name: 'f', url_pattern: '/console/*', allow_ip_regex: listed }
    const root = { servlet_access_control_filter: [filter] }
    return (await createSecurity(document({ root }), { logger })).webApps()
  },
}

/** A portal asks who is let in to sign in. */
const letIn: Readonly<Record<number, number>> = { 401: 200 }

/** What somebody listed, somebody unlisted, and somebody unlisted who sends `X-Forwarded-For: listed` get. */
type Outcomes = readonly [listed: number, unlisted: number, forged: number]

const asWritten: Outcomes = [200, 403, 403]
const nobody: Outcomes = [403, 403, 403]
const fooled: Outcomes = [200, 403, 200]
const unsafe: Outcomes = [503, 503, 503]

/** Settings of `trust proxy` behind a number of proxies. SECURITY.md has the same table. */
const settings: readonly (readonly [string, (count: number) => unknown, Outcomes])[] = [
  ['the addresses of all proxies', (count) => proxyAddresses.slice(0, count), asWritten],
  ['the network of the proxies', () => '127.0.0.0/24', asWritten],
  ['the number of proxies', (count) => count, asWritten],
  ['nothing', () => false, nobody],
  ['one proxy too few', (count) => proxyAddresses.slice(1, count), nobody],
  ['a number that is one too low', (count) => count - 1, nobody],
  ['a network that clients are in too', () => '127.0.0.0/8', fooled],
  ['a number that is one too high', (count) => count + 1, fooled],
  ['true', () => true, unsafe],
  ['a number as text', (count) => String(count), unsafe],
]

const rows = [1, 2, 3].flatMap((count) =>
  settings.map(([name, settingOf, outcomes]) => [count, name, settingOf(count), outcomes] as const),
)

// Covers: F03
describe.each(Object.entries(controls))('%s behind proxies', (_name, makeHandler) => {
  const opened: AsyncDisposable[] = []
  let handler: RequestHandler
  let current: express.Express
  let server: ListeningServer
  /** Ports by the number of proxies on the way. */
  const entrances: number[] = []

  beforeAll(async () => {
    handler = await makeHandler()
    server = await listen((request, response) => current(request, response))
    opened.push(server)
    for (let count = 0; count <= proxyAddresses.length; count++) {
      // Built from the app's side: the proxy nearest to the app is the last one of the row.
      let port = server.port
      for (const address of proxyAddresses.slice(0, count).reverse()) {
        const proxy = await startForwardingProxy(address, port)
        opened.push(proxy)
        port = proxy.port
      }
      entrances.push(port)
    }
  })
  afterAll(async () => {
    for (const one of opened.reverse()) await one[Symbol.asyncDispose]()
  })

  function appWith(trustProxy: unknown): express.Express {
    const app = express()
    app.set('trust proxy', trustProxy)
    app.use('/console', handler, (_request, response) => void response.end('reached'))
    return app
  }

  async function outcomesAt(port: number): Promise<Outcomes> {
    return [await statusOf(port, listed), await statusOf(port, unlisted), await statusOf(port, unlisted, listed)]
  }

  it.each(rows)('%i, with "trust proxy" = %s', async (count, _setting, trustProxy, outcomes) => {
    current = appWith(trustProxy)
    expect(await outcomesAt(entrances[count]!)).toEqual(outcomes)
  })

  it.each([1, 2, 3])(
    '%i of them, passed by on a shorter way: a list of proxies holds, a count is fooled',
    async (count) => {
      current = appWith(proxyAddresses.slice(0, count))
      expect(await outcomesAt(server.port)).toEqual(asWritten)
      current = appWith(count)
      expect(await outcomesAt(server.port)).toEqual(fooled)
    },
  )

  it('that are counted are warned of, and the reason of every 503 is logged', () => {
    expect(log.entries.some(({ level, message }) => level === 'warn' && /is a count of 2/.test(message))).toBe(true)
    expect(log.entries.some(({ level, message }) => level === 'error' && /is true/.test(message))).toBe(true)
    expect(log.entries.some(({ level, message }) => level === 'error' && /count as text/.test(message))).toBe(true)
  })
})

function statusOf(port: number, from: string, forged?: string): Promise<number> {
  const headers = forged === undefined ? {} : { 'X-Forwarded-For': forged }
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/console/x', localAddress: from, agent: false, headers }
    httpRequest(options, (response) => {
      const { statusCode = 0 } = response
      response.resume().on('end', () => resolve(letIn[statusCode] ?? statusCode))
    })
      .on('error', reject)
      .end()
  })
}
