"""One module a command; each names its own as `command`."""
