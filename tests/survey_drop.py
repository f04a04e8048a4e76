"""A survey drop folder for tests: what is delivered into it, and the respondents as they come out."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import defaultdict
from datetime import date, datetime

import yaml

from crw import contracts
from crw.settings import CLOCK
from crw.sources import DELIMITER, Batch, Interval, files

RESPONDENT = contracts.table("survey", "respondent")
NIGHT = Interval(datetime(2011, 2, 9, tzinfo=CLOCK), datetime(2011, 2, 11, tzinfo=CLOCK))
BEFORE = datetime(2011, 2, 10, 18, tzinfo=CLOCK)
BOOK = {
    "wave": "2010",
    "format": "csv",
    "period": {"basis": "calendar_year", "start": date(2010, 1, 1), "end": date(2010, 12, 31)},
    "eligible_sample": 100,
    "respondent": {
        "id": "ID",
        "weight": "WT",
        "interviewed_on": {"column": "DT", "format": "%d/%m/%Y"},
        "language": {"column": "LANG", "codes": {1: "en", 2: "tc"}},
    },
    "questions": [
        {"code": "overall", "column": "Q1", "text": "?", "scale": "rating", "valid": [1, 2, 3], "top": [2, 3]},
        {"code": "counter", "column": "Q2", "text": "?", "scale": "rating", "valid": [1, 2, 3], "top": [2, 3]},
    ],
    "ignored": ["NOTE*"],
}
HEADER = "ID,WT,DT,LANG,Q1,Q2,NOTE"


def deliver(folder, content, name="wave.csv", at=BEFORE, **changes):
    """Put a delivery into the drop folder: bytes as they are, text in UTF-8, anything else already written."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    book = path.with_name(path.name + ".codebook.yml")
    book.write_text(yaml.safe_dump(BOOK | changes), encoding="utf-8")
    for written in (path, book):
        os.utime(written, (at.timestamp(), at.timestamp()))
    return path


def csv_of(*lines, end="\n"):
    """A file of these lines under the header that fits BOOK."""
    return end.join([HEADER, *lines]) + end


GOOD = "1,0.5,05/11/2010,1,3,2,fine"


def respondents(folder, **arguments):
    """The rows read from the folder, and the rejections."""
    batch = files.read(RESPONDENT, folder, NIGHT, **arguments)
    return rows_of(batch), batch.rejected


def rows_of(batch: Batch) -> list[dict]:
    """Every row of a batch as a dict of text in the contract's columns, the answers as a list."""
    rows = []
    for section in batch.blocks:
        sent = [name for name in RESPONDENT.column_names if name not in section.shared]
        text = io.StringIO(b"".join(section.blocks).decode(), newline="")
        rows += [
            section.shared | dict(zip(sent, cells, strict=True)) for cells in csv.reader(text, delimiter=DELIMITER)
        ]
    return [row | {"answers": answers_of(row["answers"])} for row in rows]


def by_question(rows: list[dict], questions: list[dict]) -> list[dict]:
    """The rows with their answers as a dict; `questions` are the records of the table of that name."""
    codes = defaultdict(list)
    for question in questions:
        codes[question["delivery_id"]].append(question["question_code"])
    return [row | {"answers": dict(zip(codes[row["delivery_id"]], row["answers"], strict=True))} for row in rows]


def answers_of(text: str) -> list[str | None]:
    """The elements of the text of an array; None for NULL."""
    elements = re.findall(r'"((?:[^"\\]|\\.)*)"|([^",{}]+)', text, re.DOTALL)
    return [None if bare == "NULL" else bare or re.sub(r"\\(.)", r"\1", quoted) for quoted, bare in elements]
