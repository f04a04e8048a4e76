"""The site: every page of a publication, built beside the one that is read and put in its place at once, when it is whole."""

from __future__ import annotations

import csv
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from psycopg import Connection

from crw import catalogue
from crw.report import annual, catalogue_page, charts, morning, pdf
from crw.report.marts import Marts
from crw.report.words import LANGUAGES, Words

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = {"en": "", "zh": ".zh"}
OTHERS = ("data_docs", "dbt_docs")
"""What is built elsewhere in the home and belongs to the site, where it exists."""


def build(connection: Connection, home: Path, manifest: dict[str, Any]) -> Path:
    """Build the site of what is published and put it in the place of the one before. Returns its index page.

    A reader who follows a link meanwhile gets a page of the one or of the other; a failure leaves the one before.

    Args:
        connection: as a role that reads schema `marts`.
        home: the folder of `store.home`, which holds Data Docs and dbt docs; the site is `<home>/site`.
        manifest: of dbt, for the catalogue.
    """
    with _alone(home), connection.transaction():  # one build at a time
        connection.execute("set transaction isolation level repeatable read, read only")
        draft = Path(tempfile.mkdtemp(prefix="site-", dir=home))
        for name in OTHERS:
            if (home / name / "index.html").exists():
                shutil.copytree(home / name, draft / name)
        write(Marts(connection, catalogue.formats_of(manifest)), draft, manifest, before=home / "site")
        _put(draft, home / "site")
    return home / "site" / "index.html"


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Not by a lock of the database's: readers, as whom the pages are read, may take none."""
    held = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def write(marts: Marts, folder: Path, manifest: dict[str, Any], before: Path) -> None:
    """Write every page into a folder; charts that the site `before` has are taken from it."""
    for name in ("data", "charts"):
        (folder / name).mkdir()
    shutil.copyfile(TEMPLATES / "style.css", folder / "style.css")
    years = marts.fiscal_years()
    for language in LANGUAGES:
        words = Words(language, marts.names)
        render = _renderer(words, years, folder)
        render("index.html", {"name": "index", "title": words("index_lead"), "lead": _lead(marts, words)})
        render("page.html", _drawn(morning.page(marts, words), before, folder))
        for year in years:
            page = _drawn(annual.page(marts, words, year), before, folder)
            name = f"{page['name']}{SUFFIX[language]}.pdf"
            pdf.write(folder / name, page, words, marts.business_date)
            render("page.html", page, pdf=name)
    words = Words("en", marts.names)
    _renderer(words, years, folder)("catalogue.html", catalogue_page.page(manifest, words))


def _drawn(page: dict[str, Any], before: Path, folder: Path) -> dict[str, Any]:
    """The page with the charts of its figures drawn."""
    for block in (block for section in page["sections"] for block in section["blocks"] if block["kind"] == "figure"):
        for panel in block["panels"]:
            panel["svg"] = charts.svg(panel.pop("spec"), before / "charts", folder / "charts")
    return page


def _lead(marts: Marts, words: Words) -> str:
    return words("as_of", day=words.day(marts.business_date)) if marts.business_date else words("empty")


def _renderer(words: Words, years: list[str], folder: Path) -> Any:
    """A function that writes a page of a language by a template, and the data of its figures."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    other = next(language for language in LANGUAGES if language != words.language)
    environment.globals |= {
        "words": words,
        "years": years,
        "tag": LANGUAGES[words.language],
        "suffix": SUFFIX[words.language],
        "other_tag": LANGUAGES[other],
        "other_suffix": SUFFIX[other],
        "has_data_docs": (folder / "data_docs").exists(),
        "has_dbt_docs": (folder / "dbt_docs").exists(),
        "drawn": lambda panel: Markup(charts.described(panel["svg"], panel["caption"], panel["description"])),
    }

    def render(template: str, page: dict[str, Any], pdf: str | None = None) -> None:
        html = environment.get_template(template).render(page=page, pdf=pdf)
        (folder / f"{page['name']}{SUFFIX[words.language]}.html").write_text(html, encoding="utf-8")
        for section in page.get("sections", ()):
            for block in section["blocks"]:
                if block["kind"] == "figure":
                    _write_csv(folder / "data" / f"{page['name']}-{block['name']}.csv", block["csv"])

    return render


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    # With the mark that tells a spreadsheet which encoding it is: a double click takes it for another one without.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _put(draft: Path, place: Path) -> None:
    """Let `place`, a symbolic link, lead to the draft: one step, unlike two renamings. Then remove what it led to, and drafts
    that a failed build left."""
    link = draft / "link"
    link.symlink_to(draft.name)
    link.replace(place)
    for other in draft.parent.glob("site-*"):
        if other != draft:
            shutil.rmtree(other, ignore_errors=True)
