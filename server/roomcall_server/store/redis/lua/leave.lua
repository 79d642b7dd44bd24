-- The node goes by itself, and has left nothing.
local wrong = refused()
if wrong then return wrong end
forget(ARGV[3])
return {'ok'}
