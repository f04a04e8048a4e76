"""A drop folder whose files carry the contract's own columns: CSV, JSON lines, or a sheet of an XLSX workbook.

The contract's `layout` names the files of a table and how they are written. Each delivery is read once however often it
is sent: its id is the SHA-256 of its content. Every value goes out as it was written; landing types it.

A column that tells of the delivery and not of the record is marked `provenance` in the contract: `delivery_id`,
`delivered_at`, `file_name`, and `place`, the row or line in the file. The reader fills it, and it is not looked at where a
row is compared with what raw has.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from crw.contracts import ContractError, Table, as_told
from crw.sources import BLANKS, Batch, Interval, Rejection
from crw.sources.arrivals import arrival, arrived, delivery_id
from crw.sources.delimited import Delimited
from crw.sources.record import UnusableValue, allowed
from crw.sources.spreadsheet import Workbook


@dataclass(frozen=True)
class _Delivery:
    path: Path
    file_name: str
    delivery_id: str
    delivered_at: datetime


def read(table: Table, folder: Path, interval: Interval, secret: bytes, published: Iterable[str] = ()) -> Batch:
    """The deliveries in `folder` that are due, one JSON object a record, pseudonymised before anything is stored.

    Args:
        table: contract with a `layout`.
        folder: the drop folder.
        interval: what arrived before its end is due. Its start does not matter: `published` says what is done.
        secret: key of the pseudonyms.
        published: ids of the deliveries that another business date published.

    Returns:
        A batch of every record of the due deliveries, oldest delivery first; an empty one where none is due.

    Raises:
        ContractError: while the blocks are read, if a file is not of the format its name says, or has a column that the
            contract does not know, lacks one, or has one twice or without a name. The message names file, column and
            reason.
    """
    due: dict[str, _Delivery] = {}
    for path in arrived(folder, interval.end, table.layout.files):
        identity = delivery_id(path)
        if identity not in due and identity not in published:
            due[identity] = _Delivery(path, path.relative_to(folder).as_posix(), identity, arrival(path))
    rejected: list[Rejection] = []
    return Batch(
        "json",
        _json_records(table, due.values(), secret, rejected),
        rejected,
        {identity: delivery.file_name for identity, delivery in due.items()},
    )


def _json_records(table: Table, due: Iterable[_Delivery], secret: bytes, rejected: list[Rejection]) -> Iterator[str]:
    for delivery in due:
        provenance = {
            "delivery_id": delivery.delivery_id,
            "delivered_at": delivery.delivered_at.isoformat(),
            "file_name": delivery.file_name,
        }
        for place, record in _records(table, delivery, rejected):
            try:
                yield allowed(table, record, secret, provenance | {"place": place})
            except UnusableValue as error:
                rejected.append(_rejection(delivery, place, str(error), error.column))


def _records(table: Table, delivery: _Delivery, rejected: list[Rejection]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each record of a delivery, and where it stands in the file."""
    match delivery.path.suffix.lower():
        case ".csv":
            with tempfile.TemporaryDirectory(prefix="crw-folder-") as scratch:
                yield from _rows(table, delivery, Delimited(delivery.path, table.layout, Path(scratch)), rejected)
        case ".xlsx":
            yield from _rows(table, delivery, Workbook(delivery.path, table.layout, table.bounds), rejected)
        case ".jsonl":
            yield from _lines(table, delivery, rejected)
        case suffix:
            raise ContractError(f"{delivery.file_name}: {suffix} is none of .csv, .xlsx, .jsonl")


def _rows(
    table: Table, delivery: _Delivery, file: Delimited | Workbook, rejected: list[Rejection]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows with any value in the contract's columns: what is left is the blank end of a sheet."""
    header = file.header()
    known = {column.field for column in table.columns}
    repeated = [f"column {as_told(name, header, known)} is there {header.count(name)} times" for name in dict.fromkeys(header)
                if name and header.count(name) > 1]  # fmt: skip
    if repeated:
        raise ContractError(f"{delivery.file_name}: {'; '.join(repeated)}")
    table.check_fields({name for name in header if name}, delivery.file_name, header)
    fields = [column.field for column in table.columns if not column.provenance]
    with duckdb.connect() as connection:
        nameless = [i for i, name in enumerate(header) if not name]
        file.open(connection, sorted([*nameless, *(header.index(name) for name in fields)]))
        file.place(connection)
        connection.execute("create table line as select * from placed")
        for i in nameless:
            if connection.execute(f"select 1 from line where trim(c{i}) <> '' limit 1").fetchone():
                raise ContractError(f"{delivery.file_name}: column {i + 1} has values and no name")
        rejected += [_rejection(delivery, place, reason) for place, reason in file.unread(connection)]
        cells = [f"c{header.index(name)}" for name in fields]
        values = ", ".join(cells)
        is_row = f"marked or trim(concat({values})) <> ''"
        found = connection.execute(f"select place, marked, {values} from line where {is_row} order by rowid").fetchall()
        reason = f"bytes that are not {table.layout.encoding or 'utf-8'}"
        for place, marked, *record in found:
            named = [(value or "").strip(BLANKS) for value in record]
            if marked:
                rejected.append(_rejection(delivery, place, reason))
            elif named == fields:
                rejected.append(_rejection(delivery, place, "the header again"))
            elif known.issuperset(named) and len(set(named)) > 1:
                raise ContractError(f"{delivery.file_name}, {place}: a header with its columns in another order")
            else:
                yield place, dict(zip(fields, record, strict=True))


def _lines(table: Table, delivery: _Delivery, rejected: list[Rejection]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Objects of a JSON-lines file; a field that an object leaves out is empty, one that the contract lacks is refused."""
    fields = {column.field for column in table.columns if not column.provenance}
    with delivery.path.open("rb") as file:
        for number, line in enumerate(file, 1):
            place = f"line {number}"
            try:
                record = json.loads(line.decode("utf-8-sig")) if line.strip() else None
            except ValueError as error:
                rejected.append(_rejection(delivery, place, f"not JSON: {error}"))
                continue
            if isinstance(record, dict):
                table.check_fields(record.keys() | fields, f"{delivery.file_name}, {place}")
                yield place, record
            elif line.strip():
                rejected.append(_rejection(delivery, place, "not a JSON object"))


def _rejection(delivery: _Delivery, place: str, reason: str, column: str | None = None) -> Rejection:
    identity = {"delivery_id": delivery.delivery_id, "file_name": delivery.file_name, "place": place}
    return Rejection(f"{delivery.file_name}, {place}: {reason}", identity, column)
