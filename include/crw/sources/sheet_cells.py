"""What a sheet of an XLSX workbook holds, cell by cell, told by its XML before a library makes a dense table of it.

That library, calamine, keeps a place in memory for each cell of the used range, which one blank in the last corner makes 17 thousand
million; it reads an error, and a formula that no program ever calculated, as an empty cell; and it knows no merged ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.parsers import expat

from crw.sources import BLANKS

NAMESPACES = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
ELEMENTS = {f"{space} {name}": name for space in NAMESPACES
            for name in ("row", "c", "v", "f", "t", "si", "is", "rPh", "mergeCell")}  # fmt: skip
UNCALCULATED = "a formula without a value"


class Area(NamedTuple):
    """A rectangle of cells; rows count from 1, columns from 0, and both ends belong to it."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def size(self) -> int:
        """How many cells it has."""
        return (self.bottom - self.top + 1) * (self.right - self.left + 1)

    def holds(self, other: Area) -> bool:
        """Whether all cells of the other are its own."""
        return (
            self.top <= other.top
            and self.left <= other.left
            and other.bottom <= self.bottom
            and other.right <= self.right
        )


@dataclass
class Cells:
    """The cells of a sheet."""

    held: dict[int, int] = field(default_factory=dict)
    """By row that has a value other than blanks: the columns that do, as bits."""
    faults: dict[int, dict[int, str]] = field(default_factory=dict)
    """By row and column: what stands where no value can be read."""
    merged: list[Area] = field(default_factory=list)
    used: Area | None = None
    """The cells with a value, blanks included: what the library would keep a place for."""

    @property
    def filled(self) -> Area | None:
        """The cells with a value other than blanks."""
        if not self.held:
            return None
        columns = 0
        for bits in self.held.values():
            columns |= bits
        return _across(min(self.held), max(self.held), columns)


def letters(column: int) -> str:
    """What a spreadsheet calls a column, counted from 0."""
    name = ""
    while column >= 0:
        column, letter = divmod(column, 26)
        name, column = chr(ord("A") + letter) + name, column - 1
    return name


class Reading:
    """One pass over the XML of a sheet; `parser` is to be given it. Of the texts that sheets share, `blank_strings` are blank."""

    def __init__(self, blank_strings: set[int]):
        self.cells, self.blank_strings = Cells(), blank_strings
        self.row = self.column = 0
        self.columns: dict[str, int] = {}
        self.arrays: list[Area] = []
        self.held = self.used = self.used_columns = 0
        self.used_rows: list[int] = []
        self.type, self.has_formula, self.array, self.text, self.is_value = "n", False, None, [], False
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._start, self._end
        self.parser.CharacterDataHandler = self._characters

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = ELEMENTS.get(name)
        if kind == "c":
            self.column = self._column(attributes.get("r"))
            self.type, self.has_formula, self.array, self.text = attributes.get("t", "n"), False, None, []
        elif kind == "v" or kind == "t":
            self.is_value = True
        elif kind == "f":
            self.has_formula = True
            if attributes.get("t") == "array" and "ref" in attributes:
                self.array = area(attributes["ref"])
        elif kind == "row":
            self._row_is_over()
            self.row, self.column = int(attributes.get("r", self.row + 1)), -1
        elif kind == "mergeCell":
            self.cells.merged.append(area(attributes["ref"]))

    def _characters(self, text: str) -> None:
        if self.is_value:
            self.text.append(text)

    def _end(self, name: str) -> None:
        kind = ELEMENTS.get(name)
        if kind == "v" or kind == "t":
            self.is_value = False
        elif kind == "c":
            self._cell("".join(self.text))

    def _column(self, reference: str | None) -> int:
        if reference is None:
            return self.column + 1
        name = reference.rstrip("0123456789")
        if name not in self.columns:
            self.columns[name] = number_of(name)
        return self.columns[name]

    def _cell(self, text: str) -> None:
        bit = 1 << self.column
        if self.has_formula and not text and self.type != "str":
            self.held |= bit
            self.cells.faults.setdefault(self.row, {})[self.column] = UNCALCULATED
            if self.array:
                self.arrays.append(self.array)
            return
        if not text and self.type not in ("str", "inlineStr"):
            return
        self.used |= bit
        if self.type == "e":
            self.held |= bit
            self.cells.faults.setdefault(self.row, {})[self.column] = text
        elif int(text) not in self.blank_strings if self.type == "s" else text.strip(BLANKS):
            self.held |= bit

    def _row_is_over(self) -> None:
        if self.held:
            self.cells.held[self.row] = self.cells.held.get(self.row, 0) | self.held
        if self.used:
            self.used_rows = [*self.used_rows[:1], self.row]
            self.used_columns |= self.used
        self.held = self.used = 0

    def finished(self) -> Cells:
        """The cells. A formula for many cells stands in the first of them alone."""
        self._row_is_over()
        if self.used_rows:
            self.cells.used = _across(self.used_rows[0], self.used_rows[-1], self.used_columns)
        for array in self.arrays:
            for row in [row for row in self.cells.held if array.top <= row <= array.bottom]:
                lost = [
                    column for column in range(array.left, array.right + 1) if not self.cells.held[row] >> column & 1
                ]
                for column in lost:
                    self.cells.held[row] |= 1 << column
                    self.cells.faults.setdefault(row, {})[column] = UNCALCULATED
        return self.cells


def _across(top: int, bottom: int, columns: int) -> Area:
    """The rows from top to bottom, and the columns from the first to the last that are set as bits."""
    return Area(top, (columns & -columns).bit_length() - 1, bottom, columns.bit_length() - 1)


class Cutting(Reading):
    """A pass that finds the cells outside of an area in the XML of a sheet."""

    def __init__(self, kept: Area | None):
        super().__init__(set())
        self.area, self.begin, self.is_past = kept, None, False
        self.spans: list[tuple[int, int]] = []

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._past()
        super()._start(name, attributes)
        if ELEMENTS.get(name) == "c" and not self._is_kept():
            self.begin = self.parser.CurrentByteIndex

    def _end(self, name: str) -> None:
        self._past()
        self.is_past = self.begin is not None and ELEMENTS.get(name) == "c"

    def _past(self) -> None:
        # An end tag tells where it begins, and not where it ends: that is where the next tag is.
        if self.is_past:
            self.spans.append((self.begin, self.parser.CurrentByteIndex))
            self.begin, self.is_past = None, False

    def _is_kept(self) -> bool:
        return self.area is not None and self.area.holds(Area(self.row, self.column, self.row, self.column))

    def cut(self, xml: bytes) -> bytes:
        """The XML without them."""
        self.parser.Parse(xml, True)
        ends = [0, *(end for _, end in self.spans)]
        begins = [*(begin for begin, _ in self.spans), len(xml)]
        return b"".join(xml[end:begin] for end, begin in zip(ends, begins, strict=True))


def area(reference: str) -> Area:
    """The cells of a reference such as `B2:C5` or `B2`. Raises ValueError."""
    first, _, last = reference.replace("$", "").partition(":")
    (left, top), (right, bottom) = (re.fullmatch("([A-Z]+)([0-9]+)", end).groups() for end in (first, last or first))
    return Area(int(top), number_of(left), int(bottom), number_of(right))


def number_of(name: str) -> int:
    """A column by its letters, counted from 0."""
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
