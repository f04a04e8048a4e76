"""XLSX and SPSS files as text columns: every cell a string, a whole number without its fraction, a date in ISO form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import fastexcel
import numpy
import pyreadstat
from duckdb import DuckDBPyConnection

from crw.contracts import ContractError
from crw.sources.code_book import CodeBook


class Workbook:
    """One sheet of an XLSX file. A row without any value is no row."""

    def __init__(self, path: Path, book: CodeBook):
        self.path, self.book = path, book
        self.numbers: list[int] = []
        """Number in the sheet of each row of `parsed`."""

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

    def load(self, connection: DuckDBPyConnection, positions: list[int]) -> list[tuple[str, str]]:
        """Read the columns at `positions` as text into the table `parsed`; every row of a sheet can be read."""
        sheet = self._sheet(self.book.header_row)
        connection.register("sheet", sheet)
        names = [f'"{column.name}"' for column in sheet.available_columns()]
        kept = ", ".join(f"{names[i]} as c{i}" for i in positions)
        connection.execute(
            f"create table numbered as select {kept}, false as marked, "
            f"{self.book.header_row} + row_number() over () as number, "
            f"coalesce({', '.join(names)}) is not null as is_row from sheet"
        )
        connection.execute("create table parsed as select * exclude (number, is_row) from numbered where is_row")
        self.numbers = [
            n for (n,) in connection.execute("select number from numbered where is_row order by rowid").fetchall()
        ]
        return []

    def places(self, rows: list[int]) -> Iterator[str]:
        """Where the rows of `parsed` with these row ids stand in the sheet."""
        return (f"row {self.numbers[row]}" for row in rows)

    def _sheet(self, skip_rows: int, n_rows: int | None = None) -> fastexcel.ExcelSheet:
        try:
            workbook = fastexcel.read_excel(self.path)
            sheet = 0 if self.book.sheet is None else self.book.sheet
            return workbook.load_sheet(sheet, header_row=None, skip_rows=skip_rows, n_rows=n_rows, dtypes="string")
        except fastexcel.FastExcelError as error:
            raise ContractError(f"{self.path.name}: {str(error).splitlines()[0]}") from None


class Spss:
    """One SPSS file, its values as coded: labels and user-missing declarations are the code book's business."""

    def __init__(self, path: Path, book: CodeBook):
        self.path, self.book = path, book

    def header(self) -> list[str]:
        """The variable names. Raises ContractError when it is no SPSS file."""
        return self._read(metadataonly=True)[1].column_names

    def load(self, connection: DuckDBPyConnection, positions: list[int]) -> list[tuple[str, str]]:
        """Read the variables at `positions` as text into the table `parsed`; every case can be read."""
        names = self.header()
        values, _ = self._read(usecols=[names[i] for i in positions], output_format="dict", user_missing=True)
        cases = {f"c{i}": numpy.array([_text(value) for value in values[names[i]]], dtype=object) for i in positions}
        connection.register("cases", cases)
        kept = ", ".join(f"cast({name} as varchar) as {name}" for name in cases)
        connection.execute(f"create table parsed as select {kept}, false as marked from cases")
        return []

    def places(self, rows: list[int]) -> Iterator[str]:
        """Where the rows of `parsed` with these row ids stand in the file."""
        return (f"case {row + 1}" for row in rows)

    def _read(self, **options: Any) -> tuple[Any, Any]:
        try:
            return pyreadstat.read_sav(self.path, **options)
        except pyreadstat.ReadstatError as error:
            raise ContractError(f"{self.path.name}: {error}") from None


def _text(value: Any) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value is None else str(value)
