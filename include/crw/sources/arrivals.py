"""What lies in a drop folder: what is a delivery, and why anything else is none. A file is known by its content, not by its name.

A file is read from a copy that was hashed while it was made: what was hashed is what is read, whoever writes meanwhile. Links are
not followed, and nothing but a file is opened: a FIFO would hold the night for ever.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from crw.settings import CLOCK
from crw.sources import Unread

PASSED_OVER = (".ds_store", "__macosx", "._*", ".~lock.*#", "~$*", "thumbs.db", "desktop.ini")
"""What desktops leave beside the files that somebody looks at: the only names, in any case, of which nothing is said."""

UNFINISHED = (".part", ".partial", ".filepart", ".crdownload", ".tmp", ".swp")
"""How programs end the name of a file that they are still writing."""

KINDS = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
BLOCK = 1 << 20  # bytes
LONGEST_NAME = 200  # bytes of a copy's name; file systems have room for 255


class NotRead(Exception):
    """A file is not read. The message says why, without its name and without any value."""


@dataclass(frozen=True)
class Arrival:
    """A file in a drop folder."""

    path: Path
    file_name: str
    """Path within the folder, as it can be printed."""
    modified: float
    size: int

    @property
    def arrived_at(self) -> datetime:
        """When it arrived, by its modification time, on the operator's clock."""
        return datetime.fromtimestamp(self.modified, CLOCK)


def look(folder: Path, patterns: Iterable[str], unread: list[Unread]) -> list[Arrival]:
    """All files below `folder`, oldest first.

    Args:
        folder: the drop folder.
        patterns: of the deliveries. A folder whose name is that of a delivery is told.
        unread: gets what is no file, and what is hidden or unfinished by its name.

    Raises:
        OSError: the drop folder itself cannot be opened.
    """
    found, folders = [], [folder]
    while folders:
        inside = folders.pop()
        try:
            entries = list(os.scandir(inside))
        except OSError as error:
            if inside == folder:
                raise
            unread.append(Unread(_printable(inside, folder), f"a folder that cannot be opened: {error.strerror}"))
            continue
        for entry in entries:
            if is_passed_over(entry.name):
                continue
            name = _printable(entry.path, folder)
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError as error:
                unread.append(Unread(name, f"it cannot be looked at: {error.strerror}"))
                continue
            if reason := _why_none(entry.name, status.st_mode):
                unread.append(Unread(name, reason))
            elif stat.S_ISREG(status.st_mode):
                found.append(Arrival(Path(entry.path), name, status.st_mtime, status.st_size))
            else:
                folders.append(Path(entry.path))
                if any(matches(name, pattern) for pattern in patterns):
                    unread.append(Unread(name, "no file but a folder"))
    return sorted(found, key=lambda arrival: (arrival.modified, arrival.path))


def is_passed_over(name: str) -> bool:
    """Whether a file or folder of this name is of no interest to anybody (`PASSED_OVER`)."""
    return any(fnmatchcase(name.lower(), pattern) for pattern in PASSED_OVER)


def _why_none(name: str, mode: int) -> str | None:
    if stat.S_ISLNK(mode):
        return "a symbolic link, which is not followed"
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        return f"no file but {KINDS.get(stat.S_IFMT(mode), 'something else')}"
    if name.startswith("."):
        return "hidden, by its name"
    return "still being written, by its name" if name.lower().endswith(UNFINISHED) and stat.S_ISREG(mode) else None


def is_due(arrival: Arrival, end: datetime, unread: list[Unread]) -> bool:
    """Whether a file arrived before `end`. One of a later date is that date's; one whose time lies ahead of the clock is told."""
    if arrival.modified > time.time():
        unread.append(Unread(arrival.file_name, "its modification time lies ahead"))
    elif arrival.modified < end.timestamp():
        try:
            _ = arrival.arrived_at
        except (ValueError, OverflowError, OSError):
            unread.append(Unread(arrival.file_name, "its modification time is no date of the calendar"))
            return False
        if arrival.size:
            return True
        unread.append(Unread(arrival.file_name, "it is empty"))
    return False


def matches(name: str, pattern: str) -> bool:
    """Whether a path within the folder matches a pattern, in upper or lower case; `**` stands for any folders, and none."""
    return _matches(name.lower().split("/"), pattern.lower().split("/"))


def _matches(parts: list[str], patterns: list[str]) -> bool:
    if not patterns:
        return not parts
    if patterns[0] == "**":
        return any(_matches(parts[skipped:], patterns[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], patterns[0]) and _matches(parts[1:], patterns[1:])


def content(arrival: Arrival, limit: int) -> bytes:
    """What a small file holds. Raises NotRead."""
    with opened(arrival, limit) as file:
        return file.read(limit)


def delivery_id(arrival: Arrival, limit: int, beside: bytes = b"") -> str:
    """SHA-256 of a file's content, and of what lies beside it, in hexadecimal.

    Raises:
        NotRead: the file cannot be opened, or has more than `limit` bytes.
    """
    digest = hashlib.sha256()
    with opened(arrival, limit) as file:
        for block in bounded(file, limit):
            digest.update(block)
    digest.update(beside)
    return digest.hexdigest()


@contextmanager
def copied(arrival: Arrival, identity: str, folder: Path, limit: int, beside: bytes = b"") -> Iterator[Path]:
    """A copy of a file in `folder`, removed at the end, of exactly the content that `delivery_id` saw.

    Raises:
        NotRead: it cannot be opened any more, or its content has changed since. The next night sees it as it is then.
    """
    digest = hashlib.sha256()
    copy = folder / "delivered" / short(PurePosixPath(arrival.file_name).name)
    copy.parent.mkdir(exist_ok=True)
    try:
        with opened(arrival, limit) as file, copy.open("wb") as target:
            for block in bounded(file, limit):
                digest.update(block)
                target.write(block)
        digest.update(beside)
        if digest.hexdigest() != identity:
            raise NotRead("it was changed while it was read")
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def bounded(file: BinaryIO, limit: int) -> Iterator[bytes]:
    """The file's blocks. Raises NotRead beyond `limit` bytes."""
    left = limit
    while block := file.read(BLOCK):
        left -= len(block)
        if left < 0:
            raise NotRead(f"more than {limit:,} bytes, as its contract bounds it")
        yield block


def short(name: str) -> str:
    """The end of a printable name, as a copy may be called."""
    return name.encode()[-LONGEST_NAME:].decode(errors="ignore")


@contextmanager
def opened(arrival: Arrival, limit: int) -> Iterator[BinaryIO]:
    """A file, open to be read. Raises NotRead if it cannot be, or has more than `limit` bytes."""
    try:
        # Whatever took its place since it was looked at, a link is not followed and a FIFO does not hold us.
        descriptor = os.open(arrival.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise NotRead(f"it cannot be opened: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotRead("it is no file any more")
        if status.st_size > limit:
            raise NotRead(f"more than {limit:,} bytes, as its contract bounds it")
        yield file


def _printable(path: str | Path, folder: Path) -> str:
    r"""The path within the folder: as UTF-8, else as Hong Kong's Big5, else its bytes as \x..; a control character as a code, too."""
    raw = os.fsencode(os.path.relpath(path, folder))
    for encoding in ("utf-8", "big5hkscs"):
        try:
            name = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        name = raw.decode(errors="backslashreplace")
    if name.isprintable():
        return name
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") else char
        for char in name
    )
