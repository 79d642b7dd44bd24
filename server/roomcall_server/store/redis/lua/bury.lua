-- Takes a node off that has not beaten since: ok for one of those who try, with the number by which
-- that one has all that the dead node has written.
local wrong = refused()
if wrong then return wrong end
local dead, beats = take(), take()
if redis.call('HGET', P .. 'nodes', dead) ~= beats then return {'alive'} end
forget(dead)
return {'ok', counted('counters', ARGV[3])}
