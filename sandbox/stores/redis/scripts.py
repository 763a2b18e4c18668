"""The Lua scripts in which a Redis store changes at once what changes together.

Redis runs a script alone and as a whole. Each begins with its keys and arguments; `stores.redis.store` says what the keys hold.
"""

from __future__ import annotations

BEGIN = """
-- KEYS: runs states begun specs    ARGV: run manifest state specs
local known = redis.call('HGET', KEYS[1], ARGV[1])
-- the same once more is a request sent again after its answer was lost
if known then return known == ARGV[2] and 1 or 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[3], redis.call('ZCARD', KEYS[3]) + 1, ARGV[1])
redis.call('SET', KEYS[4], ARGV[4])
return 1
"""
"""Create a run."""

WRITE = """
-- KEYS: runs ids rows blobs facets attempts order cursor seq drivers
-- ARGV: run, prefix of assessment keys, driver or '', then for each episode: id attempt row facets blob
local run = ARGV[1]
if redis.call('HEXISTS', KEYS[1], run) == 0 then return -1 end
if ARGV[3] ~= '' and redis.call('HGET', KEYS[10], run) ~= ARGV[3] then return -2 end
local new = 0
for i = 4, #ARGV, 5 do
  local id, attempt = ARGV[i], ARGV[i + 1]
  local stored = redis.call('HGET', KEYS[6], id)
  if not stored or tonumber(stored) < tonumber(attempt) then
    local seq = redis.call('INCR', KEYS[9])
    redis.call('HSET', KEYS[6], id, attempt)
    redis.call('HSET', KEYS[3], id, ARGV[i + 2])
    redis.call('HSET', KEYS[5], id, ARGV[i + 3])
    redis.call('HSET', KEYS[4], id, ARGV[i + 4])
    redis.call('ZADD', KEYS[7], 'NX', seq, id)
    redis.call('ZADD', KEYS[8], seq, id)
    if stored then
      redis.call('DEL', ARGV[2] .. id)
    else
      redis.call('ZADD', KEYS[2], 0, id .. '\\0' .. run)
      new = new + 1
    end
  end
end
return new
"""
"""Store a batch of episodes; how many are new, -1 where there is no such run, -2 where another driver has it."""

ASSESS = """
-- KEYS: rows facets assessed cursor seq drivers
-- ARGV: run, driver or '', id, row as it was read, new row, facets, 1 where followers are to see it again, then key and
-- blob of each
local id = ARGV[3]
if ARGV[2] ~= '' and redis.call('HGET', KEYS[6], ARGV[1]) ~= ARGV[2] then return -1 end
if redis.call('HGET', KEYS[1], id) ~= ARGV[4] then return 0 end
redis.call('HSET', KEYS[1], id, ARGV[5])
redis.call('HSET', KEYS[2], id, ARGV[6])
if ARGV[7] == '1' then redis.call('ZADD', KEYS[4], redis.call('INCR', KEYS[5]), id) end
for i = 8, #ARGV, 2 do redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
return 1
"""
"""Store assessments with the row that sums them up: 1, 0 where the row has changed meanwhile, -1 where another driver has
the run."""

BEAT = """
-- KEYS: drivers heartbeats    ARGV: run, heartbeat as it was read or '', driver, new heartbeat
if (redis.call('HGET', KEYS[2], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[4])
return 1
"""
"""Write a heartbeat, unless the one before has changed meanwhile."""

FINISH = """
-- KEYS: states drivers heartbeats    ARGV: run, driver or '', state
local driver = redis.call('HGET', KEYS[2], ARGV[1])
if ARGV[2] ~= '' and driver ~= ARGV[2] then
  -- the same once more is a request sent again after its answer was lost
  return not driver and redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[3] and 1 or 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if ARGV[3] ~= 'running' then
  redis.call('HDEL', KEYS[2], ARGV[1])
  redis.call('HDEL', KEYS[3], ARGV[1])
end
return 1
"""
"""Say how a run ended, unless another driver has it; and that nobody drives it any more, unless it goes on."""

REMOVE = """
-- KEYS: runs states begun drivers heartbeats removed    ARGV: run
-- its data goes afterwards, in pages; `removed` says so until it is done
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return -1 end
if redis.call('HGET', KEYS[2], ARGV[1]) == 'running' then return -2 end
redis.call('SADD', KEYS[6], ARGV[1])
for _, key in ipairs({KEYS[1], KEYS[2], KEYS[4], KEYS[5]}) do redis.call('HDEL', key, ARGV[1]) end
redis.call('ZREM', KEYS[3], ARGV[1])
return 1
"""
"""Forget a run; -1 where there is none, -2 where it is not finished."""

FOLLOW = """
-- KEYS: cursor rows    ARGV: after, how many    returns the last cursor and the rows
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
if #found == 0 then return {ARGV[1], {}} end
local ids = {}
for i = 1, #found, 2 do ids[#ids + 1] = found[i] end
return {found[#found], redis.call('HMGET', KEYS[2], unpack(ids))}
"""
"""Read the rows stored since a cursor."""
