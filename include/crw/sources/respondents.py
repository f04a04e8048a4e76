"""One survey file into respondent rows typed as the contract says, by one SQL statement in DuckDB.

Whatever its format, the file arrives as the relation `parsed` of text columns. A row whose values have their types
streams out as PostgreSQL CSV while the file is read; any other leaves a mark in the stream, and where there are marks the
file is read again for them: each is a Rejection with the row in the contract's columns, to be mended and replayed.
Columns the contract does not keep stay in the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import duckdb

from crw.contracts import ContractError, Table
from crw.sources import DELIMITER, Rejection, Section, scratch
from crw.sources.code_book import Coded
from crw.sources.delimited import MARK, Delimited
from crw.sources.spreadsheet import Spss, Workbook
from crw.sources.survey_delivery import Delivery

BLOCK = 1 << 20
MEMORY = "2GB"
MAPPED = ("segment", "language", "district_code")

# The tests for plain text come first: translate() is slow, and hardly a cell needs it.
MACROS = r"""
create macro clean(value) as case
    when regexp_full_match(value, '[!-~]+') then value
    else nullif(trim(translate(value, '０１２３４５６７８９．－／', '0123456789.-/'),
                     ' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(12288)), '') end;
create macro code(value) as case
    when regexp_full_match(value, '[0-9A-Za-z]+') then value
    when contains(value, '.') or contains(value, '．') then regexp_replace(clean(value), '^(-?[0-9]+)\.0+$', '\1')
    else clean(value) end;
create macro element(value) as coalesce('"' || replace(replace(code(value), '\', '\\'), '"', '\"') || '"', 'NULL');
create macro is_number(value) as regexp_full_match(value, '[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?');
"""


@dataclass(frozen=True)
class _Field:
    """How a column of the contract comes out of `parsed`, in SQL."""

    value: str
    raw: str = "null"
    """What the file says, shown where the value cannot be made."""
    problem: str | None = None
    """Condition under which it cannot, in terms of the value, by the column's name, and of `parsed`."""
    complaint: str = ""
    """What is then wrong, for people."""


def read(table: Table, delivery: Delivery, rejected: list[Rejection]) -> Section:
    """The respondents of one delivery.

    Every row of the file is in a block or is appended to `rejected` by the time the blocks are exhausted.

    Raises:
        ContractError: while the blocks are read, if the file is not in the format its code book names.
        NotRead: before the first block, if the file was changed or cannot be unpacked.
    """
    return Section(_shared(delivery), _blocks(table, delivery, rejected))


def _blocks(table: Table, delivery: Delivery, rejected: list[Rejection]) -> Iterator[bytes]:
    with scratch.folder() as room, delivery.opened(room, table.bounds.bytes) as file:
        header = file.header()
        position = {name: header.index(name) for name in delivery.book.columns}
        fields = _fields(delivery, {name: f"c{i}" for name, i in position.items()})
        table.check_fields(fields.keys() | _shared(delivery).keys(), delivery.file_name)
        # A wide file of text takes several times its size in memory: beyond the limit it goes to disk.
        with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(room)}) as connection:
            connection.execute(MACROS)
            file.open(connection, sorted(set(position.values())))
            sent = [name for name in table.column_names if name in fields]
            refused = yield from _without_refused(_csv(connection, _masked(fields, sent)), len(sent))
            if not file.is_whole(connection) or refused:
                rejected += _refused(connection, delivery, file, fields, refused)


def _typed(relation: str, fields: dict[str, _Field]) -> str:
    """The relation with the columns of the contract, and `problem`: the column whose value cannot be made, or `bytes`."""
    values = ", ".join(f"{field.value} as {name}" for name, field in fields.items())
    cases = [f"when {field.problem} then {_literal(name)}" for name, field in fields.items() if field.problem]
    # Each value is computed once: DuckDB shares no expression with the branch of a CASE.
    return f"select *, case when marked then 'bytes' {' '.join(cases)} end as problem from (select *, {values} from {relation})"


def _masked(fields: dict[str, _Field], sent: list[str]) -> str:
    """The rows as they are sent, a refused one as a mark and nothing else."""
    first, *others = sent
    masked = [f"case when problem is null then {name} end" for name in others]
    masked = [f"case when problem is null then {first} else chr({ord(MARK)}) end", *masked]
    return f"select {', '.join(masked)} from ({_typed('parsed', fields)})"


def _without_refused(blocks: Iterator[bytes], columns: int) -> Generator[bytes, None, int]:
    """The blocks without the lines that are a mark and nothing else. Returns how many those were."""
    mark, refused, rest = MARK.encode(), 0, b""
    line = re.compile(b"^%b%b\n" % (mark, DELIMITER.encode() * (columns - 1)), re.MULTILINE)
    for block in blocks:
        lines, end, rest = (rest + block).rpartition(b"\n")
        lines += end
        if mark in lines:
            lines, found = line.subn(b"", lines)
            refused += found
        yield lines
    yield rest
    return refused


def _csv(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[bytes]:
    """The rows of `query` as PostgreSQL CSV, through a pipe, so that DuckDB writes while the reader loads."""
    reading, writing = os.pipe()
    options = f"format csv, header false, delimiter '{DELIMITER}', use_tmp_file false"

    def write() -> None:
        try:
            connection.execute(f"copy ({query}) to '/dev/fd/{writing}' ({options})")
        finally:
            os.close(writing)

    with ThreadPoolExecutor(max_workers=1) as thread:
        with os.fdopen(reading, "rb") as blocks:
            writer = thread.submit(write)
            while block := blocks.read(BLOCK):
                yield block
        writer.result()


def _identity(delivery: Delivery) -> dict[str, Any]:
    return {"delivery_id": delivery.delivery_id, "delivered_at": delivery.delivered_at.isoformat()}


def _refused(
    connection: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    file: Delimited | Workbook | Spss,
    fields: dict[str, _Field],
    expected: int,
) -> list[Rejection]:
    """The rows that could not be read, and those with a problem: in the contract's columns, that with the problem as in the file.

    Raises:
        ContractError: those with a problem are not as many as the reading before had.
    """
    file.place(connection)
    pairs = ", ".join(f"cast({name} as varchar), cast({field.raw} as varchar)" for name, field in fields.items())
    rows = connection.execute(
        f"select place, problem, {pairs} from ({_typed('placed', fields)}) where problem is not null"
    ).fetchall()
    if len(rows) != expected:
        raise ContractError(f"{delivery.file_name}: {expected} rows to refuse, but {len(rows)} when read again")
    rejected = [
        Rejection(f"{delivery.file_name}, {place}: {reason}", {**_identity(delivery), "place": place})
        for place, reason in file.unread(connection)
    ]
    for place, problem, *pairs in rows:
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
    fields = {
        "respondent_id": _Field(
            identifier, "null", "respondent_id is null", f"{' and '.join(who.id)} must name the respondent"
        ),
        "answers": _Field(_array([cell[q.column] for q in delivery.book.questions])),
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


def _array(cells: list[str]) -> str:
    """The text of PostgreSQL's array of the codes in `cells`."""
    joined = "concat(" + ", ',', ".join(cells) + ")"
    # Nearly all rows are numbers alone: one test for all cells. It counts them, for a cell may hold a comma.
    numbers = ",".join(["[0-9]+"] * len(cells))
    elements = ", ".join(f"element({name})" for name in cells)
    return (
        f"case when regexp_full_match({joined}, '{numbers}') then concat('{{', {joined}, '}}') "
        f"else '{{' || concat_ws(',', {elements}) || '}}' end"
    )


def _weight(column: str, cell: dict[str, str]) -> _Field:
    problem = "not coalesce(is_number(weight), false)"
    return _Field(f"clean({cell[column]})", cell[column], problem, f"{column} is not a number")


def _has_code(coded: Coded, cell: dict[str, str]) -> str:
    """Condition that the column holds one of the codes."""
    return f"coalesce(code({cell[coded.column]}) in ({', '.join(map(_literal, coded.codes))}), false)"


def _interviewed_on(coded: Coded, cell: dict[str, str]) -> _Field:
    if coded.codes is not None:
        return _mapped(coded, cell)
    text = f"clean({cell[coded.column]})"
    day = f"cast(try_strptime({text}, [{', '.join(map(_literal, coded.formats))}]) as date)"
    # A year of two digits read as %Y is no year of ours.
    problem = f"{text} is not null and coalesce(interviewed_on < date '1900-01-01', true)"
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
