-- Writes all or nothing, and appends it to the stream of every node: ok, or conflict with the number
-- by which this node knows why.
local wrong = refused()
if wrong then return wrong end
local node, meta, records = ARGV[3], take(), take()

local function list(width)
  local found = {}
  for number = 1, tonumber(take()) do
    local row = {}
    for column = 1, width do row[column] = take() end
    found[number] = row
  end
  return found
end

-- writes: key, id, the version that is expected or '', the size of the record, 0: it goes.
local writes, freed, named = list(4), list(1), list(2)
local closed, chats, history, events = list(2), list(3), tonumber(take()), list(2)
local max_events = take()

local function conflict()
  return {'conflict', counted('counters', node)}
end

for _, write in ipairs(writes) do
  local version = redis.call('HGET', P .. 'versions', write[1] .. write[2]) or ''
  if version ~= write[3] then return conflict() end
  if write[1] == 'r' and write[3] == '' and redis.call('ZSCORE', P .. 'closed', write[2]) then
    return conflict()
  end
end
for _, name in ipairs(named) do
  local id = redis.call('HGET', P .. 'names', name[1])
  if id and id ~= name[2] then return conflict() end
end

-- The first write of all is one that Redis refuses where it can write nothing.
local version = redis.call('INCRBY', P .. 'version', #writes)
local base, from = version - #writes, 1
for number, write in ipairs(writes) do
  local key, id, size = write[1], write[2], tonumber(write[4])
  local hash = P .. (key == 'r' and 'rooms' or 'sessions')
  if size > 0 then
    redis.call('HSET', hash, id, string.sub(records, from, from + size - 1))
    redis.call('HSET', P .. 'versions', key .. id, string.format('%.0f', base + number))
    from = from + size
  else
    redis.call('HDEL', hash, id)
    redis.call('HDEL', P .. 'versions', key .. id)
    if key == 'r' then redis.call('DEL', P .. 'chat:' .. id) end
  end
end
for _, name in ipairs(freed) do redis.call('HDEL', P .. 'names', name[1]) end
for _, name in ipairs(named) do redis.call('HSET', P .. 'names', name[1], name[2]) end
for _, room in ipairs(closed) do redis.call('ZADD', P .. 'closed', room[2], room[1]) end
for _, chat in ipairs(chats) do
  local key = P .. 'chat:' .. chat[1]
  redis.call('ZADD', key, chat[2], chat[3])
  redis.call('ZREMRANGEBYRANK', key, 0, -history - 1)
end
for _, event in ipairs(events) do
  local number = redis.call('INCR', P .. 'event')
  redis.call('XADD', P .. 'events', 'MAXLEN', '~', max_events, number .. '-0', event[1], event[2])
end
for _, each in ipairs(redis.call('HKEYS', P .. 'nodes')) do
  append(each, 'commit', meta, 'base', string.format('%.0f', base), 'records', records)
end
return {'ok'}
