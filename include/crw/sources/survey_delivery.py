"""One survey delivery: a data file, which may be compressed, with the code book that says how to read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from crw.contracts import Bounds
from crw.sources.arrivals import Arrival
from crw.sources.code_book import CodeBook
from crw.sources.delimited import Delimited
from crw.sources.packed import unpacked
from crw.sources.spreadsheet import Spss, Workbook


@dataclass(frozen=True)
class Delivery:
    """A data file with its code book, as found in the drop folder."""

    delivery_id: str
    arrival: Arrival
    written: bytes
    """The code book's content: `delivery_id` is of both."""
    book: CodeBook

    @property
    def file_name(self) -> str:
        """Path within the drop folder."""
        return self.arrival.file_name

    @property
    def delivered_at(self) -> datetime:
        """When the data file arrived."""
        return self.arrival.arrived_at

    @contextmanager
    def opened(self, room: Path, bounds: Bounds) -> Iterator[Delimited | Workbook | Spss]:
        """The data file, from a copy in the scratch folder `room`. Raises NotRead as `packed.unpacked`."""
        with unpacked(self.arrival, self.delivery_id, room, bounds.bytes, self.written) as path:
            match self.book.format:
                case "csv":
                    yield Delimited(path, self.book, room)
                case "xlsx":
                    yield Workbook(path, self.book, bounds)
                case "sav":
                    yield Spss(path, self.book)

    def check_columns(self, room: Path, bounds: Bounds) -> None:
        """Compare the file's header with the code book.

        Raises:
            ContractError: they do not match; the message names file, column and reason.
            NotRead: as `opened`.
        """
        with self.opened(room, bounds) as file:
            self.book.check_header(file.header(), self.file_name)
