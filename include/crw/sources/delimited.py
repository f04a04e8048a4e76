"""CSV as contractors write it, read by DuckDB with explicit types, so that every row is either read or refused by line.

DuckDB gets a clean copy of the file: decoded by Python (it knows big5hkscs), with one kind of line end (DuckDB refuses
a file that mixes them), without the lines up to the header. A byte that does not decode leaves a mark in the copy, and
the mark refuses its row and no other.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from duckdb import DuckDBPyConnection

from crw.contracts import ContractError
from crw.sources.code_book import CodeBook

MARK = "\x01"
"""Stands before what could not be decoded. One byte of UTF-8; no answer contains this control character."""

BLOCK = 1 << 16  # characters; larger ones do not fit into the processor's cache, and take twice the time
BUFFER = 1 << 21
"""What one thread of DuckDB parses at a time, in bytes: no line may be longer. Of its usual 32 MB a file is rarely two."""

UNCLOSED_AT_MOST = 50
"""Each quote that is never closed costs a fresh pass; with more of them the file is not CSV as its code book says."""


def _mark(error: UnicodeDecodeError) -> tuple[str, int]:
    return MARK + "".join(f"\\x{byte:02x}" for byte in error.object[error.start : error.end]), error.end


codecs.register_error("crw.mark", _mark)


class Delimited:
    """One CSV file; `scratch` is a folder for the clean copy."""

    def __init__(self, path: Path, book: CodeBook, scratch: Path):
        self.path, self.book = path, book
        self.copy = scratch / "clean.csv"
        self.first_line = 1
        """Line of the file that is the first of the copy."""
        self.width = 0
        self.positions: list[int] = []
        self.has_marks = self.has_quotes = False

    def header(self) -> list[str]:
        """The column names, without the blanks around them. Raises ContractError when they cannot be found."""
        with self._open() as file:
            return self._read_header(csv.reader(file, delimiter=self.book.delimiter))

    def open(self, connection: DuckDBPyConnection, positions: list[int]) -> None:
        """Make the relation `parsed`: texts c<position> of the columns at `positions`, and `marked` for undecoded bytes.

        It is a view, so that its rows stream: the file is parsed each time that it is read.

        Raises:
            ContractError: so many quotes are never closed that the file cannot be in the dialect its code book names.
        """
        self.positions = positions
        self._write_copy()
        if self.has_quotes:
            self._mend_quotes(connection)
        kept = ", ".join(f"c{i}" for i in positions)
        source = self._source(self.copy, self._columns(), "row")
        connection.execute(f"create view parsed as select {kept}, {self._marked()} as marked from {source}")

    def is_whole(self, connection: DuckDBPyConnection) -> bool:
        """Whether every row could be split into the header's columns, once `parsed` was read through."""
        return connection.execute("select 1 from row_errors limit 1").fetchone() is None

    def place(self, connection: DuckDBPyConnection) -> None:
        """Make the relation `placed`: what `parsed` has, and the place of each row in the file.

        DuckDB alone knows which lines it reads as one row: it reads them again behind their numbers.
        """
        numbered = self.copy.with_name("numbered.csv")
        delimiter = self.book.delimiter
        with self.copy.open("rb") as copy, numbered.open("wb") as file:
            for number, line in enumerate(copy, self.first_line):
                # An empty line is no row, except where there is but one column.
                is_row = line != b"\n" or self.width == 1
                file.write(b"%d%b%b" % (number, delimiter.encode(), line) if is_row else line)
        kept = ", ".join(f"c{i}" for i in self.positions)
        if self.has_quotes:
            # A value of several lines has their numbers in it.
            within = _literal(f"\n[0-9]+{re.escape(delimiter)}")
            kept = ", ".join(f"regexp_replace(c{i}, {within}, chr(10), 'g') as c{i}" for i in self.positions)
        source = self._source(numbered, ["line", *self._columns()], "line")
        connection.execute(
            f"create view placed as select 'line ' || line as place, {kept}, {self._marked()} as marked from {source}"
        )

    def unread(self, connection: DuckDBPyConnection) -> list[tuple[str, str]]:
        """Place and reason of each row that could not be split, once `placed` was read through."""
        refused = connection.execute(
            "select any_value(error_type), max(column_idx), any_value(csv_line) from line_errors "
            "group by line_byte_position order by line_byte_position"
        ).fetchall()
        found = []
        for kind, column, text in refused:
            # DuckDB may count the empty lines before a row to it. The number is a column, too.
            number, _, line = text.lstrip("\n").partition(self.book.delimiter)
            found.append((f"line {number}", self._reason(kind, column - 1, line)))
        return found

    def _open(self) -> TextIO:
        encoding = self.book.encoding or "utf-8"
        if codecs.lookup(encoding).name == "utf-8":
            encoding = "utf-8-sig"  # skips a BOM, does not ask for one
        return self.path.open(encoding=encoding, errors="crw.mark", newline=None)

    def _read_header(self, reader: Iterator[list[str]]) -> list[str]:
        names: list[str] = []
        try:
            for _ in range(self.book.header_row):
                names = next(reader, [])
        except csv.Error as error:
            raise ContractError(f"{self.path.name}: no header in row {self.book.header_row}: {error}") from None
        if not names:
            raise ContractError(f"{self.path.name}: no header in row {self.book.header_row}")
        return [name.strip() for name in names]

    def _write_copy(self) -> None:
        with self._open() as file, self.copy.open("w", encoding="utf-8", newline="") as copy:
            reader = csv.reader(file, delimiter=self.book.delimiter)
            self.width = len(self._read_header(reader))
            self.first_line = reader.line_num + 1
            while text := file.read(BLOCK):
                # PostgreSQL has no text with a NUL in it.
                text = text.replace("\0", MARK + "\\x00")
                self.has_marks = self.has_marks or MARK in text
                self.has_quotes = self.has_quotes or '"' in text
                copy.write(text)

    def _mend_quotes(self, connection: DuckDBPyConnection) -> None:
        """Overwrite each line of the copy that opens a quote and never closes it: such a quote swallows the rows after it."""
        source = self._source(self.copy, self._columns(), "quote")
        for _ in range(UNCLOSED_AT_MOST + 1):
            connection.execute(f"select count(*) from {source}").fetchall()
            swallowing = connection.execute(
                "select line_byte_position - 1 + length(csv_line) - length(ltrim(csv_line, chr(10))) from quote_errors "
                "where error_type = 'UNQUOTED VALUE' and contains(trim(csv_line, chr(10)), chr(10)) order by 1 limit 1"
            ).fetchone()
            connection.execute("drop table quote_errors; drop table quote_scans")
            if swallowing is None:
                return
            self._mark_line(*swallowing)
            self.has_marks = True
        raise ContractError(f"{self.path.name}: more than {UNCLOSED_AT_MOST} quotes are never closed")

    def _columns(self) -> list[str]:
        return [f"c{i}" for i in range(self.width)]

    def _marked(self) -> str:
        """Condition: a value has a mark."""
        marked = " or ".join(f"contains({name}, chr(1))" for name in self._columns())
        return f"coalesce({marked}, false)" if self.has_marks else "false"

    def _source(self, path: Path, columns: list[str], errors: str) -> str:
        """The SQL that reads `path` as these text columns; what it could not read is then in the table <errors>_errors."""
        types = ", ".join(f"'{name}': 'VARCHAR'" for name in columns)
        return (
            f"read_csv({_literal(str(path))}, delim={_literal(self.book.delimiter)}, columns={{{types}}}, auto_detect=false, header=false, "
            f"new_line='\\n', quote='\"', escape='\"', buffer_size={BUFFER}, "
            f"store_rejects=true, rejects_table='{errors}_errors', rejects_scan='{errors}_scans')"
        )

    def _reason(self, kind: str, fields: int, line: str) -> str:
        if not line.strip(MARK):
            return "a quote is opened and never closed"
        if kind == "TOO MANY COLUMNS":
            return f"at least {fields} fields instead of {self.width}"
        if kind == "MISSING COLUMNS":
            return f"fewer than {self.width} fields"
        return f"not CSV: {kind.lower()}"

    def _mark_line(self, start: int) -> None:
        """Overwrite the line of the copy at byte `start` by marks: they make one field, so the row stays refused."""
        with self.copy.open("r+b") as file:
            file.seek(start)
            length = len(file.readline().rstrip(b"\n"))
            file.seek(start)
            file.write(MARK.encode() * length)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
