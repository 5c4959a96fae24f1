import { createClient } from '@redis/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Random } from '../../fuzz/random.js'
import { type RedisServer as RealServer, startRedis } from '../helpers/redis.js'
import { LuaRunner, type Reply, ReplyError, ReplyStatus } from './lua.js'
import { type Frame, RedisServer } from './redis-server.js'
import { startOfTime, World } from './virtual-time.js'

const settings = { minReplicasToWrite: 0, minReplicasMaxLagMs: 0, maxExpiryDelayMs: 0 }

/** Far from any life of a key here, so that nothing expires in between. */
const life = '600000'

let real: RealServer

beforeAll(async () => {
  real = await startRedis()
})

afterAll(() => real.stop())

/** Numbers, orders, limits and scores in Lua as the stores use them, and what a number becomes on its way out and in. */
const script = `
local key = KEYS[1]
redis.call('ZADD', key, tonumber(ARGV[1]) * 2048 + 7, 'a')
redis.call('ZADD', key, ARGV[1], 'b')
local score = redis.call('ZSCORE', key, 'a')
local missing = redis.call('GET', key .. 'x')
return {score, string.format('%.0f', math.floor(score / 2048)), tostring(ARGV[1] + 0), ARGV[1] .. 1.5, 3.9, missing, true,
  redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'), cjson.decode('{"a":[1,{"b":true}]}').a[2].b, 2 ^ 53 .. ''}`

function randomCommand(random: Random): readonly string[] {
  const key = (kind: string): string => `${kind}${random.below(3)}`
  const member = (): string => `m${random.below(5)}`
  const rank = (): string => String(random.below(7) - 3)
  const score = (): string => String(random.below(6))
  const bound = (): string => random.oneOf(['-inf', '+inf', score(), `(${score()}`])
  return random.oneOf([
    () => ['SET', key('s'), score(), ...random.oneOf([[], ['NX'], ['PX', life]])],
    () => ['GET', key(random.oneOf(['s', 'z']))],
    () => ['INCR', key('s')],
    () => ['DEL', key('s'), key('z')],
    () => ['PEXPIRE', key(random.oneOf(['s', 'z', 'h'])), life],
    () => ['ZADD', key('z'), ...random.oneOf([[], ['XX'], ['NX']]), score(), member()],
    () => ['ZREM', key('z'), member(), member()],
    () => ['ZCARD', key(random.oneOf(['z', 's']))],
    () => ['ZSCORE', key('z'), member()],
    () => ['ZRANGE', key('z'), rank(), rank()],
    () => ['ZREVRANGE', key('z'), rank(), rank(), 'WITHSCORES'],
    () => ['ZRANGEBYSCORE', key('z'), bound(), bound(), 'LIMIT', '0', '2'],
    () => ['ZREMRANGEBYRANK', key('z'), rank(), rank()],
    () => ['ZREMRANGEBYSCORE', key('z'), bound(), bound()],
    () => ['HSET', key('h'), member(), score()],
    () => ['HDEL', key('h'), member(), member()],
    () => ['HGET', key('h'), member()],
    () => ['HLEN', key('h')],
    () => ['EVAL', script, '1', key('z'), String(1_700_000_000_000 + random.below(1000))],
    () => ['EVAL', "return redis.error_reply('OTHERDATA no')", '0'],
    () => ['EVAL', "return {1, 'a', false, 2}", '0'],
    () => ['EVALSHA', '0'.repeat(40), '0'],
  ])()
}

/** Scores of RESP3 are numbers, and errors are compared by their first word. */
function plain(reply: unknown): unknown {
  if (reply instanceof ReplyStatus) return reply.ok
  if (reply instanceof ReplyError) return { error: reply.err.split(' ')[0] }
  if (reply instanceof Error) return { error: reply.message.split(' ')[0] }
  return Array.isArray(reply) ? reply.flat().map(plain) : reply
}

describe('the simulated Redis', () => {
  it('answers as a real one, and tells the same keys in the same places', async () => {
    const random = new Random(20_260_301)
    const server = new RedisServer(new World(random), await LuaRunner.create(), 'redis', settings, startOfTime)
    const simulated: unknown[] = []
    const actual: unknown[] = []
    const watcher = {
      send: (frame: Frame) => simulated.push('reply' in frame ? plain(frame.reply) : `changed ${frame.invalidated}`),
    }
    const writer = {
      send: (frame: Frame) => simulated.push('reply' in frame ? plain(frame.reply as Reply) : 'unexpected'),
    }
    const open = async (emitInvalidate: boolean) => {
      // RESP2 has scores as texts; a connection that is told of changes needs RESP3.
      const client = createClient({ url: real.url, RESP: emitInvalidate ? 3 : 2, emitInvalidate })
      client.on('error', () => undefined)
      await client.connect()
      return client
    }
    const [reading, writing] = [await open(true), await open(false)]
    try {
      reading.on('invalidate', (key) => actual.push(`changed ${key}`))
      server.startTracking(watcher)
      for (let count = 0; count < 3000; count++) {
        const isRead = random.oneIn(3)
        const command = isRead ? ['GET', `s${random.below(3)}`] : randomCommand(random)
        server.handle(isRead ? watcher : writer, command)
        const client = isRead ? reading : writing
        actual.push(await client.sendCommand([...command]).then(plain, plain))
        // What was told meanwhile stands before the answer to this.
        server.handle(watcher, ['GET', 'fence'])
        actual.push(plain(await reading.get('fence')))
        expect([count, command, ordered(simulated)]).toEqual([count, command, ordered(actual)])
        simulated.length = 0
        actual.length = 0
      }
    } finally {
      for (const client of [reading, writing]) client.destroy()
    }
  })
})

/** Two connections: the order between the answer of one and what the other one is told is not defined. */
function ordered(events: readonly unknown[]): readonly unknown[] {
  return [...events].map((event) => JSON.stringify(event)).sort()
}
