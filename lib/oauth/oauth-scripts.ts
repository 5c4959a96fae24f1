/**
 * What Redis does with the entries of the authorization server in one step each, as Lua.
 *
 * Keys, all in one hash slot, below `oauth:`. For a grant, session or sign-in ("root"): `<model>:<ref>`, its user, name and JSON, which
 * expires by itself; `uses:<model>`, `ends:<model>` and `user:<model>:<user>`, members by last use, by end, and those of one user by last
 * use; `uid:<digest>`, the session of a name. What belongs to a grant ("part") is in the hash `parts:<grant>`, the moment of its use and
 * its JSON; `part-ends:<grant>` has all by their end, `part-access:<grant>` access tokens by age; `in:<id>` leads to the grant. A member
 * is a ref and the digest of its user.
 *
 * JSON is never read here: an empty list would come back as an object. Access tokens that leave take their records along, in the
 * same step.
 *
 * @module
 */

import type { Script } from '../redis/script.js'
import { tokenFunctions } from '../tokens/redis/token-scripts.js'
import { maxPerGrant, usedTwiceAt } from './oauth-store.js'

const functions = `${tokenFunctions}
local function name(a, b, c) return prefix .. 'oauth:' .. a .. (b and ':' .. b or '') .. (c and ':' .. c or '') end
local function ref_in(member) return string.sub(member, 1, 43) end
local function user_in(member) return string.sub(member, 44) end
local function root(model, ref)
  local value = redis.call('GET', name(model, ref))
  if value then return string.match(value, '^(%S+) (%S+) (.*)$') end
end
local function part(id)
  local member = redis.call('GET', name('in', id))
  local value = member and redis.call('HGET', name('parts', ref_in(member)), id)
  if value then return member, string.match(value, '^(%d+) (.*)$') end
end
local function use(model, member)
  local at = redis.call('INCR', name('uses'))
  redis.call('ZADD', name('uses', model), 'XX', at, member)
  redis.call('ZADD', name('user', model, user_in(member)), 'XX', at, member)
end
local function end_token(gone, id)
  local record = read(id)
  if record then drop(record.pool, id .. record.user) end
  table.insert(gone, id)
end
local function drop_part(gone, grant, id)
  redis.call('HDEL', name('parts', grant), id)
  redis.call('ZREM', name('part-ends', grant), id)
  redis.call('DEL', name('in', id))
  if redis.call('ZREM', name('part-access', grant), id) == 1 then end_token(gone, id) end
end
local function drop_member(model, member)
  redis.call('ZREM', name('uses', model), member)
  redis.call('ZREM', name('ends', model), member)
  redis.call('ZREM', name('user', model, user_in(member)), member)
end
local function drop_root(gone, model, member)
  local ref = ref_in(member)
  local user, uid = root(model, ref)
  drop_member(model, member)
  redis.call('DEL', name(model, ref))
  if uid and redis.call('GET', name('uid', uid)) == ref then redis.call('DEL', name('uid', uid)) end
  if model == 'Grant' then
    for _, id in ipairs(redis.call('ZRANGE', name('part-access', ref), 0, -1)) do end_token(gone, id) end
    for _, id in ipairs(redis.call('HKEYS', name('parts', ref))) do redis.call('DEL', name('in', id)) end
    redis.call('DEL', name('parts', ref), name('part-ends', ref), name('part-access', ref))
  end
end
`

const script = (text: string): Script => ({ text: functions + text })

/**
 * A grant, session or sign-in. ARGV: model, ref, user, digest of the session's name or `-`, JSON, now, lifetime, end, most of the model.
 *
 * Answer: the access tokens that were evicted.
 */
export const putRootScript: Script = script(`
local model, ref, user, uid, json = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local lifetime, size = number(7), number(9)
local uses, ends, own, member = name('uses', model), name('ends', model), name('user', model, user), ref .. user
local gone, before = {}, root(model, ref)
if before and before ~= user then drop_member(model, ref .. before) end
if not before then
  if redis.call('ZCARD', uses) >= size then
    local ended = redis.call('ZRANGEBYSCORE', ends, '-inf', ARGV[6], 'LIMIT', 0, 1000)
    for _, other in ipairs(ended) do drop_root(gone, model, other) end
  end
  while redis.call('ZCARD', uses) >= size do
    local full = redis.call('ZCARD', own) > size / 2 and own or uses
    drop_root(gone, model, redis.call('ZRANGE', full, 0, 0)[1])
  end
end
local at = redis.call('INCR', name('uses'))
redis.call('SET', name(model, ref), user .. ' ' .. uid .. ' ' .. json, 'PX', lifetime)
redis.call('ZADD', uses, at, member)
redis.call('ZADD', own, at, member)
redis.call('ZADD', ends, ARGV[8], member)
if redis.call('PTTL', own) < lifetime then redis.call('PEXPIRE', own, lifetime) end
if uid ~= '-' then redis.call('SET', name('uid', uid), ref, 'PX', lifetime) end
if model == 'Grant' then
  for _, of_grant in ipairs({'parts', 'part-ends', 'part-access'}) do redis.call('PEXPIRE', name(of_grant, ref), lifetime) end
end
return gone`)

/**
 * A code or token. One that was used stays so. ARGV: id, grant, JSON, now, lifetime, end, moment of its use or 0, whether it is an
 * access token.
 *
 * Answer: the access tokens that were evicted.
 */
