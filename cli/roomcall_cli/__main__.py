"""`python -m roomcall_cli` is `roomcall`."""

from .main import main

main()
