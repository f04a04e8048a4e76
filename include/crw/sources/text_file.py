"""A text file in the encoding that it is declared to be: what does not decode is marked, and another encoding that shows is told."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TextIO

from crw.contracts import ContractError
from crw.sources.arrivals import NotRead

MARK = "\x01"
"""Stands before what could not be decoded. One byte of UTF-8; no answer contains this control character."""

SHOWN_BY = {"utf-8": (codecs.BOM_UTF8,), "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
            "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)}  # fmt: skip
"""Encodings, and the marks by which a file says that it has them. Those of UTF-32 begin as UTF-16's do."""

TWO_BYTES = "\u07ff"
"""The last character that UTF-8 writes in two bytes."""

MAGIC = {b"\x1f\x8b": "gzip", b"pk\x03\x04": "a ZIP archive or a workbook", b"\xd0\xcf\x11\xe0": "a workbook of the format XLS",
         b"%pdf": "a PDF", b"<!doctype": "a page of HTML", b"<html": "a page of HTML", b"<?xml": "XML"}  # fmt: skip
"""How content begins, in lower case, that is no text of records: a file saved as another kind, a download that failed."""


def _mark(error: UnicodeDecodeError) -> tuple[str, int]:
    return MARK + "".join(f"\\x{byte:02x}" for byte in error.object[error.start : error.end]), error.end


codecs.register_error("crw.mark", _mark)


def open_marked(path: Path, encoding: str | None) -> TextIO:
    """The file opened to be read, UTF-8 where no encoding is given; a byte order mark at its start is skipped."""
    encoding = encoding or "utf-8"
    if codecs.lookup(encoding).name == "utf-8":
        encoding = "utf-8-sig"  # skips a mark, does not ask for one
    return path.open(encoding=encoding, errors="crw.mark", newline=None)


def check_content(path: Path) -> None:
    """Raises NotRead for a file that is no text of records at all."""
    with path.open("rb") as file:
        start = file.read(64).removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if kind := next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), None):
        raise NotRead(f"its content is {kind}")


def check_encoding(path: Path, encoding: str | None) -> None:
    """Raises ContractError where the file shows that it is in another encoding than the one given: each row would be refused for it."""
    check_content(path)
    declared = codecs.lookup(encoding or "utf-8").name
    with path.open("rb") as file:
        start = file.read(64)
    shown = next((name for name, marks in SHOWN_BY.items() if start.startswith(marks)), None)
    if shown is None and not declared.startswith(("utf-16", "utf-32")):
        # Without a mark, every other byte of a header is NUL.
        halves = {"utf-16-le": start[1::2], "utf-16-be": start[::2]}
        shown = next((name for name, half in halves.items() if half.count(0) > len(start) / 4), None)
    if shown and not declared.startswith(shown):
        raise ContractError(f"{path.name}: begins as {shown} does, and is declared to be {declared}")
    if not declared.startswith("utf") and _is_utf_8(path):
        raise ContractError(f"{path.name}: is utf-8 throughout, and is declared to be {declared}")


def _is_utf_8(path: Path) -> bool:
    """Whether all of it is, with a character that takes three bytes or more: others have such bytes by chance in a word, not in a file.

    Half of what is Chinese in it would be read as other Chinese, without a fault.
    """
    try:
        with path.open(encoding="utf-8") as file:
            return max((max(line, default="") for line in file), default="") > TWO_BYTES
    except UnicodeDecodeError:
        return False
