"""One record of a source that speaks JSON, as the contract lets it in."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from crw.contracts import Column, Table
from crw.sources import BLANKS
from crw.sources.pseudonym import of_name, pseudonym

DEEPEST = 100
"""Levels of lists and objects that a value may have."""

LONGEST_NUMBER = 1000
"""Digits of a whole number."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


class Repeating(dict):
    """An object that has a name twice: which of the values is meant nobody can say."""


class UnusableValue(ValueError):
    """A value that cannot be stored. The message says why, and does not repeat the value."""

    def __init__(self, column: str | None, reason: str):
        super().__init__(reason)
        self.column = column


def parse(text: str, around: int = 0) -> Any:
    """JSON text as Python's objects, for `allowed`. No single record of it makes the whole unreadable.

    What is nested far too deep for any stack is cut where `allowed` still sees that it is too deep.

    Args:
        text: the JSON.
        around: levels of lists and objects around the records that it holds.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return json.loads(text, object_pairs_hook=as_object, parse_int=whole_number)
    except RecursionError:
        return json.loads(_cut(text, around + 1 + DEEPEST + 1), object_pairs_hook=as_object, parse_int=whole_number)


def allowed(table: Table, record: dict[str, Any], secret: bytes, provenance: dict[str, Any]) -> str:
    """The record in the contract's columns and nothing else, as JSON: what is withheld is not even in quarantine.

    The blanks around a key are no part of it: as written, one record would be two.

    Args:
        table: the contract.
        record: fields as the source names them; one that is not there is empty.
        secret: key of the pseudonyms.
        provenance: values of the columns that tell of the delivery.

    Raises:
        UnusableValue: PostgreSQL cannot hold a value (a NUL, half a surrogate pair, NaN), it cannot be told which is meant, it is
            nested too deep, or a person's is not a text.
    """
    if isinstance(record, Repeating):
        raise UnusableValue(None, "the record has a field twice")
    values = {
        column.name: provenance[column.name] if column.provenance else _value(column, record.get(column.field), secret)
        for column in table.columns
    }
    for name in table.key:
        if isinstance(values[name], str):
            values[name] = values[name].strip(BLANKS)
    return json.dumps(values, ensure_ascii=False)


def _value(column: Column, value: Any, secret: bytes) -> Any:
    if column.pseudonym_of and not isinstance(value, str | None):
        raise UnusableValue(column.name, f"{column.field} is not a text but {type(value).__name__}")
    if isinstance(value, dict | list):
        _check_nesting(column, value)
    try:
        written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)
        written.encode()
    except UnicodeEncodeError:
        raise UnusableValue(
            column.name, f"{column.field} holds bytes that are no UTF-8, or half a surrogate pair"
        ) from None
    except ValueError:
        raise UnusableValue(column.name, f"{column.field} holds a number that is not finite, or too long") from None
    if "\0" in written or (isinstance(value, list | dict) and r"\u0000" in written):
        raise UnusableValue(column.name, f"{column.field} holds a NUL character")
    if not column.pseudonym_of:
        return value
    return of_name(value, secret) if column.is_name else pseudonym(value, secret)


def _check_nesting(column: Column, value: dict | list) -> None:
    level = [value]
    for _ in range(DEEPEST):
        if any(isinstance(part, Repeating) for part in level):
            raise UnusableValue(column.name, f"{column.field} holds an object that has a name twice")
        inner = [nested for part in level for nested in (part.values() if isinstance(part, dict) else part)]
        level = [part for part in inner if isinstance(part, dict | list)]
    if level:
        raise UnusableValue(column.name, f"{column.field} is nested more than {DEEPEST} levels deep")


def as_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; Repeating, if it has a name twice."""
    values = dict(pairs)
    return values if len(values) == len(pairs) else Repeating(values)


def whole_number(digits: str) -> int | float:
    """A whole number of JSON; one that is too long is infinite, for `allowed` to refuse."""
    return int(digits) if len(digits) <= LONGEST_NUMBER else math.inf


def _cut(text: str, deepest: int) -> str:
    """The JSON text without what lies deeper than so many levels."""
    kept, depth, start = [], 0, 0
    for token in _TOKEN.finditer(text):
        if token[0] in ("[", "{"):
            depth += 1
            if depth == deepest + 1:
                kept.append(text[start : token.start()])
        elif token[0] in ("]", "}"):
            if depth == deepest + 1:
                kept.append("null")
                start = token.end()
            depth -= 1
    return "".join([*kept, text[start:] if depth <= deepest else ""])
