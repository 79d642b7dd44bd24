"""Clients: who is connected, what is kept of them, and the way to their sockets."""
