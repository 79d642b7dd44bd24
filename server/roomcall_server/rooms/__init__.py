"""What a room is and what may happen in it: pure values and rules, without I/O, clock or chance."""
