"""A case database as the contract of the source wants it, in PostgreSQL."""

from __future__ import annotations

import json

import psycopg

from crw import contracts


def create(connection: psycopg.Connection, types: dict[str, str] | None = None) -> None:
    """Create the relations of the feedback contract, empty, with the columns that must not leave them.

    `types` are those of columns that are not of the contract's, by `<table>.<column>`.
    """
    connection.execute("create schema case_management")
    for table in contracts.sources()["feedback"]:
        columns = [
            f"{column.name} {(types or {}).get(f'{table.name}.{column.name}', column.type)}"
            for column in table.columns
            if not column.pseudonym_of
        ]
        columns += [f"{name} text" for name in sorted(table.withheld)]
        connection.execute(f"create table {table.relation} ({', '.join(columns)})")


def insert(connection: psycopg.Connection, table: str, *rows: dict) -> None:
    """Insert rows by the names of their columns; what a row does not name is null."""
    relation = contracts.table("feedback", table).relation
    for row in rows:
        connection.execute(
            f"insert into {relation} select * from jsonb_populate_record(null::{relation}, %s)", [json.dumps(row)]
        )
