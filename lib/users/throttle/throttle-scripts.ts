/**
 * What the login throttle counts in Redis, as Lua: the same as `throttle-rules.ts` in one step for all processes.
 *
 * Keys start with that of the throttle: `<table>`, the digests that have a record, by its end; `<table>:<digest>`, a record;
 * `<table>:holds:<digest>`, logins under way, by the moment from which on they no longer count; `good`, pairs by their last good login;
 * `unlocks`, users and sources by the number of their last unlock; `notes`, the locks that
 * have begun, by when, and `notes:json`, what is known of each. A table that is full has no room for another digest: it counts on a coarser one.
 *
 * @module
 */

import type { Script } from '../../redis/script.js'
import { knownMs, type ThrottleLimits } from './throttle-rules.js'

/** The arguments that each script begins with. */
export function commonArguments(now: number, limits: ThrottleLimits, holdMs: number): number[] {
  const { maxFailures, windowMs, lockoutMs, maxUserFailures, maxSourceFailures, maxEntries } = limits
  return [now, maxFailures, windowMs, lockoutMs, maxUserFailures, maxSourceFailures, maxEntries, holdMs]
}

/** The further arguments of a script start here. */
const common = `local prefix = KEYS[1]
local now, max_failures, window, lockout = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local capacities = {users = tonumber(ARGV[5]), sources = tonumber(ARGV[6])}
local max_entries, hold_for = tonumber(ARGV[7]), tonumber(ARGV[8])
local longest = math.max(window, lockout) + window + hold_for

local function purge(set, until_when) redis.call('ZREMRANGEBYSCORE', prefix .. set, '-inf', until_when) end

local function has_room(name, key)
  if (tonumber(redis.call('ZSCORE', prefix .. name, key) or 0)) > now then return true end
  if redis.call('ZCARD', prefix .. name) < max_entries then return true end
  purge(name, now)
  return redis.call('ZCARD', prefix .. name) < max_entries
end

local function holds_of(record)
  purge(record.holds, now)
  return redis.call('ZCARD', prefix .. record.holds)
end

-- Notes until when a record counts, so that others may have its room from then on.
local function keep(record, ends, ...)
  local last_hold = redis.call('ZREVRANGE', prefix .. record.holds, 0, 0, 'WITHSCORES')[2]
  if ends > now then
    redis.call('HSET', prefix .. record.at, ...)
    redis.call('PEXPIRE', prefix .. record.at, math.ceil(ends - now))
  else
    redis.call('DEL', prefix .. record.at)
  end
  ends = math.max(ends, tonumber(last_hold or 0))
  if ends > now then
    redis.call('ZADD', prefix .. record.name, ends, record.key)
    redis.call('PEXPIRE', prefix .. record.name, longest)
  else
    redis.call('ZREM', prefix .. record.name, record.key)
  end
end

local function new_record(name, key)
  return {name = name, key = key, at = name .. ':' .. key, holds = name .. ':holds:' .. key}
end

local function release(name, key, id) redis.call('ZREM', prefix .. name .. ':holds:' .. key, id) end

-- Buckets of failures, which leak.

local function read_bucket(name, key)
  local bucket = new_record(name, has_room(name, key) and key or '')
  local fields = redis.call('HMGET', prefix .. bucket.at, 'level', 'at', 'told')
  bucket.leak = window / capacities[name]
  local filled_at = tonumber(fields[2] or 0)
  bucket.level = math.max(0, tonumber(fields[1] or 0) - math.max(0, now - filled_at) / bucket.leak)
  bucket.told_until = tonumber(fields[3] or 0)
  return bucket
end

local function save_bucket(bucket)
  keep(bucket, now + bucket.level * bucket.leak, 'level', bucket.level, 'at', now, 'told', bucket.told_until)
end

local function bucket_wait(bucket)
  local excess = bucket.level + holds_of(bucket) + 1 - capacities[bucket.name]
  return math.floor(math.max(0, excess) * bucket.leak + 0.5)
end

-- Answers how long the next login waits where this failure has filled the bucket.
local function fail_in_bucket(name, key)
  local bucket = read_bucket(name, key)
  bucket.level = bucket.level + 1
  local told_until = bucket.told_until
  local is_full = bucket.level + 1 > capacities[name]
  if is_full then bucket.told_until = now + window end
  save_bucket(bucket)
  return is_full and now >= told_until and bucket_wait(bucket) or 0
end

-- Locks. One without a user is shared by many.

local function read_lock(name, key, user)
  local lock = new_record(name, key)
  local fields = redis.call('HMGET', prefix .. lock.at, 'failures', 'window', 'locks', 'until', 'epoch')
  lock.user = user
  lock.epoch = user ~= '' and tonumber(redis.call('ZSCORE', prefix .. 'unlocks', user) or 0) or 0
  local is_unlocked = tonumber(fields[5] or 0) < lock.epoch
  local function field(index) return not is_unlocked and tonumber(fields[index] or 0) or 0 end
  lock.failures, lock.window_ends, lock.locks, lock.locked_until = field(1), field(2), field(3), field(4)
  if tonumber(fields[5] or 0) > lock.epoch then lock.epoch = tonumber(fields[5]) end
  return lock
end

local function save_lock(lock)
  local ends = math.max(lock.window_ends, lock.locks > 0 and lock.locked_until + window or 0)
  keep(lock, ends, 'failures', lock.failures, 'window', lock.window_ends, 'locks', lock.locks,
    'until', lock.locked_until, 'epoch', lock.epoch)
end

local function fail_at_lock(lock)
  if now >= lock.window_ends then lock.failures, lock.window_ends = 0, now + window end
  lock.failures = lock.failures + 1
  if lock.failures < max_failures then
    save_lock(lock)
    return 0
  end
  if now >= lock.locked_until + window then lock.locks = 0 end
  lock.locked_until = now + math.min(lockout * 2 ^ lock.locks, math.max(lockout, window))
  lock.locks, lock.failures, lock.window_ends = lock.locks + 1, 0, 0
  save_lock(lock)
  return lock.locked_until - now
end

local function good_login(pair)
  local at = tonumber(redis.call('ZSCORE', prefix .. 'good', pair) or -1)
  return at, at >= 0 and now - at < ${knownMs}
end

local function own_lock(pair, user, is_known)
  local is_started = tonumber(redis.call('ZSCORE', prefix .. 'pairs', pair) or 0) > now
  local name = is_known and not is_started and has_room('known-pairs', pair) and 'known-pairs' or 'pairs'
  return has_room(name, pair) and read_lock(name, pair, user) or nil
end

local function crowd_lock(source)
  return read_lock('crowds', has_room('crowds', source) and source or '', '')
end

local function note_good_login(lock, pair, user)
  -- One good login does not pay for the guesses of a whole crowd.
  if lock and lock.user ~= '' then
    lock.failures, lock.window_ends, lock.locks, lock.locked_until = 0, 0, 0, 0
  end
  local bucket = new_record('users', user)
  keep(bucket, 0)
  purge('good', now - ${knownMs})
  redis.call('ZADD', prefix .. 'good', now, pair)
  redis.call('ZREMRANGEBYRANK', prefix .. 'good', 0, -max_entries - 1)
  redis.call('PEXPIRE', prefix .. 'good', ${knownMs})
end

-- The number of the last unlock, and the users of those after a number.
local function unlocks_since(since)
  local last = redis.call('ZREVRANGE', prefix .. 'unlocks', 0, 0, 'WITHSCORES')[2] or '0'
  return last, redis.call('ZRANGEBYSCORE', prefix .. 'unlocks', '(' .. since, '+inf')
end
local function to_text(number) return string.format('%.0f', number) end
`

