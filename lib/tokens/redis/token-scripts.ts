/**
 * What Redis does with tokens in one step each, as Lua.
 *
 * Keys, all in one hash slot: `token:<id>`, a record as JSON, which expires by itself; `uses:<pool>`, members by last use; `ends:<pool>`,
 * members by their end; `user:<pool>:<digest>`, the members of one user by last use; `revoked:<digest>`, the number in the log of
 * the last revocation of all tokens of a user. A member is an id and the digest of its user.
 *
 * A last use is `milliseconds * 2048 + count % 2048`: it tells two uses within one millisecond apart, and is exact until 2109.
 *
 * A script that has written goes on where memory is full: those that end and note begin with a deletion of nothing, and one that adds
 * does not.
 *
 * @module
 */

import type { Script } from '../../redis/script.js'

/** What scripts that work with tokens have in common. KEYS[1] is the start of all keys. */
export const tokenFunctions = `local prefix = KEYS[1]
local function fence() redis.call('DEL', prefix .. 'fence') end
local function number(index) return tonumber(ARGV[index]) end
local function use_at(at) return at * 2048 + redis.call('INCR', prefix .. 'use-count') % 2048 end
local function read(id)
  local json = redis.call('GET', prefix .. 'token:' .. id)
  if json then return cjson.decode(json), json end
end
local function drop(pool, member)
  redis.call('ZREM', prefix .. 'uses:' .. pool, member)
  redis.call('ZREM', prefix .. 'ends:' .. pool, member)
  redis.call('ZREM', prefix .. 'user:' .. pool .. ':' .. string.sub(member, 44), member)
  redis.call('DEL', prefix .. 'token:' .. string.sub(member, 1, 43))
end
local function end_of(record, use, slack)
  if not record.idleTimeoutMs then return record.expiresAt end
  return math.min(record.expiresAt, math.floor(use / 2048) + record.idleTimeoutMs + slack)
end
`

const scripts: Script[] = []

/** All scripts of this file. */
export const tokenScripts: readonly Script[] = scripts

function script(text: string): Script {
  const made = { text: tokenFunctions + text }
  scripts.push(made)
  return made
}

/**
 * A look-up that the primary must execute: it writes, though it changes nothing. ARGV: id.
 *
 * Answer: the record and its last use in milliseconds; nothing when there is none.
 */
export const lookUpScript: Script = script(`
fence()
local record, json = read(ARGV[1])
if not record then return false end
local use = redis.call('ZSCORE', prefix .. 'uses:' .. record.pool, ARGV[1] .. record.user)
return {json, string.format('%.0f', math.floor((use or 0) / 2048))}`)

/**
 * ARGV: id, user, pool, record, now, last use, lifetime, largest pool, most per user, whether others are evicted, slack, number of the
 * log that the login knew, of which data that number is, and whether the record must be there already.
 *
 * Answer: `added`, `full` or `revoked`, and the records that were evicted; the error OTHERDATA where the data was exchanged.
 */
export const addScript: Script = script(`
local id, user, pool, json = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local now, lifetime, size, per_user, evicts = number(5), number(7), number(8), number(9), ARGV[10] == '1'
local uses, ends, own = prefix .. 'uses:' .. pool, prefix .. 'ends:' .. pool, prefix .. 'user:' .. pool .. ':' .. user
if redis.call('GET', prefix .. 'incarnation') ~= ARGV[13] then
  return redis.error_reply('OTHERDATA the data was removed or exchanged')
end
local revoked = redis.call('GET', prefix .. 'revoked:' .. user)
if revoked and tonumber(revoked) > number(12) then return {'revoked', {}} end
local record = cjson.decode(json)
-- One slice at a time, or the first login of the morning would hold up all the others: more only where room is needed.
local ended
repeat
  ended = redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 100)
  for _, member in ipairs(ended) do drop(pool, member) end
until #ended < 100 or (redis.call('ZCARD', uses) < size and redis.call('ZCARD', own) < per_user)
local before = read(id)
if ARGV[14] == '1' and not before then return {'revoked', {}} end
if before then drop(before.pool, id .. before.user) end
local evicted = {}
local function evict(set)
  local member = redis.call('ZRANGE', set, 0, 0)[1]
  table.insert(evicted, redis.call('GET', prefix .. 'token:' .. string.sub(member, 1, 43)) or '')
  drop(pool, member)
end
while redis.call('ZCARD', own) >= per_user do
  if not evicts then return {'full', {}} end
  evict(own)
end
while redis.call('ZCARD', uses) >= size do
  if not evicts then return {'full', {}} end
  evict(redis.call('ZCARD', own) > size / 2 and own or uses)
end
local use = use_at(number(6))
redis.call('SET', prefix .. 'token:' .. id, json, 'PX', lifetime)
redis.call('ZADD', uses, use, id .. user)
redis.call('ZADD', own, use, id .. user)
redis.call('ZADD', ends, end_of(record, use, number(11)), id .. user)
if redis.call('PTTL', own) < lifetime then redis.call('PEXPIRE', own, lifetime) end
return {'added', evicted}`)

