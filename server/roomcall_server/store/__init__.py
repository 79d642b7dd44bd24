"""Where rooms and sessions are kept: one interface, `base`, and its implementations."""
