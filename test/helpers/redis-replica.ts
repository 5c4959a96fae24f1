/** A primary, and a replica that hears of it through a proxy. */

import { expect, onTestFinished } from 'vitest'
import { type RedisServer, redisCommand, startRedis } from './redis.js'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js'

const patience = { timeout: 40_000 }

/** Starts a server that ends with the test. */
export async function startNode(...settings: readonly string[]): Promise<RedisServer> {
  const server = await startRedis('--repl-diskless-sync-delay', '0', ...settings)
  onTestFinished(() => server.stop())
  return server
}

const replicationOf = async ({ url }: RedisServer): Promise<string> =>
  String(await redisCommand(url, 'INFO', 'replication'))

const offsetOf = async (server: RedisServer): Promise<number> =>
  Number(/^master_repl_offset:(\d+)/m.exec(await replicationOf(server))?.[1])

/** The replica follows its primary. */
export async function isInSync(replica: RedisServer): Promise<void> {
  await expect.poll(() => replicationOf(replica), patience).toContain('master_link_status:up')
}

/** The replica has everything that the primary had at the call. */
export async function isReplicated(primary: RedisServer, replica: RedisServer): Promise<void> {
  const offset = await offsetOf(primary)
  await expect.poll(() => offsetOf(replica), patience).toBeGreaterThanOrEqual(offset)
}

export interface Replicated {
  readonly primary: RedisServer
  readonly replica: RedisServer
  readonly between: TcpProxy
}

/** Starts both, and waits until the replica is in sync. */
export async function startReplicated(...settings: readonly string[]): Promise<Replicated> {
  const primary = await startNode(...settings)
  const between = await startTcpProxy(primary.port)
  onTestFinished(() => between.stop())
  const replica = await startNode('--replicaof', `127.0.0.1 ${between.port}`, '--repl-ping-replica-period', '1')
  await isInSync(replica)
  return { primary, replica, between }
}

/** Nothing passes from now on, in either direction. */
export function cut(between: TcpProxy): void {
  between.onData = () => 'swallow'
  between.onAnswer = () => 'swallow'
}

/** Makes a primary of a replica. */
export async function promote(replica: RedisServer): Promise<void> {
  await redisCommand(replica.url, 'REPLICAOF', 'NO', 'ONE')
}
