"""Readers' sessions: the limits that their roles keep, and their end where one stands in the night's way (readers.sql)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Event, Thread

import psycopg
from psycopg import Connection, errors

log = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=1)
"""How long a reader may keep the night waiting: twice what a dashboard's statement may take."""

POLL = 2  # seconds


def hold_limits(connection: Connection) -> list[str]:
    """Give the readers' roles their limits again. Returns, logs and notes what was found otherwise: one line each."""
    rows = connection.execute(
        "insert into audit.reader_limit_restored (message) select * from audit.hold_reader_limits() returning message"
    )
    found = [line for (line,) in rows]
    for line in found:
        log.warning("%s", line)
    return found


@contextmanager
def made_to_give_way(connection: Connection) -> Iterator[None]:
    """While the block runs, end each reader's session that has kept one of the night's waiting longer than PATIENCE.

    Each is logged. A block that is over sooner costs no connection.

    Args:
        connection: to the warehouse; another one like it is opened.
    """
    over = Event()
    watch = Thread(target=_watch, args=(connection, over), daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _watch(connection: Connection, over: Event) -> None:
    if over.wait(PATIENCE.total_seconds()):
        return
    # A warehouse that is just being made has neither the function nor readers.
    with (
        suppress(errors.UndefinedFunction, errors.InvalidSchemaName),
        psycopg.connect(connection.info.dsn, password=connection.info.password, autocommit=True) as own,
    ):
        while True:
            for (line,) in own.execute("select * from audit.end_blocking_readers(%s)", [PATIENCE]):
                log.warning("%s", line)
            if over.wait(POLL):
                return
