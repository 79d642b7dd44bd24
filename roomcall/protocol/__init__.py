"""The signaling protocol, version 1: typed messages, and the way from and to JSON. No I/O.

Both halves speak through these modules: `room` (what a room looks like on the wire), `requests`
(client to server), `replies` (server to client), `errors` (codes, close codes, limits), `codec`.
"""

VERSION = 1
