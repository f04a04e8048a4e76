"""A query, printed as CSV: what a terminal or a spreadsheet would take for more than text is made plain."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TextIO

import psycopg
from psycopg.types.string import TextLoader

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet may run, as OWASP's "CSV Injection" lists them."""


def run(dsn: str, query: str, is_for_spreadsheet: bool) -> None:
    """Print what a query gives; its notices go to standard error.

    Args:
        dsn: of the warehouse, as a role that may ask it.
        query: one statement.
        is_for_spreadsheet: put an apostrophe before a text that a spreadsheet may take for a formula. Numbers stay numbers.

    Raises:
        SystemExit: there is none, or the database refused it; the message is the database's, and who may look where the role may not.
    """
    if not query.strip():
        sys.exit('no query was given: make sql Q="select ..."')
    with psycopg.connect(dsn) as connection:
        for document in ("json", "jsonb"):  # as PostgreSQL writes it, so that a tool reads it as JSON
            connection.adapters.register_loader(document, TextLoader)
        connection.add_notice_handler(lambda notice: _say(f"{notice.severity}: {notice.message_primary}"))
        try:
            cursor = connection.execute(query)
        except psycopg.Error as error:
            _say(f"{error}")
            if isinstance(error, psycopg.errors.InsufficientPrivilege):
                _say("Of audit, quarantine, landing and raw: make sql ROLE=loader, or crw sql --role loader")
            sys.exit(1)
        if cursor.description:
            writer = csv.writer(sys.stdout)
            writer.writerow(_cells((column.name for column in cursor.description), is_for_spreadsheet))
            writer.writerows(_cells(row, is_for_spreadsheet) for row in cursor)


def _cells(row: Iterable[Any], is_for_spreadsheet: bool) -> list[Any]:
    return [_plain(value if value is None else _text(value, is_for_spreadsheet), sys.stdout) for value in row]


def _text(value: Any, is_for_spreadsheet: bool) -> str:
    """What is no number (an array, a document of JSON, bytes) may hold text too."""
    is_text = not isinstance(value, int | float | Decimal)
    text = str(value)
    return f"'{text}" if is_for_spreadsheet and is_text and text.startswith(FORMULA) else text


def _say(text: str) -> None:
    print(_plain(text, sys.stderr), file=sys.stderr)


def _plain(text: str | None, stream: TextIO) -> str | None:
    """The text with its control and format characters as backslash codes, where the stream is a terminal, which would obey them."""
    if text is None or not stream.isatty():
        return text
    return "".join(
        character if character.isprintable() or character == "\n" else character.encode("unicode_escape").decode()
        for character in text
    )
