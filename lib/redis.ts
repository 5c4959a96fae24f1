/**
 * `sallyport/redis`: tokens, sessions and login counters that processes share, for an app that is wired by hand. It needs the optional
 * package `@redis/client`; `[shared_store]` in the file needs none of this.
 *
 * @module
 */

export type { Moment } from './core/moment.js'
export type { ObserveQuery } from './core/query-observer.js'
export type { OpenedLink, RedisLinkListener, RunScript } from './redis/link-listener.js'
export {
  type DuplicableClient,
  type OpenClient,
  openAt,
  openLike,
  type RedisClient,
  type RedisSentinels,
  type RedisServer,
} from './redis/redis-connection.js'
export { RedisLink, type RedisLinkOptions } from './redis/redis-link.js'
export type { Script } from './redis/script.js'
export type { SharedTokenStoreOptions } from './tokens/external/pools.js'
export { RedisTokenStore, type RedisTokenStoreOptions } from './tokens/redis/redis-token-store.js'
export { createRedisThrottle, type RedisThrottleOptions } from './users/throttle/redis-throttle.js'
