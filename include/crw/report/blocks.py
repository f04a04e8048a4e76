"""What a page is made of, as plain data that HTML and the PDF are both laid out from: paragraphs, tiles, figures, tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from crw.report.marts import QUERY, Row
from crw.report.words import Words

Block = dict[str, Any]


def paragraph(text: str) -> Block:
    """A paragraph."""
    return {"kind": "paragraph", "text": text}


def sentences(pairs: Iterable[tuple[str, Row]]) -> Block:
    """A paragraph of sentences, each with the row of the scorecard that its number is from: it links to definition and query."""
    return {"kind": "sentences", "sentences": [{"text": text, **links(row)} for text, row in pairs]}


def notes(texts: Sequence[str]) -> Block:
    """Remarks, one a line."""
    return {"kind": "notes", "notes": list(texts)}


def links(row: Row) -> dict[str, str]:
    """Where a figure is defined and by which query it is found."""
    return {"definition": f"catalogue.html#kpi-{row['kpi']}", "query": f"q-{row['kpi']}", "sql": QUERY.format(**row)}


def cell(text: str, definition: str = "", lang: str = "") -> dict[str, str]:
    """A cell of a table, linked to a definition where it is told to be, and marked where its language is not the page's."""
    return {"text": text, "definition": definition, "lang": lang}


def folded(block: Block) -> Block:
    """A table that a page shows when it is asked to."""
    return {**block, "kind": "folded"}


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], numeric_from: int = 1) -> Block:
    """A table whose first column names the row; from column `numeric_from` on, cells are set as numbers."""
    made = [[entry if isinstance(entry, dict) else cell(entry) for entry in row] for row in rows]
    return {"kind": "table", "caption": caption, "columns": list(columns), "rows": made, "numeric_from": numeric_from}


def figure(name: str, title: str, note: str, panels: Sequence[Block], data: Block, csv: Sequence[Row]) -> Block:
    """A chart, or several that share a scale, with its unit, n and period in the note, its data as a table and as a file.

    Args:
        name: of the figure, and of its file of data.
        title: what it shows.
        note: unit, n, period, and how to read it.
        panels: of `panel`.
        data: of `table`, what the charts show.
        csv: the same as the marts have it.
    """
    return {
        "kind": "figure",
        "name": name,
        "title": title,
        "note": note,
        "panels": list(panels),
        "table": data,
        "csv": list(csv),
    }


def panel(spec: Block, caption: str, description: str) -> Block:
    """One chart of a figure, of `charts`, and what it shows in words."""
    return {"spec": spec, "caption": caption, "description": description, "alt": f"{caption}. {description}"}


def tile(words: Words, row: Row) -> Block:
    """A headline: the figure, what it speaks for, its change, what that is worth, and the target."""
    return {
        "name": words.name(row),
        "value": words.number(row["value"], row["number_format"]),
        "unit": "" if row["unit"] == "share" else words.code("unit", row["unit"]),
        "period": words.period(row["period"]),
        "details": words("comma").join(filter(None, [of_n(words, row), words.interval(row, "value")])),
        "change": words.compared(row),
        "change_interval": words.interval(row),
        "worth": words.worth(row),
        "is_known": row["is_change_significant"] is not None,
        "tone": _tone(row),
        "target": words.target(row),
        **links(row),
    }


def of_n(words: Words, row: Row) -> str:
    """Of how many a share is."""
    if row["unit"] != "share" or row["denominator"] is None:
        return ""
    return words("of_n", n=words.number(row["denominator"]))


def _tone(row: Row) -> str:
    """Class of a tile, which colours its edge; its words say the same."""
    if row["is_on_target"] is False:
        return "missed"
    return "changed" if row["is_change_significant"] else "calm"
