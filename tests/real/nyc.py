"""The New York complaints as a case database of its own, with the relations that the feedback contract names."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import psycopg
from psycopg import sql

from crw import contracts

UNSPECIFIED = "UNSPECIFIED"
"""Category of a complaint whose type is missing: it is a complaint all the same."""


def load(dsn: str, file: Path, first: str, before: str) -> None:
    """Fill the empty database `dsn` with every row of the file that was opened in that span, repeated keys and all, in its order."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        complaints = [row for row in csv.DictReader(lines) if first <= row["opendate"] < before]
    with psycopg.connect(dsn) as connection:
        connection.execute("create schema case_management")
        for table in contracts.sources()["feedback"]:
            columns = [f"{column.name} {column.type}" for column in table.columns if not column.pseudonym_of]
            columns += [f"{name} text" for name in sorted(table.withheld)]
            connection.execute(sql.SQL("create table {} ({})").format(
                sql.Identifier(*table.relation.split(".")), sql.SQL(", ".join(columns))))  # fmt: skip
        connection.cursor().executemany(
            "insert into case_management.category (category_code, kind, name_en, updated_at) "
            "values (%s, 'complaint', %s, '2018-03-31')",
            [(name, name) for name in sorted({_category(row) for row in complaints})],
        )
        statement = (
            "copy case_management.cases (case_id, case_no, category_code, received_at, closed_at, status, is_anonymous, updated_at) "
            "from stdin"
        )
        with connection.cursor().copy(statement) as copy:
            for number, row in enumerate(complaints, 1):
                opened, closed = f"{row['opendate']} 00:00+08", row["closedate"] and f"{row['closedate']} 00:00+08"
                status = "closed" if closed else "received"
                # The extract was made at the end of March 2018: nothing of it was amended later.
                copy.write_row(
                    (number, row["unique_key"], _category(row), opened, closed or None, status, False, opened)
                )


def _category(row: dict[str, str]) -> str:
    return row["complaint_type"] if row["complaint_type"] not in ("", "NA") else UNSPECIFIED
