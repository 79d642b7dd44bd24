"""The server's HTTP side: the WebSocket endpoint and what is asked by plain requests."""
