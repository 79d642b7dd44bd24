"""The rules of rooms, a file a subject.

A rule takes the room, what is asked, by whom and when, and gives an `Outcome` or raises `Refused`.
It reads no clock, makes no id and does no I/O: those are arguments.
"""
