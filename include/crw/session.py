"""How every session of ours reads and writes values, in a source and in the warehouse, whatever server, database or role are set to."""

from __future__ import annotations

from psycopg import Connection

from crw.settings import CLOCK

SETTINGS = {
    "client_encoding": "UTF8",
    "timezone": CLOCK.key,
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}


def fix(connection: Connection) -> None:
    """Give the session our settings, for as long as it lasts."""
    with connection.transaction():
        connection.execute(
            "select set_config(name, setting, false) from unnest(%s::text[], %s::text[]) as wanted (name, setting)",
            [list(SETTINGS), list(SETTINGS.values())],
        )
