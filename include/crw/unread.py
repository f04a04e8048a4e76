"""What lay in a drop folder on a night and was not read, each with its reason. Table audit.unread_file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from psycopg import Connection

from crw.ledger import Load
from crw.sources import Unread


def note(connection: Connection, load: Load, unread: Iterable[Unread]) -> None:
    """Put the files that a load did not read in the place of those that an earlier one of its table and date did not.

    A file that several tables of a source leave unread is noted once.
    """
    identity = [load.table.source, load.business_date, load.table.name]
    with connection.transaction(), connection.cursor() as cursor:
        # Two runs of a source may read it at once, and would wait for each other's rows in any order.
        cursor.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"crw.unread.{load.table.source}"])
        cursor.execute(
            "delete from audit.unread_file where source = %s and business_date = %s and table_name = %s", identity
        )
        cursor.executemany(
            "insert into audit.unread_file (source, business_date, table_name, file_name, reason) "
            "values (%s, %s, %s, %s, %s) on conflict do nothing",
            [(*identity, file.file_name, file.reason) for file in unread],
        )


def of(connection: Connection, business_date: date) -> list[tuple[str, str, str]]:
    """Source, file and reason of each file that the date's night did not read."""
    return connection.execute(
        "select source, file_name, reason from audit.unread_file where business_date = %s order by source, file_name",
        [business_date],
    ).fetchall()
