-- Appends to the streams of some nodes: ok, and which of them are no more.
local wrong = refused()
if wrong then return wrong end
local gone = {'ok'}
redis.call('HSET', P .. 'posted', ARGV[3], take())
for _ = 1, tonumber(take()) do
  local node, items = take(), take()
  if redis.call('HEXISTS', P .. 'nodes', node) == 1 then
    append(node, 'post', items, 'from', ARGV[3])
  else
    gone[#gone + 1] = node
  end
end
return gone
