import { describe, expect, it, onTestFinished } from 'vitest'
import { openAt } from '../../lib/redis/redis-connection.js'
import { RedisLink } from '../../lib/redis/redis-link.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { type RedisServer, redisCommand, startRedis } from '../helpers/redis.js'

async function start(...settings: readonly string[]): Promise<RedisServer> {
  const server = await startRedis(...settings)
  onTestFinished(() => server.stop())
  return server
}

async function warningsAt(url: string): Promise<string[]> {
  const { logger, entries } = recordedLog()
  const link = new RedisLink({ open: openAt({ url }), logger })
  onTestFinished(() => link.close())
  await link.start()
  return entries.filter(({ level }) => level === 'warn').map(({ message }) => message)
}

const lasting = ['--appendonly', 'yes']

// Covers: J13
describe('at the start a process', () => {
  it('warns of nothing where all is as it should be', async () => {
    const { url, port } = await start(...lasting)
    expect(await warningsAt(url)).toEqual([])
    for (const host of ['localhost', '[::ffff:127.0.0.1]', '127.0.0.9']) {
      await redisCommand(url, 'CONFIG', 'SET', 'bind', '0.0.0.0')
      expect(await warningsAt(`redis://${host}:${port}`)).toEqual([])
    }
  })

  it.each([
    [
      'live tokens that may be removed',
      [...lasting, '--maxmemory-policy', 'allkeys-lru'],
      /maxmemory-policy to noeviction, it is allkeys-lru/,
    ],
    [
      'live tokens that may be removed before others',
      [...lasting, '--maxmemory-policy', 'volatile-lru'],
      /maxmemory-policy/,
    ],
    ['data that ends with Redis', [], /set appendonly yes/],
  ])('warns of %s', async (_name, settings, expected) => {
    const { url } = await start(...settings)
    expect(await warningsAt(url)).toEqual([expect.stringMatching(expected)])
  })

  it('takes no snapshot for none', async () => {
    const { url } = await start('--save', '60 1', '--maxmemory-policy', 'volatile-ttl')
    expect(await warningsAt(url)).toEqual([])
  })

  it('warns of clear text to another machine', async () => {
    const { port } = await start(...lasting, '--bind', '0.0.0.0', '--protected-mode', 'no')
    // It reaches this machine, and is none of its loopback addresses.
    expect(await warningsAt(`redis://0.0.0.0:${port}`)).toEqual([
      expect.stringMatching(/Redis at 0\.0\.0\.0 can be read and changed on its way: write rediss:\/\//),
    ])
  })

  it('warns of clocks that are apart', async () => {
    const { url } = await start(...lasting)
    const { now } = Date
    onTestFinished(() => {
      Date.now = now
    })
    Date.now = () => now() + 3_600_000
    expect(await warningsAt(url)).toEqual([expect.stringMatching(/are 3600 s apart: synchronize both/)])
  })

  it('warns of a primary that does not know when it is cut off from its replicas', async () => {
    const primary = await start(...lasting, '--repl-diskless-sync-delay', '0')
    await start('--replicaof', `127.0.0.1 ${primary.port}`)
    const warnings = async (): Promise<string[]> => warningsAt(primary.url)
    await expect.poll(warnings).toEqual([expect.stringMatching(/set min-replicas-to-write to 1 or more/)])
    await redisCommand(primary.url, 'CONFIG', 'SET', 'min-replicas-to-write', '1')
    expect(await warnings()).toEqual([])
  })
})
