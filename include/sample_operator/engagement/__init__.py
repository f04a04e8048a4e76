"""The clubs' drop folder: newsletter events, activities and registrations, hotline intervals, website days; and their dirt.

Everything is made from a seed. Files arrive as their modification time says: a file a month up to March 2013, and one a
day in April, so that a night of April finds a few small files.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sample_operator.clock import arrive
from sample_operator.engagement import activities, newsletter, service

NOT_BIG5 = b"\xff\xff"


def build(folder: Path, seed: int = 2013, scale: float = 1.0) -> None:
    """Write the files below `folder`, with the times they arrived.

    Args:
        folder: the drop folder; made if missing. Files of an earlier build are overwritten.
        seed: the same seed gives the same bytes.
        scale: multiplies subscribers, seats and registrations; from 0.3 on there is room for the dirt.
    """
    for name, arrived, content in _files(seed, scale):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        arrive(path, arrived)


def planted() -> dict[tuple[str, str], int]:
    """How many rows landing and the suites must refuse, by table and rule, of all that arrived by 31 March 2013."""
    events = {("email_event", rule): count for rule, count in newsletter.planted().items()}
    return events | activities.planted() | service.planted()


def _files(seed: int, scale: float) -> Iterator[tuple[str, datetime, bytes]]:
    for name, (arrived, lines) in newsletter.files(seed, scale).items():
        yield name, arrived, "\n".join([*lines, ""]).encode()
    for name, (arrived, rows) in activities.files(seed, scale).items():
        yield name, arrived, b"\xef\xbb\xbf" + _csv(rows).encode()
    for name, (arrived, rows) in service.hotline(seed).items():
        in_big5 = _csv(rows).replace(service.BAD_BYTES, "\0").encode("big5hkscs")
        yield name, arrived, in_big5.replace(b"\0", NOT_BIG5)
    for name, (arrived, records) in service.website(seed).items():
        yield name, arrived, "".join(json.dumps(record) + "\n" for record in records).encode()


def _csv(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
