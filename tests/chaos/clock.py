"""The clock of a home's own processes, which can be set while they run.

The machine's is everybody's: the kernel has no namespace for it. PostgreSQL goes on by that, as on a machine of its own.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.homes import Home

SOURCE = Path(__file__).with_name("clock.c")


def not_here() -> str | None:
    """Why no clock can be set on this machine, if so."""
    return None if shutil.which("cc") else "no C compiler (cc) makes the clock that can be set"


def prepare(home: Home) -> None:
    """Give the home a clock that can be set: all that its commands start from now on have it."""
    library = home.folder / "clock.so"
    command = ["cc", "-Wall", "-Werror", "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"]
    subprocess.run(command, check=True)
    _ahead(home).write_bytes(bytes(8))
    home.environment |= {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(_ahead(home))}


def put_ahead(home: Home, seconds: int) -> None:
    """Set the home's clock ahead of the machine's, or behind it, by so many seconds. Without `prepare` nothing happens."""
    if _ahead(home).exists():
        with _ahead(home).open("r+b") as file:  # in place: it is mapped
            file.write(seconds.to_bytes(8, "little", signed=True))


def _ahead(home: Home) -> Path:
    return home.folder / "clock"
