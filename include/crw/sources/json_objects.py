"""The objects of a JSON file, however they are laid out: one a line, one behind the other, over several lines, in an array.

What stands between two objects (line ends of any kind, commas, the brackets of an array) says nothing of them. Text that is no
JSON is refused as one record only where it cannot be more than one; else the file is not read, and comes again once it is mended.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from crw.sources.arrivals import NotRead
from crw.sources.record import Repeating, as_object, whole_number

BLOCK = 1 << 20  # characters
LONGEST = 1 << 24
"""Characters of a record."""
DEEPEST = 200
"""How deep a record may be nested."""
PARTIAL = 16
"""Characters before the end of what was read in which a fault may be but a token cut in two."""

_BETWEEN = re.compile(r"[ \t\n,\x1e\ufeff]*")
_ARRAY = re.compile(r"\[[ \t\n\x1e\ufeff]*[\[\]{]")
"""The beginning of an array that holds objects, arrays or nothing; any other is no record, and one."""
_CUT_ARRAY = re.compile(r"\[[ \t\n\x1e\ufeff]*\Z")
_CUT = "it ends within an array: the file is cut"
_SEVERAL = re.compile(r"}[ \t\n,\x1e\ufeff\[\]]*{")
_NEXT_OBJECT = re.compile(r"\n([ \t]*){")


@dataclass(frozen=True)
class Refused:
    """What stands where a record belongs, and cannot be read as one."""

    reason: str


def objects(file: io.BufferedReader) -> Iterator[tuple[str, dict[str, Any] | Refused]]:
    """Each record of the file with its place, or why it is none.

    Raises:
        NotRead: it cannot be told how many records a stretch of text is, or the file ends within an array.
    """
    text, decoder = _Text(file), json.JSONDecoder(object_pairs_hook=as_object, parse_int=whole_number)
    arrays = 0
    while text.skip(_BETWEEN):
        if step := text.bracket(arrays):
            arrays += step
            continue
        place = text.place()
        try:
            value, end = decoder.raw_decode(text.held, text.at)
            if end == len(text.held) and text.refill():
                continue  # a number may go on
        except (ValueError, RecursionError) as error:
            if _may_be_cut(error, text) and text.refill():
                continue
            reason = _reason(error)
            if _CUT_ARRAY.match(text.held, text.at):
                raise NotRead(_CUT) from None
            if arrays:
                raise NotRead(f"{place}: {reason}, within an array") from None
            end = _end_of_fault(text, place, reason)
            value = Refused(reason)
        written = text.held[text.at : end]
        if isinstance(value, list) and "{" in written:
            raise NotRead(f"{place}: an array of objects and others")
        yield place, _checked(value, written)
        text.move(end, is_record=True)
    if arrays:
        raise NotRead(_CUT)


def _checked(value: Any, written: str) -> dict[str, Any] | Refused:
    if isinstance(value, Refused):
        return value
    if not isinstance(value, dict):
        return Refused("not a JSON object")
    if isinstance(value, Repeating):
        return Refused("a field is there twice")
    if written.count("{") + written.count("[") > DEEPEST and _depth(value) > DEEPEST:
        return Refused(f"nested more than {DEEPEST} deep")
    try:
        written.encode()
    except UnicodeEncodeError:
        return Refused("bytes that are not of the file's encoding")
    return value


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth


def _may_be_cut(error: Exception, text: _Text) -> bool:
    return isinstance(error, json.JSONDecodeError) and (
        error.pos >= len(text.held) - PARTIAL or error.msg.startswith("Unterminated string")
    )


def _reason(error: Exception) -> str:
    return f"not JSON: {error.msg}" if isinstance(error, json.JSONDecodeError) else "not JSON: nested too deep"


def _end_of_fault(text: _Text, place: str, reason: str) -> int:
    """Where the text that is no JSON ends: with its line, or where it began as an object, before the next line that begins as one."""
    while True:
        if text.char == "{":
            following = _NEXT_OBJECT.search(text.held, text.at)
            end = following.start() if following else -1
        else:
            following, end = None, text.held.find("\n", text.at)
        if end >= 0 or not text.refill():
            break
    end = len(text.held) if end < 0 else end
    if (following and following[1]) or end - text.at > LONGEST or _SEVERAL.search(text.held, text.at, end):
        raise NotRead(f"{place}: {reason}, where several records may stand")
    return end


class _Text:
    """The text of a file, as much of it as is needed at a time."""

    def __init__(self, file: io.BufferedReader):
        self.encoding = json.detect_encoding(file.peek(4)[:4])
        # A line end of any kind is one: no text in JSON holds one as it is.
        self.stream = io.TextIOWrapper(file, self.encoding, errors="surrogateescape", newline=None)
        self.held, self.at, self.is_all = "", 0, False
        self.line, self.records = 1, 0

    def bracket(self, arrays: int) -> int:
        """Pass the bracket of an array: 1 if one begins, -1 if one of `arrays` ends, 0 if there is none."""
        step = 1 if _ARRAY.match(self.held, self.at) else -1 if arrays and self.char == "]" else 0
        self.at += abs(step)
        return step

    @property
    def char(self) -> str:
        return self.held[self.at]

    def refill(self) -> bool:
        """Take more of the file, the more the longer the record is already. False if there is no more, or the record is too long."""
        if self.is_all or len(self.held) - self.at > LONGEST:
            return False
        try:
            more = self.stream.read(max(BLOCK, len(self.held) - self.at))
        except UnicodeError:
            raise NotRead(f"bytes that are not {self.encoding}") from None
        if more:
            self.held, self.at = self.held[self.at :] + more, 0
        self.is_all = not more
        return not self.is_all

    def skip(self, between: re.Pattern[str]) -> bool:
        """Go to the next character that does not match. False at the end of the file."""
        while True:
            self.move(between.match(self.held, self.at).end())
            if self.at < len(self.held):
                return True
            if not self.refill():
                return False

    def move(self, end: int, is_record: bool = False) -> None:
        """Go to `end`, and count the lines, and the records of a line."""
        lines = self.held.count("\n", self.at, end)
        self.line, self.at = self.line + lines, end
        self.records = (0 if lines else self.records) + is_record

    def place(self) -> str:
        """Where the next record stands."""
        return f"line {self.line}" if self.records == 0 else f"line {self.line}, record {self.records + 1}"
