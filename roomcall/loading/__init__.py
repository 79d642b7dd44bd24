"""Many signaling clients against a server: what they do, what is counted, and the verdict."""
