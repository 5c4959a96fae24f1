import { afterAll, beforeAll, describe, it } from 'vitest'
import { openAt } from '../../../lib/redis/redis-connection.js'
import { RedisLink } from '../../../lib/redis/redis-link.js'
import { tokenStoreContract } from '../../../lib/testing/token-store-contract.js'
import { RedisTokenStore } from '../../../lib/tokens/redis/redis-token-store.js'
import { type RedisServer, startRedis } from '../../helpers/redis.js'

let server: RedisServer
let count = 0

beforeAll(async () => {
  server = await startRedis()
})

afterAll(() => server.stop())

const logger = { info() {}, warn() {}, error() {} }

tokenStoreContract({ describe, it }, 'RedisTokenStore', async (options) => {
  const link = new RedisLink({ open: openAt({ url: server.url }), keyPrefix: `contract-${count++}`, logger })
  const store = new RedisTokenStore({ ...options, link, touchIntervalMs: 0 })
  await link.start()
  return store
})