export const putPartScript: Script = script(`
local id, grant, used = ARGV[1], ARGV[2], ARGV[7]
local user = root('Grant', grant)
local gone, parts, ends, access = {}, name('parts', grant), name('part-ends', grant), name('part-access', grant)
if not user then return gone end
use('Grant', grant .. user)
local before = redis.call('HGET', parts, id)
if before and string.sub(before, 1, 2) ~= '0 ' then used = string.match(before, '^%d+') end
if not before and redis.call('HLEN', parts) >= ${maxPerGrant} then
  local victims = redis.call('ZRANGEBYSCORE', ends, '-inf', ARGV[4])
  if #victims == 0 then victims = redis.call('ZRANGE', access, 0, 0) end
  if #victims == 0 then
    drop_root(gone, 'Grant', grant .. user)
    return gone
  end
  for _, victim in ipairs(victims) do drop_part(gone, grant, victim) end
end
local left = redis.call('PTTL', name('Grant', grant))
redis.call('HSET', parts, id, used .. ' ' .. ARGV[3])
redis.call('ZADD', ends, ARGV[6], id)
if ARGV[8] == '1' then redis.call('ZADD', access, 'NX', redis.call('INCR', name('uses')), id) end
redis.call('SET', name('in', id), grant .. user, 'PX', math.max(1, math.min(number(5), left)))
for _, key in ipairs({parts, ends, access}) do redis.call('PEXPIRE', key, math.max(1, left)) end
return gone`)

/**
 * A look-up that the primary must execute, and a use. ARGV: model or nothing for a part, ref.
 *
 * Answer: the JSON and the moment of its use or 0; nothing when there is none.
 */
export const findScript: Script = script(`
redis.call('DEL', prefix .. 'fence')
if ARGV[1] == '' then
  local member, used, json = part(ARGV[2])
  if not member then return false end
  use('Grant', member)
  return {json, used}
end
local user, _, json = root(ARGV[1], ARGV[2])
if not user then return false end
use(ARGV[1], ARGV[2] .. user)
return {json, '0'}`)

/** ARGV: digest of the name of a session. Answer: its JSON and its ref; nothing when there is none. */
export const findSessionScript: Script = script(`
redis.call('DEL', prefix .. 'fence')
local ref = redis.call('GET', name('uid', ARGV[1]))
if not ref then return false end
local user, _, json = root('Session', ref)
if not user then return false end
use('Session', ref .. user)
return {json, ref}`)

/** ARGV: id of a part, now. Answer: whether this is its first use. After a removal it is not refused for want of memory. */
export const consumeScript: Script = script(`
redis.call('DEL', prefix .. 'fence')
local member, used, json = part(ARGV[1])
if not member or used ~= '0' then return 0 end
local grant = ref_in(member)
if tonumber(redis.call('ZSCORE', name('part-ends', grant), ARGV[1])) <= number(2) then return 0 end
use('Grant', member)
redis.call('HSET', name('parts', grant), ARGV[1], ARGV[2] .. ' ' .. json)
return 1`)

/** ARGV: id of a part, the earliest moment of its first use. Answer: whether this is its second use. */
export const consumeAgainScript: Script = script(`
redis.call('DEL', prefix .. 'fence')
local member, used, json = part(ARGV[1])
if not member or tonumber(used) <= number(2) then return 0 end
use('Grant', member)
redis.call('HSET', name('parts', ref_in(member)), ARGV[1], '${usedTwiceAt} ' .. json)
return 1`)

/** An access token gets another id, if it and its grant are there. ARGV: id, new id, now. Answer: whether it was there. */
export const renameScript: Script = script(`
local from, to = ARGV[1], ARGV[2]
local member, used, json = part(from)
if not member then return 0 end
local grant = ref_in(member)
local ends = redis.call('ZSCORE', name('part-ends', grant), from)
local life = redis.call('PTTL', name('in', from))
if tonumber(ends) <= number(3) then return 0 end
drop_part({}, grant, from)
redis.call('HSET', name('parts', grant), to, used .. ' ' .. json)
redis.call('ZADD', name('part-ends', grant), ends, to)
redis.call('ZADD', name('part-access', grant), redis.call('INCR', name('uses')), to)
redis.call('SET', name('in', to), member, 'PX', math.max(1, life))
for _, of_grant in ipairs({'parts', 'part-ends', 'part-access'}) do
  redis.call('PEXPIRE', name(of_grant, grant), math.max(1, redis.call('PTTL', name('Grant', grant))))
end
return 1`)

/** ARGV: model or nothing for a part, ref. Answer: whether it was there, and the access tokens that went with it. */
export const removeScript: Script = script(`
redis.call('DEL', prefix .. 'fence')
local gone = {}
if ARGV[1] == '' then
  local member = part(ARGV[2])
  if not member then return {0, gone} end
  drop_part(gone, ref_in(member), ARGV[2])
  return {1, gone}
end
local user = root(ARGV[1], ARGV[2])
if not user then return {0, gone} end
drop_root(gone, ARGV[1], ARGV[2] .. user)
return {1, gone}`)

/** ARGV: grant. Answer: the access tokens that went. */
export const removePartsScript: Script = script(`
redis.call('DEL', prefix .. 'fence')
local gone = {}
for _, id in ipairs(redis.call('HKEYS', name('parts', ARGV[1]))) do drop_part(gone, ARGV[1], id) end
return gone`)
