"""A batch from a relational source: COPY out of one REPEATABLE READ snapshot, in PostgreSQL's binary format."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from threading import Event, Timer

import psycopg
from psycopg import Connection, IsolationLevel, errors, sql

from crw.contracts import Column, ContractError, Table
from crw.sources import Batch, Interval, column_types, encoding
from crw.sources import pseudonym as pseudonyms
from crw.sources.listing import KEY_SEPARATOR, Compare, Listing

AFTER = 60  # seconds after the bound, at which the server ends a statement by itself
MESSAGES_A_WRITE = 512  # COPY yields a message a row; one write a row costs 10-20 % more


@contextmanager
def bounded(table: Table, connection: Connection) -> Iterator[None]:
    """While the block runs, give the source's database no longer than the contract's `bounds` for one reading.

    At this end, for a server that hangs ends nothing itself; it is also asked to, so that no query of ours outlives the night there.

    Raises:
        ContractError: the time is over.
    """
    is_over = Event()

    def end() -> None:
        is_over.set()
        with socket.socket(fileno=os.dup(connection.fileno())) as ours:
            ours.shutdown(socket.SHUT_RDWR)

    timer = Timer(table.bounds.seconds, end)
    timer.daemon = True
    timer.start()
    try:
        with connection.transaction():  # of its own: the reading begins with settings of its transaction
            connection.execute(
                "select set_config('statement_timeout', %s, false) where current_setting('statement_timeout') = '0'",
                [f"{table.bounds.seconds + AFTER}s"],
            )
        yield
    except psycopg.OperationalError as error:
        if not is_over.is_set():
            raise
        raise ContractError(
            f"relation {table.relation}: more than {table.bounds.seconds} s, as its contract bounds it"
        ) from error
    finally:
        timer.cancel()


def read(
    table: Table, connection: Connection, interval: Interval, secret: bytes, compare: Compare | None = None
) -> Batch:
    """Rows whose watermark lies in `interval`, exactly as they stand now, cast to the contract's types.

    Rows without a watermark come every night, for the suite to refuse: left out, nobody would ever miss them.

    Args:
        table: contract with a `relation`.
        connection: connection to the source, whose transaction is the caller's to end once the blocks are exhausted.
        interval: half-open.
        secret: key of the pseudonyms.
        compare: is given a listing of the whole relation in the same snapshot; what it finds that no interval would read is in the batch.

    Raises:
        ContractError: the relation lacks a column of the contract, has one that the contract does not know, or has one of a
            type that cannot be read as the contract's, or hides rows by row security.
        psycopg.Error: while the blocks are read, if the source fails.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    types = column_types.found(table, connection)
    _refuse_hidden_rows(table, connection)
    pseudonyms.prepare(connection, secret)
    missing = compare(_listing(table, connection, types)) if compare else frozenset()
    condition = _of_night(table, interval, types, missing)
    readable, rejected = encoding.unreadable(table, connection, types, condition)
    condition = sql.SQL("({}) and {}").format(condition, readable)
    batch = Batch("binary", _blocks(connection, statement(table, types, condition)), rejected)
    batch.amended_since = _amended_since(table, connection, interval, types)
    return batch


def statement(table: Table, types: dict[str, str], condition: sql.Composable) -> sql.Composed:
    """The COPY that reads the rows which meet the condition, for a transaction that `pseudonym.prepare` was given.

    Args:
        table: contract with a `relation`.
        types: of the source's columns (`column_types.found`).
        condition: on the source's columns.
    """
    return sql.SQL("copy (select {} from {} where {}) to stdout (format binary)").format(
        sql.SQL(", ").join(_expression(column, types, table.clock) for column in table.columns),
        _relation(table),
        condition,
    )


def within(table: Table, interval: Interval, types: dict[str, str]) -> sql.Composed:
    """The condition that a row's watermark lies in the interval, or is missing."""
    return sql.SQL("{} or {} is null").format(
        _between(table, types, interval.start, interval.end), sql.Identifier(table.watermark)
    )


def _between(table: Table, types: dict[str, str], start: datetime, end: datetime) -> sql.Composed:
    moments = (
        column_types.moment(sql.Literal(instant), types[table.watermark], table.clock) for instant in (start, end)
    )
    return sql.SQL("{0} >= {1} and {0} < {2}").format(sql.Identifier(table.watermark), *moments)


def _of_night(table: Table, interval: Interval, types: dict[str, str], missing: frozenset[str]) -> sql.Composed:
    """The condition that a row is tonight's: of the interval; or not a later night's, and of a missing key or without a key."""
    key = [_expression(table.column(name), types, table.clock) for name in table.key]
    also = [sql.SQL("{} is null").format(column) for column in key]
    if missing:
        # An array of texts is looked up by hash beside any other condition, however many there are.
        joined = sql.SQL("concat_ws({}, {})").format(KEY_SEPARATOR, sql.SQL(", ").join(key))
        also.append(sql.SQL("{} = any({})").format(joined, sql.Literal(sorted(missing))))
    return sql.SQL("{} or ({}) and ({}) is not true").format(
        within(table, interval, types),
        sql.SQL(" or ").join(also),
        _between(table, types, interval.end, interval.horizon),
    )


def _listing(table: Table, connection: Connection, types: dict[str, str]) -> Listing:
    """Key and watermark of every row. A key that cannot become UTF-8 is of no row that raw could have."""
    columns = tuple(table.column(name) for name in (*table.key, table.watermark))
    readable, _ = encoding.unreadable(replace(table, columns=columns), connection, types, sql.SQL("true"))
    listed = (_expression(column, types, table.clock) for column in columns)
    copy_out = sql.SQL("copy (select {} from {} where {}) to stdout (format binary)").format(
        sql.SQL(", ").join(listed), _relation(table), readable
    )
    return Listing("binary", _blocks(connection, copy_out))


def _amended_since(table: Table, connection: Connection, interval: Interval, types: dict[str, str]) -> int:
    """How many rows a night that is read late has lost to amendments, as far as anybody can tell."""
    if not interval.is_long_over:
        return 0
    later = _between(table, types, interval.end, interval.horizon)
    return connection.execute(sql.SQL("select count(*) from {} where {}").format(_relation(table), later)).fetchone()[0]


def _refuse_hidden_rows(table: Table, connection: Connection) -> None:
    """Have PostgreSQL raise an error where row security would leave rows out."""
    connection.execute("set local row_security = off")
    try:
        connection.execute(sql.SQL("select from {} limit 0").format(_relation(table)))
    except errors.InsufficientPrivilege as error:
        if error.diag.source_function != "check_enable_rls":
            raise
        raise ContractError(
            f"relation {table.relation}: row security ({error.diag.message_primary}) would hide rows from the role "
            f"{connection.info.user}: they would be missing from every figure. Let it read all (alter role ... bypassrls)"
        ) from None


def _relation(table: Table) -> sql.Identifier:
    return sql.Identifier(*table.relation.split("."))


def _expression(column: Column, types: dict[str, str], clock: str | None) -> sql.Composable:
    if column.pseudonym_of:
        return pseudonyms.expression(column.pseudonym_of)
    return column_types.expression(column, types[column.name], clock)


def _blocks(connection: Connection, copy_out: sql.Composed) -> Iterator[bytes]:
    with connection.cursor() as cursor, cursor.copy(copy_out) as copy:
        messages: list[bytes] = []
        for message in copy:
            messages.append(bytes(message))
            if len(messages) == MESSAGES_A_WRITE:
                yield b"".join(messages)
                messages.clear()
        yield b"".join(messages)
