"""CSV as contractors write it, read by DuckDB with explicit types, so that every row is either read or refused by line.

DuckDB gets a clean copy of the file, a line a row: decoded by Python (it knows big5hkscs), without the lines up to the header,
without quotes, its columns apart by a control character, a line break within a value replaced by another. So no row can
tear another with it, wherever DuckDB begins to read: given quotes, its parallel reader guesses whether it begins within one,
and loses rows where it guesses wrong. A byte that does not decode leaves a mark in the copy, and the mark refuses its row and
no other.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TextIO

from duckdb import DuckDBPyConnection

from crw.contracts import ContractError
from crw.sources import BLANKS
from crw.sources.code_book import CodeBook
from crw.sources.quotes import extent as extent_of
from crw.sources.text_file import MARK, check_encoding, open_marked

SEPARATOR = "\x1f"
"""Between the columns of the copy."""
FOLD = "\x02"
"""For a line break within a value."""
RESERVED = {character: f"{MARK}\\x{ord(character):02x}" for character in ("\0", SEPARATOR, FOLD)}
"""How what the copy keeps for itself, and PostgreSQL's texts cannot hold, stands in the copy: as what could not be decoded."""

BLOCK = 1 << 16  # characters; larger ones do not fit into the processor's cache, and take twice the time
LONGEST = 500_000
"""Characters of a row: four bytes each fit into the buffer."""
BUFFER = 1 << 21
"""What one thread of DuckDB parses at a time, in bytes: no line may be longer. Of its usual 32 MB a file is rarely two."""

FAULT = f"{MARK}!"
"""Stands in the copy for a row that is none, before the reason."""
UNCLOSED, OVERLONG = "a quote is opened and never closed", f"more than {LONGEST:,} characters"

csv.field_size_limit(LONGEST)


