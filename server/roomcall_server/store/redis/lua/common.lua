-- Before every script. ARGV begins with the prefix of all keys and, but for `enter`, `snapshot` and
-- `restore`, the epoch. The keys are:
--   epoch        random, made with the state; who brings another one has lost touch with it
--   version      counts the writes of records
--   rooms, sessions         id -> the record
--   versions                "r" or "s" and the id -> its version
--   names                   the public name of a room -> its id
--   closed                  ids of rooms closed of late, by microseconds since 1970
--   nodes                   node -> counts its beats
--   generations             node -> counts its fences: a call of an older one is refused
--   counters, posted        node -> the last number in its stream; the last post that it has made
--   node:<node>             the stream of what it has still to apply, numbered without a hole
--   chat:<room>             messages, by their number
--   events, event           a stream, by rising numbers; the last of them
local P, at = ARGV[1], 1

local function take()
  at = at + 1
  return ARGV[at]
end

local function counted(hash, field)
  return tonumber(redis.call('HGET', P .. hash, field) or 0)
end

-- What is wrong with who calls; nil where nothing is. Takes epoch, node and generation.
local function refused()
  local epoch, node, generation = take(), take(), take()
  local is = redis.call('GET', P .. 'epoch') or ''
  if is ~= epoch then return {'forgotten', is} end
  local known = redis.call('HGET', P .. 'generations', node)
  if not known then return {'buried'} end
  if known ~= generation then return {'old'} end
end

local function append(node, ...)
  local number = redis.call('HINCRBY', P .. 'counters', node, 1)
  redis.call('XADD', P .. 'node:' .. node, 'MAXLEN', '~', 100000, number .. '-0', ...)
  return number
end

local function forget(node)
  for _, hash in ipairs({'nodes', 'generations', 'counters', 'posted'}) do
    redis.call('HDEL', P .. hash, node)
  end
  redis.call('DEL', P .. 'node:' .. node)
end
