"""Published marts as Parquet files, for readers of whom there are too many, or that read too much, for a database."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

import duckdb
import psycopg
from psycopg import sql

SCALE = 12
"""Digits after the point: no mart has more (its formulas round to that), and with one type for all nights a reader may union them."""

TYPES = {"integer": "INTEGER", "bigint": "BIGINT", "text": "VARCHAR", "date": "DATE", "boolean": "BOOLEAN",
         "numeric": f"DECIMAL(38, {SCALE})"}  # fmt: skip
"""How Parquet keeps what a mart has, exactly."""

NULL = r"\N"


class ExportError(RuntimeError):
    """The marts cannot be exported."""


def write(marts: psycopg.Connection, folder: Path) -> Path:
    """Write each mart to `folder`/<business date>/<mart>.parquet: all of one publication, and in their place once all are whole.

    Args:
        marts: autocommit, as a reader of schema `marts`.
        folder: where the dates' folders are; a date exported again replaces its folder.

    Returns:
        The folder of the date.

    Raises:
        ExportError: nothing is published yet, or a mart has a column that would not be kept exactly.
    """
    with marts.transaction():
        # All that is read is of one publication, whatever is published meanwhile.
        marts.execute("set transaction isolation level repeatable read")
        target = folder / f"{_business_date(marts)}"
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        draft.mkdir(parents=True)
        try:
            with duckdb.connect() as parquet:
                for mart, columns in _columns(marts).items():
                    _write_mart(marts, parquet, mart, columns, draft)
            shutil.rmtree(target, ignore_errors=True)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return target


def _business_date(marts: psycopg.Connection) -> date:
    try:
        row = marts.execute("select business_date from marts.data_health limit 1").fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    if row is None:
        raise ExportError("no marts are published yet")
    return row[0]


def _columns(marts: psycopg.Connection) -> dict[str, dict[str, str]]:
    """By mart, by column in its order: the type."""
    found: dict[str, dict[str, str]] = {}
    for mart, column, data_type in marts.execute(
        "select table_name, column_name, data_type from information_schema.columns where table_schema = 'marts' "
        "order by table_name, ordinal_position"
    ):
        if data_type not in TYPES:
            raise ExportError(f"marts.{mart}: column {column} is {data_type}, which is none of {', '.join(TYPES)}")
        found.setdefault(mart, {})[column] = data_type
    return found


def _write_mart(
    marts: psycopg.Connection, parquet: duckdb.DuckDBPyConnection, mart: str, columns: dict[str, str], folder: Path
) -> None:
    relation = sql.Identifier("marts", mart)
    for column in (name for name, data_type in columns.items() if data_type == "numeric"):
        (scale,) = marts.execute(
            sql.SQL("select max(scale({})) from {}").format(sql.Identifier(column), relation)
        ).fetchone()
        if (scale or 0) > SCALE:
            raise ExportError(f"marts.{mart}: column {column} has {scale} digits after the point, and {SCALE} are kept")
    rows = folder / f"{mart}.csv"
    with rows.open("wb") as file, marts.cursor().copy(
        sql.SQL("copy (select * from {}) to stdout (format csv, null {})").format(relation, sql.Literal(NULL))
    ) as copy:  # fmt: skip
        for block in copy:
            file.write(block)
    types = {name: TYPES[data_type] for name, data_type in columns.items()}
    read = parquet.read_csv(
        str(rows), header=False, columns=types, na_values=NULL, allow_quoted_nulls=False, auto_detect=False
    )
    read.write_parquet(str(folder / f"{mart}.parquet"), compression="zstd")
    rows.unlink()