/** A script of the throttle. */
export const script = (text: string): Script => ({ text: common + text })

/**
 * Admits a login, which counts as a failure from then on, or not. ARGV: id, pair, user, source, number of the last known unlock.
 *
 * Answer: `admitted`, `throttled` or `full` (logins under way must be settled first); milliseconds to wait; the last good login of the
 * pair; the last unlock; the users of those that are new; and where the login is held: table and digest of its lock, user of the lock,
 * 1 when it is held at the user, digest there, digest at the source.
 */
export const startScript: Script = script(`
local id, pair, user, source = ARGV[9], ARGV[10], ARGV[11], ARGV[12]
local last_unlock, unlocked = unlocks_since(ARGV[13])
local known_at, is_known = good_login(pair)
local lock = own_lock(pair, user, is_known) or crowd_lock(source)
local function answer(outcome, wait, ...)
  return {outcome, to_text(wait), to_text(known_at), last_unlock, unlocked, ...}
end
if lock.locked_until > now then return answer('throttled', lock.locked_until - now) end
local own_bucket = read_bucket('users', user)
local source_bucket = read_bucket('sources', source)
if not is_known then
  local wait = math.max(bucket_wait(own_bucket), bucket_wait(source_bucket))
  if wait > 0 then return answer('throttled', wait) end
end
local failures = now < lock.window_ends and lock.failures or 0
if failures + holds_of(lock) >= max_failures then return answer('full', 0) end
local function hold(record)
  redis.call('ZADD', prefix .. record.holds, now + hold_for, id)
  redis.call('PEXPIRE', prefix .. record.holds, hold_for)
end
hold(lock)
save_lock(lock)
if not is_known then
  hold(own_bucket)
  save_bucket(own_bucket)
end
hold(source_bucket)
save_bucket(source_bucket)
return answer('admitted', 0, lock.name, lock.key, lock.user, is_known and '' or '1', own_bucket.key, source_bucket.key)`)

