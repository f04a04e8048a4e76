"""How far a row of a CSV file goes whose quotes are at fault."""

from __future__ import annotations

import re
from collections.abc import Iterable

QUOTES = re.compile('"+')


def extent(lines: Iterable[str], delimiter: str) -> int | None:
    """How many of the lines a row takes whose quotes are at fault; 0 where one is never closed, None where they end first.

    By the number of quotes alone: an odd one is open. One that stands where a value begins, while another is open, shows that
    this was never closed; within a text, it is a quote that somebody forgot to double.
    """
    is_open = False
    for number, line in enumerate(lines, 1):
        for quotes in QUOTES.finditer(line):
            if len(quotes[0]) % 2 == 0:
                continue
            start, end = quotes.span()
            begins, ends = line[:start][-1:] in ("", delimiter), line[end : end + 1] in ("", delimiter, "\n")
            if is_open and begins and not ends:
                return 0
            is_open = not is_open
        if not is_open:
            return number
    return None
