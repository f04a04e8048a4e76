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
from typing import Any

import duckdb

from crw.contracts import ContractError, Table
from crw.sources import DELIMITER, Batch, Rejection, Section, Unread, respondent_columns, scratch
from crw.sources.delimited import Delimited
from crw.sources.respondent_columns import AT_FAULT, MACROS, MAPPED, Field, literal
from crw.sources.spreadsheet import Spss, Workbook
from crw.sources.survey_delivery import Delivery
from crw.sources.text_file import MARK
from crw.sources.xlsx_package import other_sheets

BLOCK = 1 << 20
MEMORY = "2GB"


def read(table: Table, delivery: Delivery, batch: Batch) -> Section:
    """The respondents of one delivery.

    Every row of the file is in a block or among the batch's rejected by the time the blocks are exhausted, and a sheet that is not
    read among its unread.

    Raises:
        ContractError: while the blocks are read, if the columns are not those that its code book names.
        NotRead: before the first block, if the file was changed, cannot be unpacked, or is not in the format that it should be.
    """
    return Section(_shared(delivery), _blocks(table, delivery, batch))


def _blocks(table: Table, delivery: Delivery, batch: Batch) -> Iterator[bytes]:
    with scratch.folder() as room, delivery.opened(room, table.bounds) as file:
        header = file.header()
        position = {name: header.index(name) for name in delivery.book.columns}
        cell = {name: f"c{i}" for name, i in position.items()}
        fields = respondent_columns.of(delivery.book, cell)
        problems = respondent_columns.problems(fields, cell, header)
        table.check_fields(fields.keys() | _shared(delivery).keys(), delivery.file_name)
        # A wide file of text takes several times its size in memory: beyond the limit it goes to disk.
        with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(room)}) as connection:
            connection.execute(MACROS)
            file.open(connection, sorted(set(position.values())))
            sent = [name for name in table.column_names if name in fields]
            refused = yield from _without_refused(_csv(connection, _masked(fields, problems, sent)), len(sent))
            if not file.is_whole(connection) or refused:
                batch.rejected += _refused(connection, delivery, file, fields, problems, refused)
        if isinstance(file, Workbook):
            batch.unread += [
                Unread(f"{delivery.file_name}, sheet {name}", "it has values, and its code book names another sheet")
                for name in other_sheets(file.path, {delivery.book.sheet})
            ]


def _typed(relation: str, fields: dict[str, Field], problems: dict[str, str]) -> str:
    """The relation with the columns of the contract, and `problem`: the name of the first of the problems that a row has."""
    values = ", ".join(f"{field.value} as {name}" for name, field in fields.items())
    cases = " ".join(f"when {condition} then {literal(name)}" for name, condition in problems.items())
    # Each value is computed once: DuckDB shares no expression with the branch of a CASE.
    return f"select *, case {cases} end as problem from (select *, {values} from {relation})"


def _masked(fields: dict[str, Field], problems: dict[str, str], sent: list[str]) -> str:
    """The rows as they are sent, a refused one as a mark and nothing else."""
    first, *others = sent
    masked = [f"case when problem is null then {name} end" for name in others]
    masked = [f"case when problem is null then {first} else chr({ord(MARK)}) end", *masked]
    return f"select {', '.join(masked)} from ({_typed('parsed', fields, problems)})"


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
    fields: dict[str, Field],
    problems: dict[str, str],
    expected: int,
) -> list[Rejection]:
    """The rows that could not be read, and those with a problem: in the contract's columns, that with the problem as in the file.

    Raises:
        ContractError: those with a problem are not as many as the reading before had, or a row shows that all below it have
            their columns in another order.
    """
    file.place(connection)
    pairs = ", ".join(f"cast({name} as varchar), cast({field.raw} as varchar)" for name, field in fields.items())
    rows = connection.execute(
        f"select place, problem, {pairs} from ({_typed('placed', fields, problems)}) where problem is not null"
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
        if problem == "columns":
            raise ContractError(f"{where}: {AT_FAULT[problem]}: what follows it cannot be told apart")
        if problem in AT_FAULT:
            # The marks go; the bytes that were not decoded stay, as backslash codes.
            record = {name: value and value.replace(MARK, "") for name, value in record.items()}
            reason = f"{where}: {AT_FAULT[problem]}".format(encoding=delivery.book.encoding or "utf-8")
            rejected.append(Rejection(reason, record, problem if problem in fields else None))
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
