"""A page as PDF/UA-1, set by typst from the same plain data as the HTML, with a font that has every character of Hong Kong."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from functools import cache
from importlib.metadata import files
from pathlib import Path
from typing import Any

from crw.report.words import LANGUAGES, Words
from crw.settings import CLOCK

TEMPLATE = Path(__file__).parent / "templates" / "annual.typ"


@cache
def fonts() -> Path:
    """The folder of the font, where its wheel put it."""
    font = next(
        file
        for file in files("cvttf-notosanscjk-regular") or []
        if file.parts[-1].endswith(".otf") and file.parts[0] != ".."
    )
    return Path(font.locate()).parent


def write(path: Path, page: dict[str, Any], words: Words, business_date: date) -> None:
    """Write the page. The business date is its date of creation, so that the same figures make the same bytes."""
    import typst

    lang, _, region = LANGUAGES[words.language].partition("-")
    told = page | {
        "lang": lang,
        "region": region.rpartition("-")[2] or None,
        "author": words("site"),
        "labels": {"query": words("query")},
    }
    made = typst.compile(
        TEMPLATE,
        font_paths=[fonts()],
        ignore_system_fonts=True,
        sys_inputs={"page": json.dumps(told, default=str)},
        pdf_standards=["ua-1"],
        timestamp=int(datetime.combine(business_date, time(), CLOCK).timestamp()),
    )
    path.write_bytes(made)
