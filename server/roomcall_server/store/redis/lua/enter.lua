-- Makes a node one of them, and the state where there is none: epoch and generation.
local epoch, node = take(), take()
redis.call('SET', P .. 'epoch', epoch, 'NX')
redis.call('HINCRBY', P .. 'nodes', node, 1)
redis.call('HSETNX', P .. 'counters', node, 0)
redis.call('HDEL', P .. 'posted', node)
local generation = redis.call('HINCRBY', P .. 'generations', node, 1)
return {redis.call('GET', P .. 'epoch'), generation}
