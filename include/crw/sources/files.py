"""The survey drop folder: data files with their code books, each read once however often it is sent.

A delivery is a data file anywhere below the folder and `<data file name>.codebook.yml` beside it. Its id is the SHA-256
of both, so a file sent again, under any name, is the same delivery and a corrected one a new delivery.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from crw.contracts import ContractError, Table
from crw.sources import Batch, Interval, Rejection, respondents
from crw.sources.arrivals import arrival, arrived, delivery_id
from crw.sources.code_book import SUFFIX, parse
from crw.sources.respondents import Delivery


def read(table: Table, folder: Path, interval: Interval, published: Iterable[str] = ()) -> Batch:
    """The deliveries in `folder` that are due, as rows of one of the tables delivery, question, respondent.

    Args:
        table: contract of the table wanted.
        folder: the drop folder; files below it whose name starts with a dot are not deliveries.
        interval: what arrived before its end is due. Its start does not matter: `published` says what is done, so a
            file whose time lies in the past is not lost.
        published: ids of the deliveries that another business date published.

    Returns:
        A batch with every row of the due deliveries, oldest delivery first; an empty one where none is due.

    Raises:
        ContractError: a file has no code book or a code book no file, a code book is malformed, or columns of file and
            code book do not match. The message names file, column and reason. Nothing of the batch is loaded then.
    """
    due = _due(folder, interval.end, frozenset(published))
    for delivery in due:
        respondents.check_columns(table, delivery)
    files = {delivery.delivery_id: delivery.file_name for delivery in due}
    if table.name == "respondent":
        rejected: list[Rejection] = []
        sections = (respondents.read(table, delivery, rejected) for delivery in due)
        return Batch("csv", sections, rejected, files)
    rows = {"delivery": _delivery_rows, "question": _question_rows}[table.name]
    return Batch(
        "json", [_record(table, delivery, row) for delivery in due for row in rows(delivery)], deliveries=files
    )


def _due(folder: Path, end: datetime, published: frozenset[str]) -> list[Delivery]:
    """The deliveries to read, oldest first, each once. Raises ContractError."""
    due: dict[str, Delivery] = {}
    for path in arrived(folder, end):
        if path.name.endswith(SUFFIX):
            if not path.with_name(path.name.removesuffix(SUFFIX)).is_file():
                raise ContractError(f"{path.relative_to(folder)}: a code book without its data file")
            continue
        code_book = path.with_name(path.name + SUFFIX)
        if not code_book.is_file():
            raise ContractError(f"{path.relative_to(folder)}: no code book {code_book.name} beside it")
        identity = delivery_id(path, code_book)
        if identity not in published and identity not in due:
            name = path.relative_to(folder).as_posix()
            due[identity] = Delivery(identity, path, name, arrival(path), parse(code_book))
    return list(due.values())


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
