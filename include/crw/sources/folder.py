"""A drop folder whose files carry the contract's own columns: CSV, JSON lines, or a sheet of an XLSX workbook.

The contract's `layout` names the files of a table and how they are written. Each delivery is read once however often it
is sent: its id is the SHA-256 of its content. Every value goes out as it was written; landing types it.

A column that tells of the delivery and not of the record is marked `provenance` in the contract: `delivery_id`,
`delivered_at`, `file_name`, and `place`, the row or line in the file. The reader fills it, and it is not looked at where a
row is compared with what raw has.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from crw.contracts import ContractError, Layout, Table, as_told
from crw.sources import BLANKS, Batch, Interval, Rejection, Unread, json_objects, scratch
from crw.sources.arrivals import Arrival, NotRead, delivery_id, is_due, look, matches
from crw.sources.delimited import Delimited
from crw.sources.packed import OTHERS, content_name, unpacked
from crw.sources.record import UnusableValue, allowed
from crw.sources.spreadsheet import Workbook
from crw.sources.text_file import check_content
from crw.sources.xlsx_package import other_sheets

ROWS = 5_000
"""Rows of a sheet that are taken at a time."""
HEADER_AGAIN = "the header again"


@dataclass(frozen=True)
class _Delivery:
    arrival: Arrival
    delivery_id: str
    layouts: list[Layout]
    """Of the source's tables that are read from the file."""

    @property
    def file_name(self) -> str:
        return self.arrival.file_name


def read(
    table: Table,
    folder: Path,
    interval: Interval,
    secret: bytes,
    published: Collection[str] = (),
    layouts: Collection[Layout] = (),
) -> Batch:
    """The deliveries in `folder` that are due, one JSON object a record, pseudonymised before anything is stored.

    Args:
        table: contract with a `layout`.
        folder: the drop folder.
        interval: what arrived before its end is due. Its start does not matter: `published` says what is done.
        secret: key of the pseudonyms.
        published: ids of the deliveries that another business date published.
        layouts: of all tables of the source; a file that none of them matches, nor the table's own, is told, and so is a
            sheet that none of them reads.

    Returns:
        A batch of every record of the due deliveries, oldest delivery first; an empty one where none is due.

    Raises:
        ContractError: while the blocks are read, if a file has a column that the contract does not know, lacks one, or has one
            twice or without a name. The message names file, column and reason.
    """
    batch = Batch("json", ())
    layouts = list(dict.fromkeys([*layouts, table.layout]))
    patterns = dict.fromkeys(layout.files for layout in layouts)
    due: dict[str, _Delivery] = {}
    for arrival in look(folder, patterns, batch.unread):
        try:
            if not is_due(arrival, interval.end, batch.unread):
                continue
            read_by = _read_by(table, arrival, layouts)
            if table.layout in read_by:
                identity = delivery_id(arrival, table.bounds.bytes)
                if identity in due or identity in published:
                    continue
                if len(due) == table.bounds.files:
                    raise NotRead(f"more than {table.bounds.files:,} are due: it comes the next night")
                due[identity] = _Delivery(arrival, identity, read_by)
        except NotRead as error:
            batch.unread.append(Unread(arrival.file_name, str(error)))
    batch.deliveries = {identity: delivery.file_name for identity, delivery in due.items()}
    batch.blocks = _json_records(table, list(due.values()), secret, batch)
    return batch


def _read_by(table: Table, arrival: Arrival, layouts: Collection[Layout]) -> list[Layout]:
    """The layouts whose pattern matches a file. Raises NotRead if none does."""
    name = content_name(arrival, table.bounds.bytes)
    if found := [layout for layout in layouts if matches(name, layout.files)]:
        return found
    if name.lower().endswith(OTHERS):
        raise NotRead("packed in a way that is not read: send it as it is, as .gz, or as .zip of one file")
    patterns = dict.fromkeys(layout.files for layout in layouts)
    raise NotRead(f"no pattern of {table.source}'s tables matches: {', '.join(patterns)}")


def _json_records(table: Table, due: list[_Delivery], secret: bytes, batch: Batch) -> Iterator[str]:
    if not due:
        return
    with scratch.folder() as room:
        for delivery in due:
            try:
                with unpacked(delivery.arrival, delivery.delivery_id, room, table.bounds.bytes) as path:
                    yield from _of_delivery(table, delivery, path, secret, batch.rejected)
                    batch.unread += _other_sheets(table, delivery, path)
            except NotRead as error:
                del batch.deliveries[delivery.delivery_id]
                batch.unread.append(Unread(delivery.file_name, str(error)))


def _of_delivery(
    table: Table, delivery: _Delivery, path: Path, secret: bytes, rejected: list[Rejection]
) -> Iterator[str]:
    provenance = {
        "delivery_id": delivery.delivery_id,
        "delivered_at": delivery.arrival.arrived_at.isoformat(),
        "file_name": delivery.file_name,
    }

    def kept(records: Iterable[tuple[str, dict[str, Any]]], refused: list[Rejection]) -> Iterator[str]:
        for place, record in records:
            try:
                yield allowed(table, record, secret, provenance | {"place": place})
            except UnusableValue as error:
                refused.append(_rejection(delivery, place, str(error), error.column))

    match path.suffix.lower():
        case ".csv":
            yield from kept(
                _rows(table, delivery, Delimited(path, table.layout, path.parent.parent), rejected), rejected
            )
        case ".xlsx":
            yield from kept(_cells(table, delivery, Workbook(path, table.layout, table.bounds), rejected), rejected)
        case ".jsonl":
            refused: list[Rejection] = []
            yield from _whole(kept(_objects(table, delivery, path, refused), refused), path.parent)
            rejected += refused
        case suffix:
            raise NotRead(f"{suffix or 'no suffix'} is none of .csv, .xlsx, .jsonl")


