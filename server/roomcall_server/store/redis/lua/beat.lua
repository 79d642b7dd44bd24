-- The node lives, and has applied its stream up to this number: the last of it, and all beats.
local wrong = refused()
if wrong then return wrong end
local node, version, position = ARGV[3], tonumber(take()), take()
if tonumber(redis.call('GET', P .. 'version') or 0) < version then
  return {'forgotten', ARGV[2]}
end
redis.call('HINCRBY', P .. 'nodes', node, 1)
redis.call('XTRIM', P .. 'node:' .. node, 'MINID', position)
return {'ok', counted('counters', node), redis.call('HGETALL', P .. 'nodes')}
