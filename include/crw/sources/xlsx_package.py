"""An XLSX workbook as the package of XML parts that it is: whether it may be opened, and what of it the library is given."""

from __future__ import annotations

import io
import posixpath
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from crw.contracts import Bounds, ContractError
from crw.sources import BLANKS
from crw.sources.arrivals import NotRead
from crw.sources.sheet_cells import Area, Cells, Cutting, Reading, letters

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How a workbook under a password begins, and one of the old format."""


def check_package(path: Path, bounds: Bounds) -> None:
    """Raises NotRead where the file is no XLSX workbook, or unpacks to more than it may."""
    with path.open("rb") as file:
        if file.read(len(OLE)) == OLE:
            raise NotRead("it is under a password, or of the format XLS: to be saved as XLSX without one")
    try:
        with ZipFile(path) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
    except BadZipFile as error:
        raise NotRead(f"it is no XLSX workbook: {error}") from None
    if unpacked > bounds.unpacked:
        raise NotRead(f"it unpacks to {unpacked:,} bytes, and at most {bounds.unpacked:,} are read")


def examine(path: Path, sheet: str, bounds: Bounds) -> tuple[Cells, Path | bytes]:
    """The cells of a sheet, and the workbook as the library is to have it: without blanks around its values, where there are any.

    Raises:
        ContractError: there is no such sheet.
        NotRead: the sheet's values lie farther apart than `bounds` allow, or its XML is none.
    """
    with _faults_told(), ZipFile(path) as parts:
        part = _parts(parts).get(sheet)
        if part is None:
            raise ContractError(f"{path.name}: there is no sheet {sheet}")
        cells = _read(parts, part)
        filled = cells.filled
        if filled is not None and filled.size > bounds.cells:
            raise NotRead(
                f"the sheet {sheet} has values from row {filled.top} to {filled.bottom} and from column "
                f"{letters(filled.left)} to {letters(filled.right)}: {filled.size:,} cells, and at most {bounds.cells:,} are read"
            )
        has_strays = cells.used is not None and not (filled and filled.holds(cells.used))
        return cells, _without_stray_cells(parts, part, filled) if has_strays else path


def other_sheets(path: Path, read: Collection[str | None]) -> list[str]:
    """The sheets with a value that are not among those `read`, of which None is the first. Raises NotRead."""
    with _faults_told(), ZipFile(path) as parts:
        sheets = list(_parts(parts).items())
        others = [(name, part) for i, (name, part) in enumerate(sheets) if name not in read and (i or None not in read)]
        return [name for name, part in others if _read(parts, part).held]


@contextmanager
def _faults_told() -> Iterator[None]:
    """What is raised for a workbook whose parts are not what they should be, as NotRead."""
    try:
        yield
    except ContractError:  # a ValueError, and none of the file's parts
        raise
    except (expat.ExpatError, ElementTree.ParseError, LookupError, ValueError, BadZipFile, zlib.error) as error:
        raise NotRead(f"it is a torn workbook: {error}") from None


def _parts(parts: ZipFile) -> dict[str, str]:
    """By its name, in the workbook's order: the part of the package that holds a sheet."""
    book = ElementTree.fromstring(parts.read("xl/workbook.xml"))
    relations = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))
    targets = {entry.get("Id"): entry.get("Target") for entry in relations}
    found = {}
    for sheet in book.iterfind("{*}sheets/{*}sheet"):
        identifier = next((value for name, value in sheet.attrib.items() if name.endswith("}id")), None)
        found[sheet.get("name")] = posixpath.normpath(posixpath.join("/xl", targets[identifier])).lstrip("/")
    return found


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
