-- Puts a replica in the place of what is there, under a new epoch: ok for one of those who try.
local was, epoch, version = take(), take(), take()
if (redis.call('GET', P .. 'epoch') or '') ~= was then return {'late'} end
for _, node in ipairs(redis.call('HKEYS', P .. 'nodes')) do forget(node) end
local old = redis.call('HKEYS', P .. 'rooms')
redis.call('SET', P .. 'epoch', epoch)
redis.call('SET', P .. 'version', version)
for _, hash in ipairs({'rooms', 'sessions', 'versions', 'names', 'closed'}) do
  redis.call('DEL', P .. hash)
end
for _ = 1, tonumber(take()) do
  local key, id, its, record = take(), take(), take(), take()
  redis.call('HSET', P .. (key == 'r' and 'rooms' or 'sessions'), id, record)
  redis.call('HSET', P .. 'versions', key .. id, its)
end
for _ = 1, tonumber(take()) do redis.call('HSET', P .. 'names', take(), take()) end
for _ = 1, tonumber(take()) do
  local room = take()
  redis.call('ZADD', P .. 'closed', take(), room)
end
for _ = 1, tonumber(take()) do
  local node = take()
  redis.call('HSET', P .. 'nodes', node, 0)
  redis.call('HSET', P .. 'counters', node, 0)
  redis.call('HSET', P .. 'generations', node, 0)
end
for _, room in ipairs(old) do
  if redis.call('HEXISTS', P .. 'rooms', room) == 0 then redis.call('DEL', P .. 'chat:' .. room) end
end
return {'ok'}
