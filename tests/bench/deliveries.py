"""The stage of files: survey deliveries, as wide as contractors send them and as narrow as one can be."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import yaml
from psycopg import Connection, sql

from crw import contracts, landing, ledger
from crw.settings import CLOCK
from crw.sources import Batch, Interval, files
from tests.bench.stage import Stage, checks

RESPONDENTS = contracts.table("survey", "respondent")
NIGHT = date(2013, 3, 31)
FAULTY = 1000
"""One row in so many is refused, where rows are."""


@dataclass(frozen=True)
class Shape:
    """What a delivery looks like: a numbered and weighted row a respondent, so many questions, so many columns to ignore."""

    questions: int
    ignored: int
    is_dated: bool

    @property
    def header(self) -> list[str]:
        """The column names, `X...` those that the code book ignores."""
        return [
            "RESP",
            "WEIGHT",
            *(["INTDATE"] if self.is_dated else []),
            *(f"Q{n}" for n in range(self.questions)),
            *(f"X{n}" for n in range(self.ignored)),
        ]


WIDE = Shape(questions=22, ignored=72, is_dated=True)
"""As the public passenger surveys come: 61 to 100 columns, 22 of them questions that are kept, some comments in quotes."""
NARROW = Shape(questions=10, ignored=0, is_dated=False)


def deliver(drop: Path, shape: Shape, rows: int, has_faults: bool = False) -> Path:
    """Put a CSV and its code book into the folder `drop`, and return the CSV's path."""
    drop.mkdir()
    values = random.Random(2013)
    pool = [_cells(shape, number, values, has_faults) for number in range(5 * FAULTY)]
    path = drop / "wave.csv"
    with path.open("w", newline="", encoding="utf-8") as output:
        output.write(",".join(shape.header) + "\r\n")
        for number in range(rows):
            output.write(f"{number},{pool[number % len(pool)]}\r\n")
    (drop / "wave.csv.codebook.yml").write_text(yaml.safe_dump(_code_book(shape)), encoding="utf-8")
    return path


def _cells(shape: Shape, number: int, values: random.Random, has_faults: bool) -> str:
    """A row of the file without its number."""
    is_faulty = has_faults and number % FAULTY == 0
    cells = ["n.a." if is_faulty else f"{values.uniform(0.5, 1.5):.4f}"]
    if shape.is_dated:
        cells.append(f"{1 + number % 28:02}/{1 + number % 12:02}/2012")
    cells += values.choices("1234569", weights=[2, 5, 15, 40, 30, 6, 2], k=shape.questions)
    for column in range(shape.ignored):
        is_comment = column == 0 and number % 12 == 0
        others = ["", "1", "2", "3", "202", "14:30:00", "DELTA", "LOS ANGELES"] if column % 3 else [""]
        cells.append('"a comment, with a comma"' if is_comment else values.choice(others))
    return ",".join(cells)


def _code_book(shape: Shape) -> dict:
    dated = {"interviewed_on": {"column": "INTDATE", "format": "%d/%m/%Y"}} if shape.is_dated else {}
    return {
        "wave": "2012-13",
        "format": "csv",
        "period": {"basis": "fiscal_year", "start": date(2012, 4, 1), "end": date(2013, 3, 31)},
        "respondent": {"id": "RESP", "weight": "WEIGHT", **dated},
        "questions": [
            {"code": f"q{n}", "column": f"Q{n}", "text": f"Question {n}", "scale": "rating", "valid": [1, 2, 3, 4, 5],
             "top": [4, 5], "not_applicable": [6], "blank": [9]}
            for n in range(shape.questions)
        ],
        "ignored": ["X*"],
    }  # fmt: skip


def extract(warehouse: Connection, folder: Path, shape: Shape, rows: int) -> Stage:
    """A CSV through its code book into landing; the floor is the server's own COPY of the same bytes into text columns.

    Ours is a whole load, the file's SHA-256 and the reading of its code book included.
    """
    columns = len(shape.header)
    drop, faulty = folder / f"drop_{rows}_{columns}", folder / f"faulty_{rows}_{columns}"
    path = deliver(drop, shape, rows)
    deliver(faulty, shape, rows, has_faults=True)

    def read(source: Path) -> Batch:
        return files.read(RESPONDENTS, source, Interval(ledger.BEGINNING, datetime.now(CLOCK)), frozenset())

    def land(source: Path) -> None:
        landing.land(warehouse, ledger.start_load(warehouse, RESPONDENTS, NIGHT, "bench"), read(source))

    def read_alone() -> None:
        for section in read(drop).blocks:
            deque(section.blocks, maxlen=0)

    names = ", ".join(f"{name.lower()} text" for name in shape.header)
    return Stage(
        f"extract (CSV, {columns} columns)",
        lambda: land(drop),
        "server-side COPY FROM, same bytes",
        lambda: warehouse.execute(sql.SQL("copy bench_file from {} (format csv, header)").format(str(path))),
        "<= 2",
        prepare_floor=lambda: warehouse.execute(
            f"drop table if exists bench_file; create unlogged table bench_file ({names})"
        ),
        parts={
            "the reader without landing": read_alone,
            f"one row in {FAULTY:,} refused": lambda: land(faulty),
            **checks(warehouse, RESPONDENTS),
        },
    )