/** ARGV: id, moment of the use, slack. It does not change the record, which other processes hold. */
export const touchScript: Script = script(`
fence()
local record = read(ARGV[1])
if not record then return 0 end
local member, uses, at = ARGV[1] .. record.user, prefix .. 'uses:' .. record.pool, number(2)
local use = redis.call('ZSCORE', uses, member)
if not use or end_of(record, use, number(3)) <= at then return 0 end
use = use_at(math.max(at, math.floor(use / 2048)))
redis.call('ZADD', uses, 'XX', use, member)
redis.call('ZADD', prefix .. 'user:' .. record.pool .. ':' .. record.user, 'XX', use, member)
redis.call('ZADD', prefix .. 'ends:' .. record.pool, 'XX', end_of(record, use, number(3)), member)
return 1`)

/** ARGV: ids. Answer: how many there were. */
export const removeScript: Script = script(`
local count = 0
for _, id in ipairs(ARGV) do
  local record = read(id)
  if record then
    drop(record.pool, id .. record.user)
    count = count + 1
  end
end
return count`)

/** How many tokens are looked at in one step. */
export const sliceSize = 1000

/**
 * Removes up to a slice of the tokens of a user in each pool whose login began until a moment. The first slice also refuses logins that
 * have begun.
 * ARGV: user, moment, whether it is the first slice, subject, life of the mark that refuses, and of each pool its name and the place of
 * the slice.
 *
 * Answer: how many were removed, the number of the log, and of each pool that has more its name and the place of the next slice.
 */
export const removeBySubjectScript: Script = script(`
fence()
local user, issued_until = ARGV[1], number(2)
local removed, entry, rest = 0, 0, {}
for index = 6, #ARGV, 2 do
  local pool, start = ARGV[index], number(index + 1)
  local members = redis.call('ZRANGE', prefix .. 'user:' .. pool .. ':' .. user, start, start + ${sliceSize - 1})
  for _, member in ipairs(members) do
    local record = read(string.sub(member, 1, 43))
    if record and (record.loginAt or record.issuedAt) > issued_until then
      start = start + 1
    else
      drop(pool, member)
      if record then removed = removed + 1 end
    end
  end
  if #members == ${sliceSize} then
    table.insert(rest, pool)
    table.insert(rest, tostring(start))
  end
end
if ARGV[3] == '1' then
  entry = redis.call('INCR', prefix .. 'news-number')
  redis.call('ZADD', prefix .. 'news', entry, entry .. ' ' .. ARGV[4])
  redis.call('ZREMRANGEBYRANK', prefix .. 'news', 0, -1001)
  redis.call('SET', prefix .. 'revoked:' .. user, entry, 'PX', ARGV[5])
end
return {removed, entry, rest}`)

/** ARGV: now, pools. Answer: how many live records each pool has. */
export const countScript: Script = script(`
fence()
local counts = {}
for index = 2, #ARGV do
  local ends = prefix .. 'ends:' .. ARGV[index]
  table.insert(counts, redis.call('ZCARD', ends) - #redis.call('ZRANGEBYSCORE', ends, '-inf', ARGV[1]))
end
return counts`)

/**
 * ARGV: pool, user or nothing, first and last rank. Answer: members and last uses, the most recently used first. What they are is left to
 * {@link recordsScript}: to read all records in one step would keep everybody waiting.
 */
export const membersScript: Script = script(`
local set = prefix .. 'uses:' .. ARGV[1]
if ARGV[2] ~= '' then set = prefix .. 'user:' .. ARGV[1] .. ':' .. ARGV[2] end
return redis.call('ZREVRANGE', set, ARGV[3], ARGV[4], 'WITHSCORES')`)

/** ARGV: ids, at most 1000. Answer: their records as JSON, and nothing for those that are not there. */
export const recordsScript: Script = script(`
local records = {}
for index, id in ipairs(ARGV) do records[index] = redis.call('GET', prefix .. 'token:' .. id) end
return records`)
