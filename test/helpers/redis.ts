/** Starts redis-server in a folder of its own. */

import { chownSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { type DatabaseServer, startDatabaseServer } from './database-server.js'

/** A Redis server for tests. */
export interface RedisServer extends DatabaseServer {
  readonly url: string
}

/** `settings`: further lines of its configuration, as arguments. */
export async function startRedis(...settings: readonly string[]): Promise<RedisServer> {
  const server = await startDatabaseServer({
    user: 'redis',
    prepare: () => [],
    command: (_folder, port) => [
      'redis-server',
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      ...settings,
    ],
    check: async (port) => redisCommand(`redis://127.0.0.1:${port}`, 'PING'),
  })
  return Object.assign(server, { url: `redis://127.0.0.1:${server.port}` })
}

/** Starts a sentinel that watches a primary under the name `primary`, and promotes a replica by itself. */
export async function startSentinel(primaryPort: number, ...lines: readonly string[]): Promise<DatabaseServer> {
  return startDatabaseServer({
    user: 'redis',
    prepare(folder) {
      const file = join(folder, 'sentinel.conf')
      const settings = [
        `sentinel monitor primary 127.0.0.1 ${primaryPort} 1`,
        'sentinel down-after-milliseconds primary 3000',
        'sentinel failover-timeout primary 2000',
        ...lines,
      ]
      writeFileSync(file, `${settings.join('\n')}\n`)
      const { uid, gid } = statSync(folder)
      chownSync(file, uid, gid)
      return []
    },
    command: (folder, port) => [
      'redis-server',
      join(folder, 'sentinel.conf'),
      ...['--port', String(port), '--bind', '127.0.0.1', '--sentinel'],
    ],
    check: async (port) => redisCommand(`redis://127.0.0.1:${port}`, 'PING'),
  })
}

/** Sends one command on a connection of its own. */
export async function redisCommand(url: string, ...command: readonly string[]): Promise<unknown> {
  const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 1000 } })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await client.sendCommand(command)
  } finally {
    client.destroy()
  }
}
