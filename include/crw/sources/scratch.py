"""Scratch folders: where a reader keeps its copy of a delivery, which may hold what must not leave the source.

They lie under the state folder, for their owner alone. A process holds a lock on its own for as long as it lives, so that what a
killed one left is told from what another is reading just now, whatever number either has.
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
    with _locked(room()):
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=room()))
        held = os.open(path, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield path
    finally:
        shutil.rmtree(path)
        os.close(held)


def sweep() -> None:
    """Remove the scratch folders of processes that are dead."""
    with _locked(room()):
        for path in room().glob(f"{PREFIX}*"):
            # One that is locked is of a process that lives, which may just be removing it; or it is another user's.
            with suppress(BlockingIOError, FileNotFoundError, PermissionError), _locked(path, fcntl.LOCK_NB):
                shutil.rmtree(path)


@contextmanager
def _locked(path: Path, also: int = 0) -> Iterator[None]:
    held = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | also)
        yield
    finally:
        os.close(held)
