"""An XLSX workbook as the package of XML parts that it is: whether it may be opened, and what of it the library is given."""

from __future__ import annotations

import io
import posixpath
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from crw.contracts import Bounds, ContractError
from crw.sources import BLANKS
from crw.sources.sheet_cells import Area, Cells, Cutting, Reading, letters

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How a workbook under a password begins, and one of the old format."""


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
            is_too_large = filled is not None and filled.size > bounds.cells
            has_strays = cells.used is not None and not (filled and filled.holds(cells.used))
            book = _without_stray_cells(parts, part, filled) if has_strays and not is_too_large else path
    except (expat.ExpatError, ElementTree.ParseError, LookupError, ValueError, StopIteration, BadZipFile) as error:
        raise ContractError(f"{path.name}: the sheet {sheet} cannot be read: {error}") from None
    if is_too_large:
        raise ContractError(
            f"{path.name}: the sheet {sheet} has values from row {filled.top} to {filled.bottom} and from column "
            f"{letters(filled.left)} to {letters(filled.right)}: {filled.size:,} cells, and at most {bounds.cells:,} are read"
        )
    return cells, book


def _part(parts: ZipFile, sheet: str) -> str:
    """The part of the package that holds the sheet."""
    book = ElementTree.fromstring(parts.read("xl/workbook.xml"))
    found = next(entry for entry in book.iterfind("{*}sheets/{*}sheet") if entry.get("name") == sheet)
    identifier = next(value for name, value in found.attrib.items() if name.endswith("}id"))
    relations = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))
    target = next(entry.get("Target") for entry in relations if entry.get("Id") == identifier)
    return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")


def _read(parts: ZipFile, part: str) -> Cells:
    reading = Reading(_blank_strings(parts))
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


def _without_stray_cells(parts: ZipFile, part: str, kept: Area | None) -> bytes:
    """The workbook without the cells of a sheet outside of `kept`."""
    copy = io.BytesIO()
    with ZipFile(copy, "w", ZIP_DEFLATED) as written:
        for name in parts.namelist():
            content = parts.read(name)
            written.writestr(name, Cutting(kept).cut(content) if name == part else content)
    return copy.getvalue()
