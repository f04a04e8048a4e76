"""All that a source holds, as key and watermark, whatever interval a row belongs to: what is held against raw."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import IO, Any, Literal

from crw.contracts import Table
from crw.sources import Interval, Rejection, scratch

KEY_SEPARATOR = "\x1f"
"""Between the columns of a key that is told as one text."""


@dataclass(frozen=True)
class Listing:
    """The columns of the key, and the watermark, of every row.

    `format` says what `rows` yields: `binary`, blocks of PostgreSQL's binary COPY format; `text`, a tuple a row.
    """

    format: Literal["binary", "text"]
    rows: Iterable[bytes] | Iterable[tuple[str | None, ...]]


Compare = Callable[[Listing], frozenset[str]]
"""Given a listing, the keys (columns as text, KEY_SEPARATOR between them) of the rows that no interval would ever read."""


class Spool:
    """The records that an API gave, on disk until it is known which of them belong to the night."""

    def __init__(self, table: Table):
        self.table = table
        self.file: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8", dir=scratch.room())  # noqa: SIM115 (closed when it has been read)

    def add(self, source_record: dict[str, Any], outcome: str | Rejection) -> None:
        """Keep a record as the contract lets it in, or why it cannot be stored, with its key and watermark."""
        listed = [_text(source_record.get(name)) for name in (*self.table.key, self.table.watermark)]
        self.file.write(json.dumps([listed, outcome if isinstance(outcome, str) else asdict(outcome)]) + "\n")

    def listing(self) -> Listing:
        """Key and watermark of each record. What is no moment is no watermark."""
        rows = ((*key, watermark if moment(watermark) else None) for (*key, watermark), _ in self._lines())
        return Listing("text", rows)

    def wanted(self, interval: Interval, missing: frozenset[str] | None, rejected: list[Rejection]) -> Iterator[str]:
        """The records of the night; those that cannot be stored are added to `rejected`.

        They are all but a later night's where no listing was compared (`missing` is None); else those of the interval, those
        of missing keys, and those without a key or a watermark that can be read.
        """
        horizon = interval.horizon
        with self.file:
            for (*key, watermark), outcome in self._lines():
                at = moment(watermark)
                is_of_night = missing is None or at is None or interval.start <= at < interval.end
                if not is_of_night and None not in key and KEY_SEPARATOR.join(key) not in missing:
                    continue
                if at is not None and at >= interval.end and (missing is None or at < horizon):
                    continue
                if isinstance(outcome, str):
                    yield outcome
                else:
                    rejected.append(Rejection(**outcome))

    def _lines(self) -> Iterator[tuple[list[str | None], str | dict]]:
        self.file.seek(0)
        for line in self.file:
            yield json.loads(line)


def moment(text: Any) -> datetime | None:
    """A watermark as JSON says it, or None where it is no moment."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def _text(value: Any) -> str | None:
    """A value of a record as PostgreSQL would tell it, or None for what it cannot hold (NUL, half a surrogate pair)."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value)
    return None if re.search("[\0\ud800-\udfff]", text) else text
