/**
 * The list of locks in Redis, as Lua. Keys are those of `throttle-scripts.ts`.
 *
 * @module
 */

import type { Script } from '../../redis/script.js'
import { maxListedLocks } from './lock-notes.js'
import { knownMs } from './throttle-rules.js'
import { script } from './throttle-scripts.js'

/** Notes locks that have begun. ARGV: what is locked, and its JSON, for each. */
export const noteScript: Script = script(`
for index = 9, #ARGV, 2 do
  redis.call('ZADD', prefix .. 'notes', now, ARGV[index])
  redis.call('HSET', prefix .. 'notes:json', ARGV[index], ARGV[index + 1])
end
local surplus = redis.call('ZRANGE', prefix .. 'notes', 0, -${maxListedLocks + 1})
for _, key in ipairs(surplus) do
  redis.call('ZREM', prefix .. 'notes', key)
  redis.call('HDEL', prefix .. 'notes:json', key)
end
redis.call('PEXPIRE', prefix .. 'notes', ${knownMs})
redis.call('PEXPIRE', prefix .. 'notes:json', ${knownMs})
return 0`)

/** Answer: the JSON of each note, whether its lock has ended or not. */
export const notesScript: Script = script(`return redis.call('HVALS', prefix .. 'notes:json')`)

/** ARGV: scope, pair, user and source, for each lock. Answer: milliseconds until it ends, for each. */
export const remainingScript: Script = script(`
local waits = {}
for index = 9, #ARGV, 4 do
  local scope, pair, user, source = ARGV[index], ARGV[index + 1], ARGV[index + 2], ARGV[index + 3]
  local wait = 0
  local function locked(name, key, lock_user)
    wait = math.max(wait, read_lock(name, key, lock_user).locked_until - now)
  end
  if scope == 'user' then
    wait = bucket_wait(read_bucket('users', user))
  elseif scope == 'pair' then
    locked('pairs', pair, user)
    locked('known-pairs', pair, user)
  else
    wait = bucket_wait(read_bucket('sources', source))
    locked('crowds', source, '')
    locked('crowds', '', '')
  end
  table.insert(waits, to_text(wait))
end
return waits`)
