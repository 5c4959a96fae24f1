/**
 * What an operator should know of a Redis server before the first night.
 *
 * @module
 */

import { fieldsFrom, messageFrom } from './redis-connection.js'
import { infoField, type RedisSession } from './redis-session.js'

/** What to do where a server refuses the link, for the end of a message; empty where it is not there. */
export function adviceFor(reason: unknown): string {
  const message = messageFrom(reason)
  if (/NOAUTH|WRONGPASS/.test(message)) return ' (see user and password of [shared_store])'
  if (/NOPERM/.test(message)) return ' (docs/instances.md has the rights that the ACL user needs)'
  return /DB index/.test(message) ? ' (see the database at the end of url in [shared_store])' : ''
}

/** Each with what to do. What the server does not let us read is not warned of. `now`: the clock of Redis. */
export async function warningsFrom(
  { info, commands, isTracking }: Pick<RedisSession, 'info' | 'commands' | 'isTracking'>,
  now: () => number,
  replicasToConfirm: number,
): Promise<string[]> {
  const field = (name: string): string | undefined => infoField(info, name)
  const setting = async (name: string): Promise<string | undefined> => {
    try {
      return fieldsFrom(await commands.sendCommand(['CONFIG', 'GET', name]))[name]
    } catch {
      return undefined
    }
  }
  const warnings: string[] = []
  const { host, tls } = (commands.options?.socket ?? {}) as { readonly host?: string; readonly tls?: boolean }
  if (host !== undefined && !tls && !isLoopback(host)) {
    warnings.push(
      `what is sent to Redis at ${host} can be read and changed on its way: write rediss:// in [shared_store] url, or run Redis on this machine`,
    )
  }
  if (!isTracking) {
    warnings.push(
      'Redis does not tell this process of changes (CLIENT TRACKING), so each request asks Redis: allow it, and connect without a proxy',
    )
  }
  const policy = field('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction' && policy !== 'volatile-ttl') {
    warnings.push(
      `Redis may remove live tokens when its memory is full: set maxmemory-policy to noeviction, it is ${policy}`,
    )
  }
  const save = await setting('save')
  if (field('aof_enabled') === '0' && save === '') {
    warnings.push('Redis keeps nothing over a restart, which ends every token: set appendonly yes')
  }
  const skewMs = Math.abs(Date.now() - now())
  if (skewMs > 1000) {
    warnings.push(
      `the clocks of this machine and of Redis are ${Math.round(skewMs / 1000)} s apart: synchronize both (NTP); tokens end by that of Redis`,
    )
  }
  const replicas = Number(field('connected_slaves') ?? 0)
  const needed = Number((await setting('min-replicas-to-write')) ?? 0)
  if (replicas > 0 && 2 * needed < replicas) {
    warnings.push(
      `a primary that was cut off from its ${replicas} replicas goes on accepting tokens that were revoked elsewhere: set min-replicas-to-write to ${Math.ceil(replicas / 2)} or more`,
    )
  }
  if (replicas < replicasToConfirm) {
    warnings.push(
      `Redis has ${replicas} replicas, and a logout is answered with 503 until ${replicasToConfirm} have it: add replicas, or lower replicas_to_confirm`,
    )
  }
  return warnings
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[?::1\]?|\[?::ffff:(?:127(?:\.\d+){3}|7f[\da-f]{2}:[\da-f]{1,4})\]?)$/i.test(
    host,
  )
}
