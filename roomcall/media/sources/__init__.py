"""Where pictures and sounds come from."""
