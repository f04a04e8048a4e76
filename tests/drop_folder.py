"""A drop folder for tests: a table of hotline calls, what is delivered for it, and the records as they come out."""

from __future__ import annotations

import json
import os
from datetime import date, datetime

import openpyxl

from crw.contracts import Column, Layout, Table
from crw.settings import CLOCK
from crw.sources import Interval, folder

SECRET = b"test"
NIGHT = date(2013, 3, 31)
INTERVAL = Interval(datetime(2013, 3, 31, tzinfo=CLOCK), datetime(2013, 4, 1, tzinfo=CLOCK))
NOON = datetime(2013, 3, 31, 12, tzinfo=CLOCK)
COLUMNS = (
    Column("call_no", "text", header="Call No."),
    Column("offered", "integer"),
    Column("caller", "text", pseudonym_of="email"),
    Column("tags", "jsonb"),
    Column("delivered_at", "timestamptz", provenance=True),
)


def table(files, columns=COLUMNS, **layout):
    return Table("hotline", "call", "folder", "drop", columns, ("call_no",), "delivered_at",
                 withheld=frozenset({"phone"}), layout=Layout(files, **layout))  # fmt: skip


def deliver(where, name, content, at=NOON):
    path = where / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, openpyxl.Workbook):
        content.save(path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def workbook(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    return book


def read(contract, where, published=(), layouts=()):
    batch = folder.read(contract, where, INTERVAL, SECRET, published, layouts)
    return [json.loads(block) for block in batch.blocks], batch


def unread(batch):
    """Reason of each file that a batch did not read, by the file's name."""
    return {file.file_name: file.reason for file in batch.unread}
