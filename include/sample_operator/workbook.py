"""Saving a workbook of the sample so that the same cells give the same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook


def save(book: Workbook, path: Path, written: datetime) -> None:
    """Save `book` to `path` as if at the time `written`: the archive and the workbook's properties carry that moment."""
    unstable = io.BytesIO()
    book.save(unstable)
    with zipfile.ZipFile(unstable) as made, zipfile.ZipFile(path, "w") as stable:
        for name in made.namelist():
            content = made.read(name)
            if name == "docProps/core.xml":
                moment = written.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment, content)
            stable.writestr(zipfile.ZipInfo(name, written.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
