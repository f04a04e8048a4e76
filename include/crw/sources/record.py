"""One record of a source that speaks JSON, as the contract lets it in."""

from __future__ import annotations

import json
from typing import Any

from crw.contracts import Column, Table
from crw.sources import BLANKS
from crw.sources.pseudonym import of_name, pseudonym


class UnusableValue(ValueError):
    """A value that cannot be stored. The message says why, and does not repeat the value."""

    def __init__(self, column: str, reason: str):
        super().__init__(reason)
        self.column = column


def allowed(table: Table, record: dict[str, Any], secret: bytes, provenance: dict[str, Any]) -> str:
    """The record in the contract's columns and nothing else, as JSON: what is withheld is not even in quarantine.

    The blanks around a key are no part of it: as written, one record would be two.

    Args:
        table: the contract.
        record: fields as the source names them; one that is not there is empty.
        secret: key of the pseudonyms.
        provenance: values of the columns that tell of the delivery.

    Raises:
        UnusableValue: PostgreSQL cannot hold a value (a NUL, half a surrogate pair, NaN), or a person's is not a text.
    """
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
    try:
        written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)
        written.encode()
    except UnicodeEncodeError:
        raise UnusableValue(column.name, f"{column.field} holds half a surrogate pair") from None
    except ValueError:
        raise UnusableValue(column.name, f"{column.field} holds a number that is not finite") from None
    if "\0" in written or (isinstance(value, list | dict) and r"\u0000" in written):
        raise UnusableValue(column.name, f"{column.field} holds a NUL character")
    if not column.pseudonym_of:
        return value
    return of_name(value, secret) if column.is_name else pseudonym(value, secret)