def _other_sheets(table: Table, delivery: _Delivery, path: Path) -> list[Unread]:
    """The sheets of a workbook that no table of the source reads; the first of those that do read it tells of them."""
    if path.suffix.lower() != ".xlsx" or table.layout != delivery.layouts[0]:
        return []
    return [
        Unread(f"{delivery.file_name}, sheet {name}", f"it has values, and no table of {table.source} reads it")
        for name in other_sheets(path, {layout.sheet for layout in delivery.layouts})
    ]


def _whole(records: Iterator[str], room: Path) -> Iterator[str]:
    """The records, once all of them are there: whether a JSON file can be read is known at its end."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", dir=room) as spool:
        spool.writelines(f"{record}\n" for record in records)
        spool.seek(0)
        for line in spool:
            yield line.removesuffix("\n")


def _fields(table: Table, delivery: _Delivery, header: list[str]) -> list[str]:
    """The contract's columns as the file names them, once its header is checked."""
    known = {column.field for column in table.columns}
    repeated = [f"column {as_told(name, header, known)} is there {header.count(name)} times" for name in dict.fromkeys(header)
                if name and header.count(name) > 1]  # fmt: skip
    if repeated:
        raise ContractError(f"{delivery.file_name}: {'; '.join(repeated)}")
    table.check_fields({name for name in header if name}, delivery.file_name, header)
    return [column.field for column in table.columns if not column.provenance]


def _rows(
    table: Table, delivery: _Delivery, file: Delimited, rejected: list[Rejection]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of a CSV file with any value: a row of blanks alone is none."""
    header = file.header()
    positions = {name: header.index(name) for name in _fields(table, delivery, header)}
    known = set(positions)
    nameless = [i for i, name in enumerate(header) if not name]
    for place, cells in file.rows():
        if isinstance(cells, str):
            rejected.append(_rejection(delivery, place, cells))
            continue
        for i in nameless:
            if cells[i].strip(BLANKS):
                raise ContractError(f"{delivery.file_name}: column {i + 1} has values and no name")
        record = {name: cells[i] or None for name, i in positions.items()}
        if _is_header(known, record, f"{delivery.file_name}, {place}"):
            rejected.append(_rejection(delivery, place, HEADER_AGAIN))
        elif any(cell.strip(BLANKS) for cell in cells):
            yield place, record


def _cells(
    table: Table, delivery: _Delivery, file: Workbook, rejected: list[Rejection]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of a sheet with any value in the contract's columns: what is left is its blank end."""
    header = file.header()
    fields = _fields(table, delivery, header)
    known = set(fields)
    with duckdb.connect() as connection:
        nameless = [i for i, name in enumerate(header) if not name]
        file.open(connection, sorted([*nameless, *(header.index(name) for name in fields)]))
        connection.execute("create table line as select * from placed")
        for i in nameless:
            if connection.execute(f"select 1 from line where trim(c{i}) <> '' limit 1").fetchone():
                raise ContractError(f"{delivery.file_name}: column {i + 1} has values and no name")
        rejected += [_rejection(delivery, place, reason) for place, reason in file.unread(connection)]
        cells = [f"c{header.index(name)}" for name in fields]
        connection.execute(
            f"select place, {', '.join(cells)} from line where trim(concat({', '.join(cells)})) <> '' order by rowid"
        )
        while rows := connection.fetchmany(ROWS):
            for place, *values in rows:
                record = dict(zip(fields, values, strict=True))
                if _is_header(known, record, f"{delivery.file_name}, {place}"):
                    rejected.append(_rejection(delivery, place, HEADER_AGAIN))
                else:
                    yield place, record


def _is_header(known: set[str], record: dict[str, Any], where: str) -> bool:
    """Whether a row is the header once more, as where files were joined.

    Raises ContractError where its columns are in another order: what follows it cannot be told apart.
    """
    if (next(iter(record.values())) or "").strip(BLANKS) not in known:
        return False
    named = [(value or "").strip(BLANKS) for value in record.values()]
    if named != list(record) and len(set(named)) > 1 and set(named) <= known:
        raise ContractError(f"{where}: a header with its columns in another order")
    return named == list(record)


def _objects(
    table: Table, delivery: _Delivery, path: Path, rejected: list[Rejection]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Objects of a JSON file; a field that an object leaves out is empty, one that the contract lacks is refused."""
    check_content(path)
    fields = {column.field for column in table.columns if not column.provenance}
    with path.open("rb") as file:
        for place, record in json_objects.objects(file):
            if isinstance(record, json_objects.Refused):
                rejected.append(_rejection(delivery, place, record.reason))
                continue
            table.check_fields(record.keys() | fields, f"{delivery.file_name}, {place}")
            yield place, record


def _rejection(delivery: _Delivery, place: str, reason: str, column: str | None = None) -> Rejection:
    identity = {"delivery_id": delivery.delivery_id, "file_name": delivery.file_name, "place": place}
    return Rejection(f"{delivery.file_name}, {place}: {reason}", identity, column)
