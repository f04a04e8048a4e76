"""Scratch folders: where a reader keeps its copy of a delivery, which may hold what must not leave the source.

They lie in CRW_SCRATCH, under the state folder where that is unset, for their owner alone. A process holds a lock on its own for
as long as it lives, so that what a killed one left is told from what another is reading just now, whatever number either has.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crw import settings

PREFIX = "crw-read-"
"""CRW_SCRATCH may name a folder in which others keep things."""


def room() -> Path:
    """The folder of all scratch folders: CRW_SCRATCH, or `scratch` in the state folder."""
    path = Path(os.environ.get("CRW_SCRATCH") or settings.HOME / "scratch")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextmanager
def folder() -> Iterator[Path]:
    """A new scratch folder, removed at the end."""
    with locked(room()):
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=room()))
        held = os.open(path, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield path
    finally:
        shutil.rmtree(path)
        os.close(held)


def sweep() -> int:
    """Remove the scratch folders of processes that are dead, and return how many."""
    removed = 0
    with locked(room()):
        for path in dead(room(), PREFIX):
            shutil.rmtree(path)
            removed += 1
    return removed


def dead(among: Path, prefix: str) -> Iterator[Path]:
    """Our own folders of that prefix that no living process has locked; each is locked until the next is asked for."""
    for path in among.glob(f"{prefix}*"):
        # One that is locked is of a process that lives, which may just be removing it; others are another user's.
        with suppress(BlockingIOError, FileNotFoundError, PermissionError), locked(path, fcntl.LOCK_NB):
            if path.stat().st_uid == os.geteuid():
                yield path


@contextmanager
def locked(path: Path, also: int = 0) -> Iterator[None]:
    """Hold the lock of a folder, as long as the process lives at most. Raises BlockingIOError if `also` is LOCK_NB and another holds it."""
    held = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | also)
        yield
    finally:
        os.close(held)
