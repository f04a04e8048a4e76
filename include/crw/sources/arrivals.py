"""What has arrived in a drop folder, and which delivery it is: a file is known by its content, not by its name."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from crw.settings import HONG_KONG


def arrived(folder: Path, end: datetime, pattern: str = "**/*") -> list[Path]:
    """The files below `folder` that match the pattern, in upper or lower case, and arrived before `end`, oldest first.

    Hidden files and folders, and what Excel keeps beside an open workbook (`~$...`), are not deliveries.
    """
    any_case = "".join(f"[{char.lower()}{char.upper()}]" if char.isalpha() else char for char in pattern)
    present = [
        path
        for path in folder.glob(any_case)
        if path.is_file() and not any(part.startswith((".", "~$")) for part in path.relative_to(folder).parts)
    ]
    return [path for _, path in sorted((path.stat().st_mtime, path) for path in present if arrival(path) < end)]


def arrival(path: Path) -> datetime:
    """When a file arrived, by its modification time, on the Hong Kong clock."""
    return datetime.fromtimestamp(path.stat().st_mtime, HONG_KONG)


def delivery_id(*paths: Path) -> str:
    """SHA-256 of the files' content, one after the other, in hexadecimal."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
