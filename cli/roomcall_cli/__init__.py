"""The command `roomcall`, and the pytest plugin."""
