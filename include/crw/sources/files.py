"""The survey drop folder: data files with their code books, each read once however often it is sent.

A delivery is a data file anywhere below the folder and `<data file name>.codebook.yml` beside it. Its id is the SHA-256
of both, so a file sent again, under any name, is the same delivery and a corrected one a new delivery.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath

from crw.contracts import Table
from crw.sources import Batch, Interval, Section, Unread, respondents, scratch
from crw.sources.arrivals import Arrival, NotRead, content, delivery_id, is_due, look, short
from crw.sources.code_book import SUFFIX, CodeBook, parse
from crw.sources.survey_delivery import Delivery

DATA = ("**/*.csv", "**/*.xlsx", "**/*.sav")
"""What a data file is called; its format is what its code book says."""

LONGEST_BOOK = 1 << 22
"""Bytes of a code book."""


def read(table: Table, folder: Path, interval: Interval, published: Collection[str] = ()) -> Batch:
    """The deliveries in `folder` that are due, as rows of one of the tables delivery, question, respondent.

    Args:
        table: contract of the table wanted.
        folder: the drop folder.
        interval: what arrived before its end is due. Its start does not matter: `published` says what is done, so a
            file whose time lies in the past is not lost.
        published: ids of the deliveries that another business date published.

    Returns:
        A batch with every row of the due deliveries, oldest delivery first; an empty one where none is due. A file without a
        code book, and a code book without its file, are told as not read.

    Raises:
        ContractError: a code book is malformed, or columns of file and code book do not match. The message names file, column
            and reason. Nothing of the batch is loaded then.
    """
    batch = Batch("csv" if table.name == "respondent" else "json", ())
    due = _due(table, folder, interval.end, published, batch.unread)
    batch.deliveries = {delivery.delivery_id: delivery.file_name for delivery in due}
    if table.name == "respondent":
        batch.blocks = (_section(table, delivery, batch) for delivery in due)
    else:
        rows = {"delivery": _delivery_rows, "question": _question_rows}[table.name]
        batch.blocks = [_record(table, delivery, row) for delivery in due for row in rows(delivery)]
    return batch


def _section(table: Table, delivery: Delivery, batch: Batch) -> Section:
    section = respondents.read(table, delivery, batch)

    def blocks() -> Iterator[bytes]:
        try:
            yield from section.blocks
        except NotRead as error:
            del batch.deliveries[delivery.delivery_id]
            batch.unread.append(Unread(delivery.file_name, str(error)))

    return Section(section.shared, blocks())


def _due(table: Table, folder: Path, end: datetime, published: Collection[str], unread: list[Unread]) -> list[Delivery]:
    """The deliveries to read, oldest first, each once, their columns as their code books say. Raises ContractError."""
    present = {arrival.path: arrival for arrival in look(folder, DATA, unread)}
    due: dict[str, Delivery] = {}
    with scratch.folder() as room:
        for arrival in present.values():
            try:
                if not _is_data(arrival, present) or not is_due(arrival, end, unread):
                    continue
                written = content(present[_code_book(arrival)], LONGEST_BOOK)
                identity = delivery_id(arrival, table.bounds.bytes, written)
                if identity in published or identity in due:
                    continue
                if len(due) == table.bounds.files:
                    raise NotRead(f"more than {table.bounds.files:,} are due: it comes the next night")
                delivery = Delivery(identity, arrival, written, _parsed(arrival, written, room))
                delivery.check_columns(room, table.bounds)
                due[identity] = delivery
            except NotRead as error:
                unread.append(Unread(arrival.file_name, str(error)))
    return list(due.values())


def _is_data(arrival: Arrival, present: Collection[Path]) -> bool:
    """Whether a file is a data file with its code book beside it. Raises NotRead for half of a delivery."""
    name = arrival.path.name
    if name.endswith(SUFFIX):
        if arrival.path.with_name(name.removesuffix(SUFFIX)) not in present:
            raise NotRead("a code book without its data file")
        return False
    if _code_book(arrival) not in present:
        raise NotRead(f"no code book {PurePosixPath(arrival.file_name).name}{SUFFIX} beside it")
    return True


def _code_book(arrival: Arrival) -> Path:
    return arrival.path.with_name(arrival.path.name + SUFFIX)


def _parsed(arrival: Arrival, written: bytes, room: Path) -> CodeBook:
    copy = room / short(PurePosixPath(arrival.file_name).name + SUFFIX)
    copy.write_bytes(written)
    return parse(copy)


def _delivery_rows(delivery: Delivery) -> Iterator[dict]:
    book = delivery.book
    yield {
        "wave_code": book.wave,
        "file_name": delivery.file_name,
        "encoding": (book.encoding or "utf-8") if book.format == "csv" else None,
        "period_basis": book.period_basis,
        "period_start": book.period_start,
        "period_end": book.period_end,
        "fieldwork_start": book.fieldwork_start,
        "fieldwork_end": book.fieldwork_end,
        "eligible_sample": book.eligible_sample,
    }


def _question_rows(delivery: Delivery) -> Iterator[dict]:
    for number, question in enumerate(delivery.book.questions, start=1):
        yield {
            "question_no": number,
            "question_code": question.code,
            "column_name": question.column,
            "question_text": question.text,
            "scale": question.scale,
            "valid_codes": question.valid,
            "top_codes": question.top,
            "not_applicable_codes": question.not_applicable,
            "blank_codes": question.blank,
        }


def _record(table: Table, delivery: Delivery, row: dict) -> str:
    row = {"delivery_id": delivery.delivery_id, **row, "delivered_at": delivery.delivered_at.isoformat()}
    table.check_fields(set(row), delivery.file_name)
    return json.dumps(row, ensure_ascii=False, default=str)
