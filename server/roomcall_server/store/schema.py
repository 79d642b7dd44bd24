"""The tables of a database file, by version, and how a file comes to the newest one.

Rules of this file:
1. `user_version` of the file counts the steps of `MIGRATIONS` that it has seen. A step is never
   changed once it was released: what is to be different is another step.
2. All that a file lacks is done in one transaction: whole, or not at all.
3. A file of a newer version, of another program, or damaged, is left as it is.

Records are JSON, so that an operator can read them; times are microseconds since 1970. What a chat
changes of a room, the count of them, is in `chats`: a record may be long, and changes less often.
"""

import sqlite3

from .base import StoreError

APPLICATION_ID = 0x726F6F6D  # "room"

MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE rooms (id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE chats (room TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE sessions (id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE closed (room TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE chat (
        room TEXT NOT NULL, id INTEGER NOT NULL, message TEXT NOT NULL, PRIMARY KEY (room, id)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT, room TEXT NOT NULL, at INTEGER NOT NULL,
        event TEXT NOT NULL
    );
    CREATE INDEX events_of_room ON events (room, id);
    """,
)


def check(database: sqlite3.Connection, path: str) -> None:
    """Raises `StoreError` where the file is not for us, and `sqlite3.Error`. Writes nothing."""
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (application or tables):
        raise StoreError(f"{path} is the database of another program — name another file")
    if version > len(MIGRATIONS):
        raise StoreError(f"{path} was written by a newer roomcall — start that, or name another")
    (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


def migrate(database: sqlite3.Connection) -> None:
    """Within a transaction of the caller's."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    for step in MIGRATIONS[version:]:
        for statement in filter(str.strip, step.split(";")):
            database.execute(statement)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
