"""From a client's frame to what is done about it."""
