"""A batch from a relational source: COPY out of one REPEATABLE READ snapshot, in PostgreSQL's binary format."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import Connection, IsolationLevel, sql

from crw.contracts import Column, Table
from crw.sources import Batch, Interval, column_types, encoding
from crw.sources import pseudonym as pseudonyms

MESSAGES_A_WRITE = 512  # COPY yields a message a row; one write a row costs 10-20 % more


def read(table: Table, connection: Connection, interval: Interval, secret: bytes) -> Batch:
    """Rows whose watermark lies in `interval`, exactly as they stand now, cast to the contract's types.

    Rows without a watermark come every night, for the suite to refuse: left out, nobody would ever miss them.

    Args:
        table: contract with a `relation`.
        connection: connection to the source; its transaction ends when the blocks are exhausted.
        interval: half-open.
        secret: key of the pseudonyms.

    Raises:
        ContractError: the relation lacks a column of the contract, has one that the contract does not know, or has one of a
            type that cannot be read as the contract's.
        psycopg.Error: while the blocks are read, if the source fails.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    types = column_types.found(table, connection)
    pseudonyms.prepare(connection, secret)
    condition = within(table, interval, types)
    readable, rejected = encoding.unreadable(table, connection, types, condition)
    condition = sql.SQL("({}) and {}").format(condition, readable)
    return Batch("binary", _blocks(connection, statement(table, types, condition)), rejected)


def statement(table: Table, types: dict[str, str], condition: sql.Composable) -> sql.Composed:
    """The COPY that reads the rows which meet the condition, for a transaction that `pseudonym.prepare` was given.

    Args:
        table: contract with a `relation`.
        types: of the source's columns (`column_types.found`).
        condition: on the source's columns.
    """
    return sql.SQL("copy (select {} from {} where {}) to stdout (format binary)").format(
        sql.SQL(", ").join(_expression(column, types, table.clock) for column in table.columns),
        sql.Identifier(*table.relation.split(".")),
        condition,
    )


def within(table: Table, interval: Interval, types: dict[str, str]) -> sql.Composed:
    """The condition that a row's watermark lies in the interval, or is missing."""
    start, end = (
        column_types.moment(sql.Literal(instant), types[table.watermark], table.clock)
        for instant in (interval.start, interval.end)
    )
    return sql.SQL("{0} >= {1} and {0} < {2} or {0} is null").format(sql.Identifier(table.watermark), start, end)


def _expression(column: Column, types: dict[str, str], clock: str | None) -> sql.Composable:
    if column.pseudonym_of:
        return pseudonyms.expression(column.pseudonym_of)
    return column_types.expression(column, types[column.name], clock)


def _blocks(connection: Connection, copy_out: sql.Composed) -> Iterator[bytes]:
    with connection, connection.cursor() as cursor, cursor.copy(copy_out) as copy:
        messages: list[bytes] = []
        for message in copy:
            messages.append(bytes(message))
            if len(messages) == MESSAGES_A_WRITE:
                yield b"".join(messages)
                messages.clear()
        yield b"".join(messages)
