"""One survey file into respondent rows typed as the contract says, by one SQL statement in DuckDB.

Whatever its format, the file arrives as the table `parsed` of text columns. A row whose values have their types goes
out as PostgreSQL CSV; any other is a Rejection with the row in the contract's columns, to be mended and replayed.
Columns the contract does not keep stay in the file.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from crw.contracts import Table
from crw.sources import Rejection, Section
from crw.sources.code_book import CodeBook, Coded
from crw.sources.delimited import MARK, Delimited
from crw.sources.spreadsheet import Spss, Workbook

BLOCK = 1 << 20
MEMORY = "2GB"
MAPPED = ("segment", "language", "district_code")

# The tests for plain ASCII come first: translate() is slow, and hardly a cell needs it.
MACROS = r"""
create macro clean(value) as case
    when regexp_full_match(value, '[!-~]+') then value
    else nullif(trim(translate(value, '０１２３４５６７８９．－／', '0123456789.-/'),
                     ' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(12288)), '') end;
create macro code(value) as case
    when length(value) = 1 and value between '0' and '9' then value
    when contains(value, '.') or contains(value, '．') then regexp_replace(clean(value), '^(-?[0-9]+)\.0+$', '\1')
    else clean(value) end;
create macro element(value) as case
    when length(value) = 1 and value between '0' and '9' then value
    else coalesce('"' || replace(replace(code(value), '\', '\\'), '"', '\"') || '"', 'NULL') end;
create macro is_number(value) as regexp_full_match(value, '[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?');
"""


@dataclass(frozen=True)
class Delivery:
    """A data file with its code book, as found in the drop folder."""

    delivery_id: str
    path: Path
    file_name: str
    """Path within the drop folder."""
    delivered_at: datetime
    book: CodeBook


@dataclass(frozen=True)
class _Field:
    """How a column of the contract comes out of `parsed`, in SQL."""

    value: str
    raw: str = "null"
    """What the file says, shown where the value cannot be made."""
    problem: str | None = None
    """Condition under which it cannot."""
    complaint: str = ""
    """What is then wrong, for people."""


def check_columns(delivery: Delivery) -> None:
    """Compare the file's header with its code book. Raises ContractError naming file, column and reason."""
    delivery.book.check_header(_file(delivery, Path()).header(), delivery.file_name)


def read(table: Table, delivery: Delivery, rejected: list[Rejection]) -> Section:
    """The respondents of one delivery.

    Every row of the file is in a block or is appended to `rejected` by the time the blocks are exhausted.

    Raises:
        ContractError: while the blocks are read, if the file is not in the format its code book names.
    """
    return Section(_shared(delivery), _blocks(table, delivery, rejected))


def _blocks(table: Table, delivery: Delivery, rejected: list[Rejection]) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="crw-survey-") as scratch:
        file = _file(delivery, Path(scratch))
        header = file.header()
        position = {name: header.index(name) for name in delivery.book.columns}
        # A wide file of text takes several times its size in memory: beyond the limit it goes to disk.
        with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": scratch}) as connection:
            connection.execute(MACROS)
            rejected += [
                Rejection(f"{delivery.file_name}, {place}: {reason}", {**_identity(delivery), "place": place})
                for place, reason in file.load(connection, sorted(set(position.values())))
            ]
            fields = _fields(delivery, {name: f"c{i}" for name, i in position.items()})
            table.check_fields(fields.keys() | _shared(delivery).keys(), delivery.file_name)
            rejected += _take_refused(connection, delivery, file, fields)
            values = ", ".join(fields[name].value for name in table.column_names if name in fields)
            yield from _csv(connection, f"select {values} from parsed")


def _csv(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[bytes]:
    """The rows of `query` as PostgreSQL CSV, through a pipe, so that DuckDB writes while the reader loads."""
    reading, writing = os.pipe()

    def write() -> None:
        try:
            connection.execute(f"copy ({query}) to '/dev/fd/{writing}' (format csv, header false, use_tmp_file false)")
        finally:
            os.close(writing)

    with ThreadPoolExecutor(max_workers=1) as thread:
        with os.fdopen(reading, "rb") as blocks:
            writer = thread.submit(write)
            while block := blocks.read(BLOCK):
                yield block
        writer.result()


def _file(delivery: Delivery, scratch: Path) -> Delimited | Workbook | Spss:
    match delivery.book.format:
        case "csv":
            return Delimited(delivery.path, delivery.book, scratch)
        case "xlsx":
            return Workbook(delivery.path, delivery.book)
        case "sav":
            return Spss(delivery.path, delivery.book)


def _identity(delivery: Delivery) -> dict[str, Any]:
    return {"delivery_id": delivery.delivery_id, "delivered_at": delivery.delivered_at.isoformat()}


def _take_refused(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    file: Delimited | Workbook | Spss,
    fields: dict[str, _Field],
) -> list[Rejection]:
    """Take the rows that have a problem out of `parsed`: in the contract's columns, that with the problem as in the file."""
    cases = [f"when {f.problem} then {_literal(name)}" for name, f in fields.items() if f.problem]
    pairs = ", ".join(f"cast({f.value} as varchar), cast({f.raw} as varchar)" for f in fields.values())
    (found,) = connection.execute(
        f"create table refused as select * from (select rowid as row_id, case when marked then 'bytes' {' '.join(cases)} "
        "end as problem from parsed) where problem is not null"
    ).fetchone()
    if not found:
        return []
    rows = connection.execute(
        f"select row_id, problem, {pairs} from refused join parsed on parsed.rowid = row_id order by row_id"
    ).fetchall()
    places = file.places([row[0] for row in rows])
    connection.execute("delete from parsed where rowid in (select row_id from refused)")
    rejected = []
    for (_, problem, *pairs), place in zip(rows, places, strict=True):
        cells = dict(zip(fields, zip(pairs[::2], pairs[1::2], strict=True), strict=True))
        record = {name: raw if name == problem else value for name, (value, raw) in cells.items()}
        record |= _shared(delivery)
        where = f"{delivery.file_name}, {place}"
        if problem == "bytes":
            # The marks go; the bytes that were not decoded stay, as backslash codes.
            record = {name: value and value.replace(MARK, "") for name, value in record.items()}
            rejected.append(Rejection(f"{where}: bytes that are not {delivery.book.encoding or 'utf-8'}", record))
        else:
            reason = f"{where}: {fields[problem].complaint}: {record[problem]!r}"
            rejected.append(Rejection(reason, record, problem, record[problem]))
    return rejected


def _shared(delivery: Delivery) -> dict[str, str | None]:
    """The columns of the contract that are the same on every row of the file."""
    who = delivery.book.respondent
    shared = dict.fromkeys(name for name in ("interviewed_on", *MAPPED) if getattr(who, name) is None)
    if who.weight is None:
        shared["weight"] = "1"
    if who.complete is None:
        shared["is_complete"] = "true"
    if who.company_id is None:
        shared["consented_company_id"] = None
    return shared | {
        "delivery_id": delivery.delivery_id,
        "is_weighted": "true" if who.weight else "false",
        "delivered_at": delivery.delivered_at.isoformat(),
    }


def _fields(delivery: Delivery, cell: dict[str, str]) -> dict[str, _Field]:
    """Each other column of the contract; `cell` names the column of `parsed` that holds a column of the file."""
    who = delivery.book.respondent
    identifier = " || '-' || ".join(f"code({cell[name]})" for name in who.id)
    answers = ", ".join(f"element({cell[q.column]})" for q in delivery.book.questions)
    fields = {
        "respondent_id": _Field(
            identifier, "null", f"{identifier} is null", f"{' and '.join(who.id)} must name the respondent"
        ),
        "answers": _Field(f"'{{' || concat_ws(',', {answers}) || '}}'"),
    }
    if who.weight:
        fields["weight"] = _weight(who.weight, cell)
    if who.complete:
        fields["is_complete"] = _Field(_has_code(who.complete, cell))
    if who.company_id:
        has_consented = _has_code(who.consent, cell)
        fields["consented_company_id"] = _Field(f"case when {has_consented} then clean({cell[who.company_id]}) end")
    if who.interviewed_on:
        fields["interviewed_on"] = _interviewed_on(who.interviewed_on, cell)
    return fields | {name: _mapped(coded, cell) for name in MAPPED if (coded := getattr(who, name))}


def _weight(column: str, cell: dict[str, str]) -> _Field:
    value = f"clean({cell[column]})"
    return _Field(value, cell[column], f"not coalesce(is_number({value}), false)", f"{column} is not a number")


def _has_code(coded: Coded, cell: dict[str, str]) -> str:
    """Condition that the column holds one of the codes."""
    return f"coalesce(code({cell[coded.column]}) in ({', '.join(map(_literal, coded.codes))}), false)"


def _interviewed_on(coded: Coded, cell: dict[str, str]) -> _Field:
    if coded.codes is not None:
        return _mapped(coded, cell)
    text = f"clean({cell[coded.column]})"
    day = f"cast(try_strptime({text}, [{', '.join(map(_literal, coded.formats))}]) as date)"
    # A year of two digits read as %Y is no year of ours.
    problem = f"{text} is not null and coalesce({day} < date '1900-01-01', true)"
    return _Field(
        day, cell[coded.column], problem, f"{coded.column} is not a date written as {' or '.join(coded.formats)}"
    )


def _mapped(coded: Coded, cell: dict[str, str]) -> _Field:
    if coded.codes is None:
        return _Field(f"clean({cell[coded.column]})")
    code = f"code({cell[coded.column]})"
    cases = " ".join(f"when {_literal(key)} then {_literal(value)}" for key, value in coded.codes.items())
    problem = f"{code} not in ({', '.join(map(_literal, coded.codes))})"
    return _Field(
        f"case {code} {cases} end", cell[coded.column], problem, f"{coded.column} has a code the code book lacks"
    )


def _literal(value: Any) -> str:
    """A value of a code book as SQL text."""
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"
