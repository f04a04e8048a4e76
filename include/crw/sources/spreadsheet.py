"""XLSX and SPSS files as text columns: every cell a string, a whole number without its fraction, a date in ISO form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import duckdb
import fastexcel
import numpy
import openpyxl
import pyreadstat
from duckdb import DuckDBPyConnection

from crw.contracts import ContractError
from crw.sources.code_book import CodeBook


class Workbook:
    """One sheet of an XLSX file. A row without any value is no row."""

    def __init__(self, path: Path, book: CodeBook):
        self.path, self.book = path, book
        self.errors: dict[int, str] = {}

    def header(self) -> list[str]:
        """The column names. Raises ContractError when it is no XLSX file, or sheet or header are not there."""
        sheet, rows = self._sheet(self.book.header_row - 1, n_rows=1), []
        # DuckDB takes no table without columns, and a blank sheet has none.
        if sheet.width:
            with duckdb.connect() as connection:
                connection.register("sheet", sheet)
                rows = connection.execute("select * from sheet").fetchall()
        if not rows or not any(rows[0]):
            raise ContractError(f"{self.path.name}: no header in row {self.book.header_row} of the sheet {sheet.name}")
        return [(name or "").strip() for name in rows[0]]

    def open(self, connection: DuckDBPyConnection, positions: list[int]) -> None:
        """Make the relation `parsed`, the columns at `positions` as text, and `placed`, with the place of each row.

        Raises:
            ContractError: an error such as #N/A stands in a sheet with merged cells, where the rows below may need its value.
        """
        self.errors = self._errors(positions)
        if self.errors and getattr(self.book, "fill_down", ()):
            row, reason = next(iter(self.errors.items()))
            raise ContractError(f"{self.path.name}, row {row}: {reason}")
        sheet = self._sheet(self.book.header_row)
        connection.register("sheet", sheet)
        names = [f'"{column.name}"' for column in sheet.available_columns()]
        kept = ", ".join(f"{names[i]} as c{i}" for i in positions)
        connection.execute(
            f"create table numbered as select {kept}, false as marked, "
            f"{self.book.header_row} + row_number() over () as number, "
            f"coalesce({', '.join(names)}) is not null as is_row from sheet"
        )
        connection.execute(
            "delete from numbered where not is_row or number in (select unnest(?::bigint[]))", [[*self.errors]]
        )
        connection.execute(
            "create view placed as select 'row ' || number as place, * exclude (number, is_row) from numbered order by number; "
            "create view parsed as select * exclude (place) from placed"
        )

    def is_whole(self, connection: DuckDBPyConnection) -> bool:
        """Whether no row has an error such as #N/A in one of the columns."""
        return not self.errors

    def place(self, connection: DuckDBPyConnection) -> None:
        """`placed` is there already."""

    def unread(self, connection: DuckDBPyConnection) -> list[tuple[str, str]]:
        """Place and reason of each row that has an error such as #N/A in one of the columns."""
        return [(f"row {row}", reason) for row, reason in self.errors.items()]

    def _errors(self, positions: list[int]) -> dict[int, str]:
        """What is wrong in each row with an error cell, which fastexcel reads as an empty one."""
        with ZipFile(self.path) as parts:
            # openpyxl is slow: it reads only what has an error cell.
            if not any(_has_error(parts, name) for name in parts.namelist() if name.startswith("xl/worksheets/")):
                return {}
        book = openpyxl.load_workbook(self.path, read_only=True, data_only=True)
        try:
            sheet = book.worksheets[0] if self.book.sheet is None else book[self.book.sheet]
            sheet.reset_dimensions()
            rows = sheet.iter_rows(min_row=self.book.header_row)
            header = self.header()
            # fastexcel counts from the first column that is used, openpyxl from A.
            first = next(cell.column for cell in next(rows) if str(cell.value or "").strip())
            before = first - next(i for i, name in enumerate(header) if name)
            found: dict[int, list[str]] = {}
            for cell in (cell for row in rows for cell in row):
                if cell.data_type == "e" and cell.column - before in positions:
                    found.setdefault(cell.row, []).append(f"{header[cell.column - before]} is {cell.value}")
        finally:
            book.close()
        return {row: ", ".join(reasons) for row, reasons in found.items()}

    def _sheet(self, skip_rows: int, n_rows: int | None = None) -> fastexcel.ExcelSheet:
        try:
            workbook = fastexcel.read_excel(self.path)
            sheet = 0 if self.book.sheet is None else self.book.sheet
            return workbook.load_sheet(sheet, header_row=None, skip_rows=skip_rows, n_rows=n_rows, dtypes="string")
        except fastexcel.FastExcelError as error:
            raise ContractError(f"{self.path.name}: {str(error).splitlines()[0]}") from None


def _has_error(parts: ZipFile, name: str) -> bool:
    with parts.open(name) as part:
        before = b""
        while block := part.read(1 << 20):
            if re.search(rb"""\st=["']e["']""", before + block):
                return True
            before = block[-8:]
    return False


class Spss:
    """One SPSS file, its values as coded: labels and user-missing declarations are the code book's business."""

    def __init__(self, path: Path, book: CodeBook):
        self.path, self.book = path, book

    def header(self) -> list[str]:
        """The variable names. Raises ContractError when it is no SPSS file."""
        return self._read(metadataonly=True)[1].column_names

    def open(self, connection: DuckDBPyConnection, positions: list[int]) -> None:
        """Make the relation `parsed`, the variables at `positions` as text, and `placed`, with the place of each case."""
        names = self.header()
        values, _ = self._read(usecols=[names[i] for i in positions], output_format="dict", user_missing=True)
        cases = {f"c{i}": numpy.array([_text(value) for value in values[names[i]]], dtype=object) for i in positions}
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
            raise ContractError(f"{self.path.name}: {error}") from None


def _text(value: Any) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value is None else str(value)
