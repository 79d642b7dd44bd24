"""For tests of what is built on roomcall: real media files, made on the spot."""
