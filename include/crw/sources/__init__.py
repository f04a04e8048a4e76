"""How a batch for an interval is read: one module a kind of source, rows out and nothing else.

The readers know no warehouse. Each has one function `read(table, ..., interval, ...) -> Batch`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

DELIMITER = "\t"
"""Between the columns of a Section: the text of an array then needs no quotes, which costs a tenth less time."""

BLANKS = " \t\n\r\u00a0\u200b\u200c\u200d\u2060\u3000\ufeff"
"""What is no part of a value at its ends (the macro `trimmed` of staging has the same): blanks, and what has no width."""


@dataclass(frozen=True)
class Interval:
    """Half-open span of time `[start, end)` that a batch covers; both ends are aware datetimes."""

    start: datetime
    end: datetime

    @property
    def horizon(self) -> datetime:
        """Where the later nights' rows end: a day from now, for clocks differ. What is dated after it no night would ever read."""
        return max(self.end, datetime.now(UTC) + timedelta(days=1))

    @property
    def is_long_over(self) -> bool:
        """Whether the night after should have run by now: what was amended since was not read as it stood."""
        return datetime.now(UTC) >= self.end + timedelta(days=1)


@dataclass(frozen=True)
class Rejection:
    """A row that could not even be read as the contract types it, with the whole record as it came."""

    reason: str
    record: dict[str, Any]
    column: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class Unread:
    """A file of a drop folder that was not read, and why."""

    file_name: str
    """Within the folder, as it can be printed."""
    reason: str


@dataclass(frozen=True)
class Section:
    """Rows that agree in some columns: those values once, the others as blocks of PostgreSQL's CSV COPY format.

    The delimiter is DELIMITER. Repeated on each row of a survey file, delivery and arrival were two thirds of its bytes.
    """

    shared: dict[str, str | None]
    blocks: Iterable[bytes]
    """Without a header; the columns that are not shared in the order of the contract, every value of its type."""


@dataclass
class Batch:
    """What a source delivered for one table and one interval.

    `format` says what `blocks` yields:

    - `binary`: bytes of PostgreSQL's binary COPY format, in the order of the contract's columns;
    - `csv`: sections;
    - `json`: one JSON object (text) a record, its values still to be typed.

    `rejected` is complete once `blocks` is exhausted. Rows read = rows in `blocks` + rows rejected.
    """

    format: Literal["binary", "csv", "json"]
    blocks: Iterable[bytes] | Iterable[Section] | Iterable[str]
    rejected: list[Rejection] = field(default_factory=list)
    deliveries: dict[str, str] = field(default_factory=dict)
    """Files only: id of each delivery in the batch, and its file name. Complete, as `unread`, once `blocks` is exhausted."""
    unread: list[Unread] = field(default_factory=list)
    """Files only: what lies in the folder and is in no delivery that this or a later date reads."""
    amended_since: int | None = None
    """Of a batch that is read late, rows at the source with a watermark of a later night; None where there can be none."""
