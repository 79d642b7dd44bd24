-- Refuses from now on what the node has called before: its generation, the last number of its
-- stream, and the last post that was made.
local epoch, node, version, position = take(), take(), tonumber(take()), tonumber(take())
local is = redis.call('GET', P .. 'epoch') or ''
if is ~= epoch then return {'forgotten', is} end
if redis.call('HEXISTS', P .. 'nodes', node) == 0 then return {'buried'} end
local last = counted('counters', node)
if tonumber(redis.call('GET', P .. 'version') or 0) < version or last < position then
  return {'forgotten', is}
end
local generation = redis.call('HINCRBY', P .. 'generations', node, 1)
return {'ok', generation, last, counted('posted', node)}