/**
 * Counts how a login has ended. ARGV: outcome, id, pair, user, source, pair and user of the one whom the store found or nothing, where it
 * is held.
 *
 * Answer: 1 when the outcome stands, and for each lock that has begun its scope and milliseconds.
 */
export const settleScript: Script = script(`
local outcome, id, pair, user, source = ARGV[9], ARGV[10], ARGV[11], ARGV[12], ARGV[13]
local found_pair, found_user = ARGV[14], ARGV[15]
local name, key, lock_user, is_held_at_user, held_user, held_source = ARGV[16], ARGV[17], ARGV[18], ARGV[19], ARGV[20], ARGV[21]
local locks = {}
local function note(scope, wait)
  if wait > 0 then
    table.insert(locks, scope)
    table.insert(locks, to_text(wait))
  end
end

-- Whether the user who was found is within the limit: then the outcome counts there too.
local function count_found()
  local _, is_known = good_login(found_pair)
  local lock = own_lock(found_pair, found_user, is_known)
  if lock and lock.locked_until > now then return false end
  if not is_known and bucket_wait(read_bucket('users', found_user)) > 0 then return false end
  if outcome == 'failed' then
    if not is_known then note('user', fail_in_bucket('users', found_user)) end
    if lock then note('pair', fail_at_lock(lock)) end
  else
    note_good_login(lock, found_pair, found_user)
    if lock then save_lock(lock) end
  end
  return true
end

local stands = outcome == 'cancelled' or found_pair == '' or count_found()
local has_failed = outcome == 'failed' or not stands
release(name, key, id)
if is_held_at_user == '1' then release('users', held_user, id) end
release('sources', held_source, id)
if has_failed then
  if is_held_at_user == '1' then note('user', fail_in_bucket('users', held_user)) end
  note('source', fail_in_bucket('sources', held_source))
else
  if is_held_at_user == '1' then save_bucket(read_bucket('users', held_user)) end
  save_bucket(read_bucket('sources', held_source))
end
local lock = has_room(name, key) and read_lock(name, key, lock_user) or crowd_lock(source)
if has_failed then
  note(lock.user == '' and 'source' or 'pair', fail_at_lock(lock))
else
  if outcome == 'succeeded' then note_good_login(lock, pair, user) end
  save_lock(lock)
end
return {stands and 1 or 0, locks}`)

/** What may have changed elsewhere. ARGV: number of the last known unlock, pair. Answer: as the third to fifth of {@link startScript}. */
export const newsScript: Script = script(`
local last_unlock, unlocked = unlocks_since(ARGV[9])
local known_at = good_login(ARGV[10])
return {to_text(known_at), last_unlock, unlocked}`)

/**
 * Ends all locks of users and of sources, and forgets their failures. ARGV: their digests. A lock that was counted under an earlier number no longer holds; the
 * number is kept for longer than any lock.
 */
export const unlockScript: Script = script(`
local last = redis.call('ZREVRANGE', prefix .. 'unlocks', 0, 0, 'WITHSCORES')[2]
local number = math.max(now, tonumber(last or 0) + 1)
for index = 9, #ARGV do
  redis.call('ZADD', prefix .. 'unlocks', number, ARGV[index])
  for _, name in ipairs({'users', 'sources', 'crowds'}) do keep(new_record(name, ARGV[index]), 0) end
end
redis.call('ZREMRANGEBYRANK', prefix .. 'unlocks', 0, -max_entries - 1)
redis.call('PEXPIRE', prefix .. 'unlocks', longest)
return to_text(number)`)
