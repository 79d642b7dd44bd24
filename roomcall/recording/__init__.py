"""A call in files: what comes from each member, as it came."""
