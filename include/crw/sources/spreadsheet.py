"""XLSX and SPSS files as text columns: every cell a string, a whole number without its fraction, a date in ISO form."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Any

import duckdb
import fastexcel
import numpy
import pyreadstat
from duckdb import DuckDBPyConnection

from crw.contracts import Bounds, ContractError, Layout
from crw.sources import BLANKS
from crw.sources.arrivals import NotRead
from crw.sources.code_book import CodeBook
from crw.sources.sheet_cells import Cells
from crw.sources.xlsx_package import check_package, examine

SPSS_EPOCH = datetime(1582, 10, 14)
"""SPSS counts seconds from the day before the first of the Gregorian calendar."""


class Workbook:
    """One sheet of an XLSX file. A row without any value is no row."""

    def __init__(self, path: Path, book: CodeBook | Layout, bounds: Bounds):
        self.path, self.book, self.bounds = path, book, bounds
        self.unreadable: dict[int, str] = {}
        """By row: what stands in its columns that cannot be read."""

    def header(self) -> list[str]:
        """The column names. Raises NotRead when it is no XLSX file, and ContractError when sheet or header are not there."""
        header, rows = self.book.header_row, []
        if header in self.cells.held:
            with duckdb.connect() as connection:
                connection.register("sheet", self._load(header - 1, n_rows=1))
                rows = connection.execute("select * from sheet").fetchall()
        if not rows or not any(rows[0]):
            raise ContractError(f"{self.path.name}: no header in row {header} of the sheet {self.sheet_name}")
        return [(name or "").strip(BLANKS) for name in rows[0]]

    def open(self, connection: DuckDBPyConnection, positions: list[int]) -> None:
        """Make the relation `parsed`, the columns at `positions` as text, and `placed`, with the place of each row.

        Merged cells of a column that the contract fills down have their value in each row.
        """
        header = self.header()
        first = self.book.first_row or self.book.header_row + 1
        sheet = self._load(first - 1)
        connection.register("sheet", sheet)
        names = [f'"{column.name}"' for column in sheet.available_columns()]
        kept = ", ".join(f"{names[i]} as c{i}" for i in positions)
        held = {"number": numpy.array([row for row in self.cells.held if row >= first], dtype=numpy.int64)}
        connection.register("held", held)
        connection.execute(
            f"create table numbered as select {kept}, false as marked, number from "
            f"(select *, {first - 1} + row_number() over () as number from sheet) semi join held using (number)"
        )
        self._find_unreadable(connection, header, positions)
        self._fill_down(connection, header)
        connection.execute("delete from numbered where number in (select unnest(?::bigint[]))", [[*self.unreadable]])
        connection.execute(
            "create view placed as select 'row ' || number as place, * exclude (number) from numbered order by number; "
            "create view parsed as select * exclude (place) from placed"
        )

    def is_whole(self, connection: DuckDBPyConnection) -> bool:
        """Whether every row could be read."""
        return not self.unreadable

    def place(self, connection: DuckDBPyConnection) -> None:
        """`placed` is there already."""

    def unread(self, connection: DuckDBPyConnection) -> list[tuple[str, str]]:
        """Place and reason of each row with a cell in one of the columns that cannot be read, such as #N/A."""
        return [(f"row {row}", reason) for row, reason in sorted(self.unreadable.items())]

    @cached_property
    def cells(self) -> Cells:
        """What the sheet holds, cell by cell."""
        return self._examined[0]

    @cached_property
    def absolute(self) -> list[int]:
        """By position, the sheet's own number of the column: the library counts from the first that is used."""
        return [column.absolute_index for column in self._load(0, n_rows=1).available_columns()]

    @cached_property
    def sheet_name(self) -> str:
        """The sheet that is read."""
        check_package(self.path, self.bounds)
        return self.book.sheet or self._called(fastexcel.read_excel, self.path).sheet_names[0]

    @cached_property
    def _examined(self) -> tuple[Cells, Path | bytes]:
        return examine(self.path, self.sheet_name, self.bounds)

    def _load(self, skip_rows: int, n_rows: int | None = None) -> fastexcel.ExcelSheet:
        workbook = self._called(fastexcel.read_excel, self._examined[1])
        options = {"header_row": None, "skip_rows": skip_rows, "n_rows": n_rows, "dtypes": "string"}
        return self._called(workbook.load_sheet, self.sheet_name, **options)

    def _called(self, function: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except fastexcel.FastExcelError as error:
            raise NotRead(f"it cannot be read: {str(error).splitlines()[0]}") from None

    def _find_unreadable(self, connection: DuckDBPyConnection, header: list[str], positions: list[int]) -> None:
        """What has a value in the sheet, and none that the library can read: an error, a formula, a date beyond its calendar."""
        empty = " || ".join(f"case when c{i} is null then '1' else '0' end" for i in positions)
        for row, bits in connection.execute(f"select number, {empty} from numbered").fetchall():
            held, faults = self.cells.held[row], self.cells.faults.get(row, {})
            lost = [
                f"{header[i] or f'column {i + 1}'} is {faults.get(self.absolute[i], 'a value that cannot be read')}"
                for i, bit in zip(positions, bits, strict=True)
                if bit == "1" and held >> self.absolute[i] & 1
            ]
            if lost:
                self.unreadable[row] = ", ".join(lost)

    def _fill_down(self, connection: DuckDBPyConnection, header: list[str]) -> None:
        position = {
            self.absolute[header.index(name)]: header.index(name) for name in getattr(self.book, "fill_down", ())
        }
        for area in self.cells.merged:
            if area.left not in position or area.bottom == area.top:
                continue
            cell = f"c{position[area.left]}"
            connection.execute(
                f"update numbered set {cell} = (select {cell} from numbered where number = $1) where number > $1 and number <= $2",
                [area.top, area.bottom],
            )
            if fault := self.cells.faults.get(area.top, {}).get(area.left):
                reason = f"{header[position[area.left]]} is {fault}, of the merged row {area.top}"
                self.unreadable |= {
                    row: reason for row in range(area.top + 1, area.bottom + 1) if row in self.cells.held
                }


class Spss:
    """One SPSS file, its values as coded: labels and user-missing declarations are the code book's business."""

    def __init__(self, path: Path, book: CodeBook):
        self.path, self.book = path, book

    def header(self) -> list[str]:
        """The variable names. Raises NotRead when it is no SPSS file."""
        return self._read(metadataonly=True)[1].column_names

    def open(self, connection: DuckDBPyConnection, positions: list[int]) -> None:
        """Make the relation `parsed`, the variables at `positions` as text, and `placed`, with the place of each case."""
        names = self.header()
        # The library's own dates end in the year 9999, and one that lies beyond would cost the whole file.
        options = {"output_format": "dict", "user_missing": True, "disable_datetime_conversion": True}
        values, told = self._read(usecols=[names[i] for i in positions], **options)
        formats = told.original_variable_types
        cases = {
            f"c{i}": numpy.array([_text(value, formats[names[i]]) for value in values[names[i]]], dtype=object)
            for i in positions
        }
        connection.register("cases", cases)
        kept = ", ".join(f"cast({name} as varchar) as {name}" for name in cases)
        connection.execute(
            f"create table placed as select 'case ' || row_number() over () as place, {kept}, false as marked from cases; "
            "create view parsed as select * exclude (place) from placed"
        )

    def is_whole(self, connection: DuckDBPyConnection) -> bool:
        """Every case can be read."""
        return True

    def place(self, connection: DuckDBPyConnection) -> None:
        """`placed` is there already."""

    def unread(self, connection: DuckDBPyConnection) -> list[tuple[str, str]]:
        """Every case can be read."""
        return []

    def _read(self, **options: Any) -> tuple[Any, Any]:
        try:
            return pyreadstat.read_sav(self.path, **options)
        except pyreadstat.ReadstatError as error:
            raise NotRead(f"it is no SPSS file: {error}") from None


def _text(value: Any, written_as: str) -> str | None:
    if isinstance(value, float) and isfinite(value):
        if is_date := re.match("([AEJS]?DATE|DATETIME|YMDHMS)[0-9]", written_as):
            try:
                moment = SPSS_EPOCH + timedelta(seconds=value)
                return str(moment if is_date[1] in ("DATETIME", "YMDHMS") else moment.date())
            except OverflowError:
                return f"{value:g} seconds"
        if value.is_integer():
            value = int(value)
    return None if value is None else str(value)
