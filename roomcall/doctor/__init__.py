"""What works here, and what to do where it does not: for `roomcall doctor`.

`findings` says what a check gives; `examination` asks all of them.
"""
