"""A new key for all pseudonyms, after which the old one can be destroyed.

What a pseudonym becomes is learnt where the identifiers are: each source is read once more, under both keys. Who is at no source any
more gets a pseudonym made at random, the same wherever the person stands. The warehouse changes in one transaction.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path

from psycopg import Connection, IsolationLevel, sql

from crw import connections, contracts
from crw.contracts import Table
from crw.ledger import BEGINNING
from crw.privacy import pseudonym_key, rooms
from crw.privacy.erasure import files
from crw.sources import Interval, api, column_types, encoding, folder
from crw.sources import pseudonym as pseudonyms
from crw.warehouse import landing_table, raw_table


class RotationError(RuntimeError):
    """The key could not be changed, and everything is as before."""


def rotate(warehouse: Connection, home: Path, old: bytes, new: bytes, by: str) -> dict[str, int]:
    """Put pseudonyms under the new key in the place of those under the old one, in the warehouse and in the files a night left.

    Args:
        warehouse: autocommit, as a role that may change every table.
        home: the state folder.
        old: the key in use.
        new: another.
        by: who does it.

    Returns:
        How many values of each table were changed; under `persons` and `at no source` how many pseudonyms there were, and of which
        no source has the identifier.

    Raises:
        RotationError: the new key was used before, or a source changed while it was read.
        NightAtWork: do it again when the night has ended.
    """
    if warehouse.execute(
        "select true from audit.pseudonym_key where fingerprint = %s", [pseudonym_key.fingerprint(new)]
    ).fetchone():
        raise RotationError("the new key was used before: make another")
    made = {}
    for table in contracts.of_persons():
        if table.source in contracts.taking_part():
            made |= dict(_pairs(table, old, new))
    with rooms.at_rest(warehouse):
        held = _held(warehouse)
        renewed = {each: made.get(each) or secrets.token_hex(32) for each in held}
        changed = rooms.renew(warehouse, renewed)
        warehouse.execute(
            "insert into audit.pseudonym_key (fingerprint, rotated_by) values (%s, %s)",
            [pseudonym_key.fingerprint(new), by],
        )
    _renew_files(home, renewed)
    rooms.forget_statistics(warehouse, changed)
    return changed | {"persons": len(held), "at no source": len(held - made.keys())}


def _held(connection: Connection) -> set[str]:
    """Every pseudonym in the warehouse."""
    held = set(connection.execute("select pseudonym from audit.suppression union select pseudonym from audit.nobody"))
    for table in contracts.of_persons():
        for column in (column.name for column in table.columns if column.pseudonym_of):
            for relation in (raw_table(table), landing_table(table)):
                held |= set(
                    connection.execute(sql.SQL("select distinct {} from {}").format(sql.Identifier(column), relation))
                )
            held |= set(
                connection.execute(
                    "select distinct record ->> %s from quarantine.record where source = %s and table_name = %s",
                    [column, table.source, table.name],
                )
            )
    return {pseudonym for (pseudonym,) in held if pseudonym}


def _pairs(table: Table, old: bytes, new: bytes) -> Iterator[tuple[str, str]]:
    """The old and the new pseudonym of each person that the table's source has."""
    interval = Interval(BEGINNING, datetime.now(UTC))
    match table.reader:
        case "database":
            with connections.database(table.connection) as source:
                yield from _of_database(table, source, old, new)
        case "api":
            with connections.api(table.connection) as client:
                yield from _of_records(table, *(api.read(table, client, interval, key).blocks for key in (old, new)))
        case "folder":
            drop = connections.folder(table.connection)
            yield from _of_records(table, *(folder.read(table, drop, interval, key).blocks for key in (old, new)))


def _of_database(table: Table, source: Connection, old: bytes, new: bytes) -> Iterator[tuple[str, str]]:
    source.isolation_level = IsolationLevel.REPEATABLE_READ
    source.read_only = True
    columns = tuple(column for column in table.columns if column.pseudonym_of)
    types = column_types.found(table, source)
    readable, _ = encoding.unreadable(table, source, types, sql.SQL("true"))
    pseudonyms.prepare(source, old)
    pseudonyms.prepare(source, new, "crw_new")
    for column in columns:
        yield from source.execute(
            sql.SQL("select distinct {}, {} from {} where {} is not null and {}").format(
                pseudonyms.expression(column.pseudonym_of),
                pseudonyms.expression(column.pseudonym_of, "crw_new"),
                sql.Identifier(*table.relation.split(".")),
                sql.Identifier(column.pseudonym_of),
                readable,
            )
        ).fetchall()


def _of_records(table: Table, under_old: Iterator[str], under_new: Iterator[str]) -> Iterator[tuple[str, str]]:
    """From the same records read twice, in the same order."""
    columns = [column.name for column in table.columns if column.pseudonym_of]
    for pair in zip_longest(under_old, under_new, fillvalue="{}"):
        one, other = map(json.loads, pair)
        if any(one.get(name) != other.get(name) for name in table.key):
            raise RotationError(f"{table.source}.{table.name} changed while it was read: rotate again")
        yield from ((one[name], other[name]) for name in columns if one[name])


def _renew_files(home: Path, renewed: dict[str, str]) -> None:
    """Logs, Data Docs and pages: they may show a pseudonym as an example of what a rule found."""
    for path in files(home):
        content = path.read_bytes()
        if b"\0" not in content:
            text = re.sub(
                rb"[0-9a-f]{64}", lambda found: renewed.get(found[0].decode(), found[0].decode()).encode(), content
            )
            if text != content:
                path.write_bytes(text)
