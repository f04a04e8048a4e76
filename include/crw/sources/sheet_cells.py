"""What a sheet of an XLSX workbook holds, cell by cell, told by its XML before a library makes a dense table of it.

That library, calamine, keeps a place in memory for each cell of the used range, which one blank in the last corner makes 17 thousand
million; it reads an error, and a formula that no program ever calculated, as an empty cell; and it knows no merged ones.
"""

from __future__ import annotations

import io
import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from crw.contracts import Bounds, ContractError
from crw.sources import BLANKS

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How a workbook under a password begins, and one of the old format."""
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
        first = (columns & -columns).bit_length() - 1
        return Area(min(self.held), first, max(self.held), columns.bit_length() - 1)


def examine(path: Path, sheet: str, bounds: Bounds) -> tuple[Cells, Path | bytes]:
    """The cells of a sheet, and the workbook as the library is to have it: without blanks around its values, where there are any.

    Raises:
        ContractError: the sheet's values lie farther apart than `bounds` allow, or its XML is none.
    """
    try:
        with ZipFile(path) as parts:
            part = _part(parts, sheet)
            cells = _read(parts, part)
            filled = cells.filled
            if filled and filled.size > bounds.cells:
                raise ContractError(
                    f"{path.name}: the sheet {sheet} has values from row {filled.top} to {filled.bottom} and from column "
                    f"{letters(filled.left)} to {letters(filled.right)}: {filled.size:,} cells, and at most {bounds.cells:,} are read"
                )
            if not cells.used or (filled and filled.holds(cells.used)):
                return cells, path
            return cells, _without_stray_cells(parts, part, filled)
    except (expat.ExpatError, ElementTree.ParseError, LookupError, ValueError, StopIteration, BadZipFile) as error:
        raise ContractError(f"{path.name}: the sheet {sheet} cannot be read: {error}") from None


def check_package(path: Path, bounds: Bounds) -> None:
    """Raises ContractError where the file is no XLSX workbook, or unpacks to more than it may."""
    with path.open("rb") as file:
        if file.read(len(OLE)) == OLE:
            raise ContractError(
                f"{path.name}: is under a password, or of the format XLS: to be saved as XLSX without one"
            )
    try:
        with ZipFile(path) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
    except BadZipFile as error:
        raise ContractError(f"{path.name}: not an XLSX workbook: {error}") from None
    if unpacked > bounds.unpacked:
        raise ContractError(f"{path.name}: unpacks to {unpacked:,} bytes, and at most {bounds.unpacked:,} are read")


def letters(column: int) -> str:
    """What a spreadsheet calls a column, counted from 0."""
    name = ""
    while column >= 0:
        column, letter = divmod(column, 26)
        name, column = chr(ord("A") + letter) + name, column - 1
    return name


def _part(parts: ZipFile, sheet: str) -> str:
    """The part of the package that holds the sheet."""
    book = ElementTree.fromstring(parts.read("xl/workbook.xml"))
    found = next(entry for entry in book.iterfind("{*}sheets/{*}sheet") if entry.get("name") == sheet)
    identifier = next(value for name, value in found.attrib.items() if name.endswith("}id"))
    relations = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))
    target = next(entry.get("Target") for entry in relations if entry.get("Id") == identifier)
    return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")


def _read(parts: ZipFile, part: str) -> Cells:
    reading = _Reading(_blank_strings(parts))
    with parts.open(part) as file:
        reading.parser.ParseFile(file)
    return reading.finished()


def _blank_strings(parts: ZipFile) -> set[int]:
    """Which of the texts that the sheets share are blank."""
    if "xl/sharedStrings.xml" not in parts.namelist():
        return set()
    blank: set[int] = set()
    number, texts = 0, []
    with parts.open("xl/sharedStrings.xml") as file:
        for _, element in ElementTree.iterparse(file):
            kind = element.tag.rpartition("}")[2]
            if kind == "t":
                texts.append(element.text or "")
            elif kind == "si":
                if not "".join(texts).strip(BLANKS):
                    blank.add(number)
                number, texts = number + 1, []
                element.clear()
    return blank


class _Reading:
    """One pass over the XML of a sheet."""

    def __init__(self, blank_strings: set[int]):
        self.cells, self.blank_strings = Cells(), blank_strings
        self.row = self.column = 0
        self.columns: dict[str, int] = {}
        self.arrays: list[Area] = []
        self.top = self.left = 1 << 30
        self.bottom = self.right = -1
        self.type, self.has_formula, self.array, self.text, self.is_value = "n", False, None, [], False
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler, self.parser.EndElementHandler = self.start, self.end
        self.parser.CharacterDataHandler = self.characters

    def start(self, name: str, attributes: dict[str, str]) -> None:
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
            self.row, self.column = int(attributes.get("r", self.row + 1)), -1
        elif kind == "mergeCell":
            self.cells.merged.append(area(attributes["ref"]))

    def characters(self, text: str) -> None:
        if self.is_value:
            self.text.append(text)

    def end(self, name: str) -> None:
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
        row, column = self.row, self.column
        if self.has_formula and not text and self.type != "str":
            self._fault(row, column, UNCALCULATED)
            if self.array:
                self.arrays.append(self.array)
            return
        if not text and self.type not in ("str", "inlineStr"):
            return
        self.top, self.bottom = min(self.top, row), max(self.bottom, row)
        self.left, self.right = min(self.left, column), max(self.right, column)
        if self.type == "e":
            self._fault(row, column, text)
        elif int(text) not in self.blank_strings if self.type == "s" else text.strip(BLANKS):
            self.cells.held[row] = self.cells.held.get(row, 0) | 1 << column

    def _fault(self, row: int, column: int, what: str) -> None:
        self.cells.held[row] = self.cells.held.get(row, 0) | 1 << column
        self.cells.faults.setdefault(row, {})[column] = what

    def finished(self) -> Cells:
        """The cells. A formula for many cells stands in the first of them alone."""
        if self.bottom >= 0:
            self.cells.used = Area(self.top, self.left, self.bottom, self.right)
        for array in self.arrays:
            for row in [row for row in self.cells.held if array.top <= row <= array.bottom]:
                for column in range(array.left, array.right + 1):
                    if not self.cells.held[row] >> column & 1:
                        self._fault(row, column, UNCALCULATED)
        return self.cells


class _Cutting(_Reading):
    """A pass that finds the cells outside of an area in the XML of a sheet."""

    def __init__(self, kept: Area | None):
        super().__init__(set())
        self.area, self.begin, self.is_past = kept, None, False
        self.spans: list[tuple[int, int]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._past()
        super().start(name, attributes)
        if ELEMENTS.get(name) == "c" and not self._is_kept():
            self.begin = self.parser.CurrentByteIndex

    def end(self, name: str) -> None:
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


def _without_stray_cells(parts: ZipFile, part: str, kept: Area | None) -> bytes:
    """The workbook without the cells of a sheet outside of `kept`."""
    copy = io.BytesIO()
    with ZipFile(copy, "w", ZIP_DEFLATED) as written:
        for name in parts.namelist():
            content = parts.read(name)
            written.writestr(name, _Cutting(kept).cut(content) if name == part else content)
    return copy.getvalue()
