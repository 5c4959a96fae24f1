import { afterAll, beforeAll, describe } from 'vitest'
import { type RedisServer, startRedis } from '../../helpers/redis.js'
import { openStore } from '../../helpers/redis-store.js'
import { processesContract } from './processes-contract.js'

let redis: RedisServer
let prefixes = 0

beforeAll(async () => {
  redis = await startRedis()
})

afterAll(() => redis.stop())

describe('tokens that were not issued here, over Redis', () => {
  processesContract(async () => {
    const keyPrefix = `machines-${prefixes++}`
    const first = await openStore(redis.url, { keyPrefix })
    const second = await openStore(redis.url, { keyPrefix })
    return { stores: [first.store, second.store], clock: first.link.now }
  })
})
