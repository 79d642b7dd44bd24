-- All records, and up to which number of its stream the node has them with that.
return {
  redis.call('GET', P .. 'epoch') or '',
  redis.call('HGETALL', P .. 'rooms'),
  redis.call('HGETALL', P .. 'sessions'),
  redis.call('HGETALL', P .. 'versions'),
  redis.call('ZRANGE', P .. 'closed', 0, -1, 'WITHSCORES'),
  counted('counters', take()),
  tonumber(redis.call('GET', P .. 'version') or 0),
}
