import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { clusterDocument } from '../../helpers/cluster.js'
import { basic, bearer, type Front, startFront, users } from '../../helpers/front.js'
import { type RedisServer, redisCommand, startRedis } from '../../helpers/redis.js'
import { oneSetUp } from '../../helpers/set-ups.js'
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.js'

/** The promise of the configuration that all fronts here have. */
const boundMs = 1000
const store = { max_staleness: '1s' }

/** Far more than two seconds, so that a busy machine fails nothing. */
const patience = { timeout: 20_000 }

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis('--enable-debug-command', 'yes', '--busy-reply-threshold', '200')
})

afterAll(() => redis.stop())

const command = (...words: readonly string[]): Promise<unknown> => redisCommand(redis.url, ...words)

interface Fault {
  readonly name: string
  readonly start: (proxy: TcpProxy) => unknown
  readonly end: (proxy: TcpProxy) => unknown
  /** Whether the tokens of before are there afterwards. */
  readonly keepsData: boolean
}

let killing: NodeJS.Timeout | undefined

const faults: readonly Fault[] = [
  {
    name: 'Redis stands still',
    start: () => redis.signal('SIGSTOP'),
    end: () => redis.signal('SIGCONT'),
    keepsData: true,
  },
  {
    name: 'Redis is killed, and comes back empty',
    start: () => redis.signal('SIGKILL'),
    end: () => redis.start(),
    keepsData: false,
  },
  {
    name: 'the primary is made a replica',
    start: () => command('REPLICAOF', '127.0.0.1', '1'),
    end: () => command('REPLICAOF', 'NO', 'ONE'),
    keepsData: true,
  },
  {
    name: 'connections are killed again and again',
    start() {
      killing = setInterval(() => void command('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => undefined), 20)
    },
    end: () => clearInterval(killing),
    keepsData: true,
  },
  {
    name: 'memory is full',
    start: () => command('CONFIG', 'SET', 'maxmemory', '1'),
    end: () => command('CONFIG', 'SET', 'maxmemory', '0'),
    keepsData: true,
  },
  {
    name: 'the database is exchanged',
    start: () => command('SWAPDB', '0', '1'),
    end: () => command('SWAPDB', '0', '1'),
    keepsData: true,
  },
  { name: 'all data is removed', start: () => command('FLUSHALL'), end: () => undefined, keepsData: false },
  {
    name: 'Redis sleeps',
    start: () => void command('DEBUG', 'SLEEP', '2.5').catch(() => undefined),
    end: () => undefined,
    keepsData: true,
  },
  {
    name: 'a script does not end',
    start: () => void command('EVAL', 'while true do end', '0').catch(() => undefined),
    end: () => command('SCRIPT', 'KILL'),
    keepsData: true,
  },
  {
    name: 'the network swallows what one process sends and gets',
    start(proxy) {
      proxy.onData = () => 'swallow'
      proxy.onAnswer = () => 'swallow'
    },
    end(proxy) {
      proxy.onData = undefined
      proxy.onAnswer = undefined
    },
    keepsData: true,
  },
  {
    name: 'the network swallows what one process gets',
    start(proxy) {
      proxy.onAnswer = () => 'swallow'
    },
    end(proxy) {
      proxy.onAnswer = undefined
    },
    keepsData: true,
  },
]

/** Two fronts, of which the second one reaches Redis through the proxy. */
async function startPair(): Promise<{ first: Front; second: Front; proxy: TcpProxy }> {
  const proxy = await startTcpProxy(redis.port)
  onTestFinished(() => proxy.stop())
  const source = clusterDocument({ url: redis.url, store }) as { shared_store: object }
  const first = await startFront(oneSetUp, { source })
  const changed = { ...source, shared_store: { ...source.shared_store, url: `redis://127.0.0.1:${proxy.port}` } }
  return { first, second: await startFront(oneSetUp, { source: changed }), proxy }
}

const isIn = async (front: Front, token: string): Promise<number> =>
  (await front.call('GET', '/inbound', [bearer(token)])).status

/** Asks until it is told to stop. What it was answered, and when it sent the last request that was admitted. */
function watch(front: Front, token: string): { stop(): Promise<{ lastAdmittedAt: number; longestMs: number }> } {
  let isStopped = false
  let lastAdmittedAt = 0
  let longestMs = 0
  const running = (async () => {
    while (!isStopped) {
      const sentAt = performance.now()
      const status = await isIn(front, token)
      expect([200, 401, 503]).toContain(status)
      if (status === 200) lastAdmittedAt = sentAt
      longestMs = Math.max(longestMs, performance.now() - sentAt)
      await delay(2)
    }
  })()
  return {
    async stop() {
      isStopped = true
      await running
      return { lastAdmittedAt, longestMs }
    },
  }
}

// Covers: J14 C09
describe.each(faults)('while $name', ({ start, end, keepsData }) => {
  it('no process admits a revoked token later than the bound, and all recovers by itself', async () => {
    const { first, second, proxy } = await startPair()
    const before = await first.login()
    const during = await first.login()
    const kept = await first.login()
    for (const token of [before, during, kept]) expect(await isIn(second, token)).toBe(200)
    const watching = [watch(second, before), watch(second, during)] as const

    expect((await first.call('GET', '/logout', [bearer(before)])).status).toBe(200)
    const acknowledgedAt = [performance.now(), Number.POSITIVE_INFINITY] as [number, number]
    await start(proxy)
    let hasEnded = false
    // A token that is not there now may be there again, so that only the end of the fault makes 401 an answer.
    const logout = async (): Promise<void> => {
      const isLoggedOut = async (): Promise<boolean> => {
        const isOver = hasEnded
        const { status } = await first.call('GET', '/logout', [bearer(during)])
        expect([200, 401, 503]).toContain(status)
        return status === 200 || (status === 401 && isOver)
      }
      await expect.poll(isLoggedOut, patience).toBe(true)
      acknowledgedAt[1] = performance.now()
    }
    const loggingOut = logout()
    await delay(boundMs + 700)
    // Asked for nothing that is kept in Redis, it answers at once.
    expect((await second.call('GET', '/inbound')).status).toBe(401)
    await end(proxy)
    hasEnded = true
    const endedAt = performance.now()
    await loggingOut
    await expect.poll(() => isIn(second, kept), patience).toBe(keepsData ? 200 : 401)
    await expect
      .poll(async () => (await second.call('GET', '/login', [basic('admin', users.admin.password)])).status, patience)
      .toBe(200)
    const recoveredMs = performance.now() - endedAt
    await delay(Math.max(0, acknowledgedAt[1] + boundMs + 200 - performance.now()))

    const delays: number[] = []
    let longestMs = 0
    for (const [index, watched] of watching.entries()) {
      const seen = await watched.stop()
      delays.push(seen.lastAdmittedAt - acknowledgedAt[index as 0 | 1])
      longestMs = Math.max(longestMs, seen.longestMs)
    }
    console.info(
      `admitted after the answer: ${delays.map((ms) => ms.toFixed(0)).join(', ')} ms; longest request ${longestMs.toFixed(0)} ms; recovered in ${recoveredMs.toFixed(0)} ms`,
    )
    expect(Math.max(...delays)).toBeLessThanOrEqual(boundMs)
    for (const token of [before, during]) {
      for (const front of [first, second]) {
        // The first one may connect again a little later.
        await expect.poll(() => isIn(front, token), patience).not.toBe(503)
        expect(await isIn(front, token)).toBe(401)
      }
    }
  })
})
