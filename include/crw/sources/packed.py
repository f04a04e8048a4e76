"""Compressed deliveries: a `.gz`, or a `.zip` of one file, read as that file. A zip of several is none: which of them is meant?"""

from __future__ import annotations

import gzip
import lzma
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from crw.sources.arrivals import Arrival, NotRead, bounded, copied, is_passed_over, opened, short

OTHERS = (".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz", ".z", ".lzma", ".lz4")
"""Suffixes of what is packed in a way that is not read."""

ENCRYPTED = 1
"""The bit of a zip member's flags."""


def content_name(arrival: Arrival, limit: int) -> str:
    """What the file would be called within the folder, had it not been compressed.

    Raises:
        NotRead: a zip that is none, or does not hold one file.
    """
    name = PurePosixPath(arrival.file_name)
    match name.suffix.lower():
        case ".gz":
            return name.with_suffix("").as_posix()
        case ".zip":
            with opened(arrival, limit) as file, _zip(file) as (_, member):
                return name.with_name(_inner(name.stem, member)).as_posix()
    return arrival.file_name


@contextmanager
def unpacked(arrival: Arrival, identity: str, folder: Path, limit: int, beside: bytes = b"") -> Iterator[Path]:
    """A copy of a file in `folder`, unpacked, of exactly the content that `delivery_id` saw.

    Raises:
        NotRead: as `arrivals.copied`; or it cannot be unpacked, or unpacks to more than `limit` bytes.
    """
    with copied(arrival, identity, folder, limit, beside) as copy:
        plain = _plain(copy, folder / "unpacked", limit)
        try:
            yield plain
        finally:
            plain.unlink(missing_ok=True)


def _plain(copy: Path, folder: Path, limit: int) -> Path:
    """The copy itself, or what it holds, unpacked into `folder`."""
    match copy.suffix.lower():
        case ".gz":
            with _faults_told(), gzip.open(copy) as file:
                return _poured(file, folder, copy.stem, limit)
        case ".zip":
            with copy.open("rb") as packed, _zip(packed) as (archive, member), archive.open(member) as file:
                return _poured(file, folder, short(_inner(copy.stem, member)), limit)
    return copy


def _poured(file: BinaryIO, folder: Path, name: str, limit: int) -> Path:
    folder.mkdir(exist_ok=True)
    plain = folder / name
    with plain.open("wb") as target:
        for block in bounded(file, limit):
            target.write(block)
    return plain


def _inner(stem: str, member: ZipInfo) -> str:
    """`calls.csv` of calls.csv.zip; of calls.zip the name that its file has in it."""
    return stem if PurePosixPath(stem).suffix else PurePosixPath(member.filename.replace("\\", "/")).name


@contextmanager
def _zip(file: BinaryIO) -> Iterator[tuple[ZipFile, ZipInfo]]:
    """A zip and the one file in it; what desktops put beside it does not count."""
    with _faults_told(), ZipFile(file) as archive:
        members = [
            member
            for member in archive.infolist()
            if not member.is_dir() and not any(map(is_passed_over, PurePosixPath(member.filename).parts))
        ]
        if len(members) != 1:
            raise NotRead(f"a zip of {len(members)} files: send each by itself")
        if members[0].flag_bits & ENCRYPTED:
            raise NotRead("a zip with a password")
        yield archive, members[0]


@contextmanager
def _faults_told() -> Iterator[None]:
    """What the libraries raise for a file that is not packed as its name says, as NotRead."""
    try:
        yield
    except NotImplementedError:
        raise NotRead("compressed by a method that is not known") from None
    except (BadZipFile, EOFError, zlib.error, lzma.LZMAError, struct.error, ValueError) as error:
        raise NotRead(f"it cannot be unpacked: {type(error).__name__}") from None
    except OSError as error:
        if error.errno:  # the disk's, and none of the file
            raise
        raise NotRead(f"it cannot be unpacked: {type(error).__name__}") from None