class Delimited:
    """One CSV file; `scratch` is a folder for the clean copy."""

    def __init__(self, path: Path, book: CodeBook, scratch: Path):
        self.path, self.book = path, book
        self.copy = scratch / "clean.csv"
        self.first_line = 1
        """Line of the file that is the first of the copy."""
        self.width = 0
        self.positions: list[int] = []
        self.has_marks = self.has_folds = False
        self.missing = 0
        """How many rows could not be split into the header's columns."""

    def header(self) -> list[str]:
        """The column names, without the blanks around them. Raises ContractError when they cannot be found."""
        check_encoding(self.path, self.book.encoding)
        with open_marked(self.path, self.book.encoding) as file:
            return self._read_header(file)

    def rows(self) -> Iterator[tuple[str, list[str] | str]]:
        """Place of each row, and its cells, or why it cannot be read: one at a time, without DuckDB and without a copy."""
        number = 0
        for text in self._texts():
            number = number or self.first_line
            for row in text.removesuffix("\n").split("\n"):
                # An empty line is no row, except where there is but one column.
                if row or self.width == 1:
                    yield f"line {number}", self._cells(row)
                number += 1 + row.count(FOLD)

    def _cells(self, row: str) -> list[str] | str:
        if row.startswith(FAULT):
            return row.rstrip(FOLD).removeprefix(FAULT)
        cells = row.split(SEPARATOR)
        if len(cells) != self.width:
            return self._reason("MISSING COLUMNS" if len(cells) < self.width else "TOO MANY COLUMNS", len(cells))
        if MARK in row:
            return f"bytes that are not {self.book.encoding or 'utf-8'}"
        return [cell.replace(FOLD, "\n") for cell in cells] if FOLD in row else cells

    def open(self, connection: DuckDBPyConnection, positions: list[int]) -> None:
        """Make the relation `parsed`: texts c<position> of the columns at `positions`, and `marked` for undecoded bytes.

        It is a view, so that its rows stream: the file is parsed each time that it is read.
        """
        self.positions = positions
        self._write_copy()
        source = self._source(self.copy, self._columns(), "row")
        connection.execute(f"create view parsed as select {self._kept()} from {source}")

    def is_whole(self, connection: DuckDBPyConnection) -> bool:
        """Whether every row could be split into the header's columns, once `parsed` was read through."""
        (self.missing,) = connection.execute("select count(distinct line_byte_position) from row_errors").fetchone()
        return not self.missing

    def place(self, connection: DuckDBPyConnection) -> None:
        """Make the relation `placed`: what `parsed` has, and the place of each row in the file."""
        numbered = self.copy.with_name("numbered.csv")
        number, separator, fold = self.first_line, SEPARATOR.encode(), FOLD.encode()
        with self.copy.open("rb") as copy, numbered.open("wb") as file:
            for line in copy:
                # An empty line is no row, except where there is but one column.
                if line != b"\n" or self.width == 1:
                    file.write(b"%d%b%b" % (number, separator, line))
                number += 1 + line.count(fold)
        source = self._source(numbered, ["line", *self._columns()], "line")
        connection.execute(f"create view placed as select 'line ' || line as place, {self._kept()} from {source}")

    def unread(self, connection: DuckDBPyConnection) -> list[tuple[str, str]]:
        """Place and reason of each row that could not be split, once `placed` was read through.

        Raises:
            ContractError: they are not as many as `parsed` had, if that was read through.
        """
        refused = connection.execute(
            "select any_value(error_type), max(column_idx), any_value(csv_line) from line_errors "
            "group by line_byte_position order by line_byte_position"
        ).fetchall()
        if self.missing and len(refused) != self.missing:
            raise ContractError(
                f"{self.path.name}: {self.missing} rows that cannot be split, but {len(refused)} when read again"
            )
        found = []
        for kind, column, text in refused:
            number, _, row = text.partition(SEPARATOR)
            if not number.isdigit():
                raise ContractError(f"{self.path.name}: a row that cannot be split is read without its line's number")
            # The number is a column, too.
            is_fault, reason = row.startswith(FAULT), row.rstrip(FOLD).removeprefix(FAULT)
            found.append((f"line {number}", reason if is_fault else self._reason(kind, column - 1)))
        return found

    def _read_header(self, file: TextIO) -> list[str]:
        """The column names; what the file gives next is its first row."""
        lines = self._counted(file)
        above = csv.reader(lines, delimiter=self.book.delimiter)
        rows = csv.reader(lines, delimiter=self.book.delimiter, strict=True)
        header, first = self.book.header_row, self.book.first_row or self.book.header_row + 1
        try:
            for _ in range(1, header):
                next(above, None)
            names = next(rows, [])
            for _ in range(header + 1, first):
                next(rows, None)
        except csv.Error as error:
            raise ContractError(f"{self.path.name}: no header in row {header}: {_told(error)}") from None
        if not any(names):
            raise ContractError(f"{self.path.name}: no header in row {header}")
        return [name.strip(BLANKS) for name in names]

    def _counted(self, file: TextIO) -> Iterator[str]:
        """The lines of the file; `first_line` is the number of the one after them."""
        # Not by the file's own iterator, after which it tells no position.
        self.first_line = 1
        for line in iter(partial(self._line, file), ""):
            self.first_line += 1
            yield _clean(line)

    def _line(self, file: TextIO) -> str:
        """The next line, as it stands; of one that is far too long, then only what shows where it ends."""
        line = file.readline(LONGEST + 1)
        while len(line) > LONGEST and line[-1] != "\n" and (more := file.readline(LONGEST)):
            line += re.sub(rf'[^"\n{re.escape(self.book.delimiter)}]+', "x", more)
        return line

    def _write_copy(self) -> None:
        with self.copy.open("w", encoding="utf-8", newline="") as copy:
            for text in self._texts():
                self.has_marks = self.has_marks or MARK in text
                self.has_folds = self.has_folds or FOLD in text
                copy.write(text)

    def _texts(self) -> Iterator[str]:
        """The rows below the header, each a line, as the copy has them."""
        with open_marked(self.path, self.book.encoding) as file:
            self.width = len(self._read_header(file))
            separator = self.book.delimiter
            nothing = re.compile(f"^[{re.escape(separator + BLANKS).replace(chr(10), '')}]+$", re.MULTILINE)
            while text := file.read(BLOCK):
                text = _clean(text + self._line(file))
                if '"' in text or len(text) > LONGEST:
                    text = "".join(self._unquoted(text, file))
                else:
                    # Most often no line begins as a row of nothing would, which is told in no time.
                    if text.startswith((separator, " ")) or f"\n{separator}" in text or "\n " in text:
                        text = nothing.sub("", text)
                    text = text.replace(separator, SEPARATOR)
                yield text

    def _unquoted(self, text: str, file: TextIO) -> Iterator[str]:
        """The rows of `text`, each a line of the copy; the last one takes from the file what it needs to its end."""
        lines = deque(io.StringIO(text))
        while lines:
            line = lines.popleft()
            if '"' not in line:
                row = line.rstrip("\n").replace(self.book.delimiter, SEPARATOR)
            else:
                taken = [line]
                taking = self._taking(taken, lines, file)
                try:
                    row = SEPARATOR.join(next(csv.reader(taking, delimiter=self.book.delimiter, strict=True)))
                except csv.Error as error:
                    lines.extendleft(reversed(taken[1:]))
                    row = self._faulty(line, lines, file, _told(error), len(taken) == 1)
                row = row.replace("\n", FOLD)
            if len(row) > LONGEST:
                row = FAULT + OVERLONG + FOLD * row.count(FOLD)
            yield (row if row.strip(SEPARATOR + BLANKS) else "") + "\n"

    def _faulty(self, line: str, lines: deque[str], file: TextIO, reason: str, is_at_once: bool) -> str:
        """What stands in the copy for a row with a fault in its quotes, after the lines that are its own are taken.

        Its own are those up to the quote that closes it. Where one is never closed that is its first line alone: what it would
        swallow are rows.
        """
        extent = extent_of(chain([line], lines), self.book.delimiter)
        if extent is None:
            position = file.tell()
            extent = extent_of(chain([line], lines, iter(partial(self._line, file), "")), self.book.delimiter)
            file.seek(position)
        if not extent and (reason == OVERLONG or not is_at_once):
            reason = UNCLOSED
        others = max(extent or 0, 1) - 1
        for _ in range(others):
            if lines:
                lines.popleft()
            else:
                self._line(file)
        return FAULT + reason + others * "\n"

    def _taking(self, taken: list[str], lines: deque[str], file: TextIO) -> Iterator[str]:
        """The line in `taken`, and those after it, from `lines` and then the file; `taken` is all that were asked for."""
        yield taken[0]
        while line := lines.popleft() if lines else _clean(self._line(file)):
            taken.append(line)
            yield line

    def _kept(self) -> str:
        """The columns of `parsed`, in SQL."""
        unfolded = "replace(c{0}, chr(2), chr(10)) as c{0}" if self.has_folds else "c{0}"
        marked = " or ".join(f"contains({name}, chr(1))" for name in self._columns()) if self.has_marks else "false"
        return ", ".join([*map(unfolded.format, self.positions), f"coalesce({marked}, false) as marked"])

    def _columns(self) -> list[str]:
        return [f"c{i}" for i in range(self.width)]

    def _source(self, path: Path, columns: list[str], errors: str) -> str:
        """The SQL that reads `path` as these text columns; what it could not read is then in the table <errors>_errors."""
        types = ", ".join(f"'{name}': 'VARCHAR'" for name in columns)
        return (
            f"read_csv({_literal(str(path))}, delim='{SEPARATOR}', columns={{{types}}}, auto_detect=false, header=false, "
            f"new_line='\\n', quote='', escape='', buffer_size={BUFFER}, "
            f"store_rejects=true, rejects_table='{errors}_errors', rejects_scan='{errors}_scans')"
        )

    def _reason(self, kind: str, fields: int) -> str:
        if kind == "TOO MANY COLUMNS":
            return f"at least {fields} fields instead of {self.width}"
        if kind == "MISSING COLUMNS":
            return f"fewer than {self.width} fields"
        return f"not CSV: {kind.lower()}"


def _clean(text: str) -> str:
    """Whole lines without what is no text: a byte order mark where files were joined, and what the copy keeps for itself."""
    if "\ufeff" in text:
        text = re.sub("^\ufeff+", "", text, flags=re.MULTILINE)
    for character, mark in RESERVED.items():
        text = text.replace(character, mark)
    return text


def _told(error: csv.Error) -> str:
    """The reason in our words; those of Python's csv where there are none."""
    known = {"field limit": OVERLONG, "unexpected end": UNCLOSED, "expected after": "not CSV: unquoted value"}
    return next((reason for part, reason in known.items() if part in str(error)), f"not CSV: {error}")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
