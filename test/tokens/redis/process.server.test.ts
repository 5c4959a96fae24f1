import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bearer, startFront } from '../../helpers/front.js'
import { type RedisServer, startRedis } from '../../helpers/redis.js'
import { oneSetUp } from '../../helpers/set-ups.js'
import { appProcesses, sharedDocument, startProcess } from '../app-processes.js'

let redis: RedisServer

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.stop())

appProcesses({
  url: () => redis.url,
  store: { max_staleness: '1s' },
  boundMs: 1000,
  async hold() {
    await redis.signal('SIGSTOP')
    return () => redis.signal('SIGCONT')
  },
})

describe('a process of an app', () => {
  it('that is told by another process refuses within a network delay', async () => {
    const source = await sharedDocument({ url: redis.url, store: { max_staleness: '2s' } })
    const first = await startFront(oneSetUp, { source })
    const other = await startProcess(source)
    const delays: number[] = []
    for (let count = 0; count < 50; count++) {
      const token = await first.login()
      expect(await other.call('/inbound', bearer(token))).toBe(200)
      let lastAdmittedAt = Number.NEGATIVE_INFINITY
      const watching = (async () => {
        for (;;) {
          const sentAt = performance.now()
          if ((await other.call('/inbound', bearer(token))) !== 200) return
          lastAdmittedAt = sentAt
        }
      })()
      expect((await first.call('GET', '/logout', [bearer(token)])).status).toBe(200)
      const acknowledgedAt = performance.now()
      await watching
      delays.push(Math.max(0, lastAdmittedAt - acknowledgedAt))
    }
    delays.sort((left, right) => left - right)
    const at = (share: number): string => delays[Math.ceil(delays.length * share) - 1]!.toFixed(1)
    console.info(`over two processes, ${delays.length} revocations, ms: p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`)
    expect(delays.at(-1)).toBeLessThanOrEqual(2000)
  })
})
