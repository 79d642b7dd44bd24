"""A bad network, made inside the process on a peer's own packets: so without root."""
