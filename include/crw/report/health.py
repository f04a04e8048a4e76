"""Data health: what last night read, refused and why, in words, from the mart data_health."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal

from crw import settings
from crw.report import blocks
from crw.report.blocks import Block
from crw.report.marts import Marts, Row
from crw.report.words import Words

MADE = {
    "key_unique": "key_unique",
    "type": "type",
    r"(?P<column>\w+)_present": "present",
    r"(?P<column>\w+)_known": "known",
    r"(?P<column>\w+)_exists": "exists",
    r"(?P<column>\w+)_not_blank": "not_blank",
    r"(?P<column>\w+)_readable": "readable",
    r"(?P<column>\w+)_not_too_long": "not_too_long",
    r"(?P<column>\w+)_not_in_future": "not_in_future",
    r"(?P<column>\w+)_not_before_(?P<limit>\w+)": "not_before",
    r"(?P<column>\w+)_not_below_(?P<limit>\w+)": "not_below",
    r"(?P<column>\w+)_within_(?P<limit>\d+)_days": "within_days",
    r"(?P<column>\w+)_unique": "unique",
}
"""The names of the rules that are made from contracts (`crw.expectations`), and what each says of a refused row."""

SHOWN = 20
"""Rules in the table of refusals; those of fewer rows are told together."""


def section(marts: Marts, words: Words) -> list[Block]:
    """What the page says of the newest night; a sentence where the mart is empty."""
    rows = marts.rows(
        "select * from marts.data_health where is_latest order by measure, source, table_name, detail, age_band"
    )
    if not rows:
        return [blocks.paragraph(words("health_empty"))]
    said = [
        *_read(words, rows),
        *_held(words, marts),
        *_waiting(words, rows),
        *_reported(words, rows),
        *_times(words, rows),
    ]
    return [
        blocks.notes(said),
        *_sources(words, rows),
        *_refusals(words, rows),
        {"kind": "data_docs", "text": words("data_docs")},
    ]


def rule(words: Words, source: str, table: str, name: str) -> Block:
    """Why a rule refuses a row, in the language of the page; in English where its suite has no note in another."""
    for pattern, kind in MADE.items():
        if found := re.fullmatch(pattern, name):
            return blocks.cell(words(f"rule_{kind}", **found.groupdict()))
    path = settings.EXPECTATIONS / "landing" / source / f"{table}.json"
    particular = json.loads(path.read_text(encoding="utf-8"))["expectations"] if path.exists() else []
    meta = next((entry["meta"] for entry in particular if entry["meta"]["rule"] == name), {"notes": name})
    own = meta.get(f"notes_{words.language}")
    return blocks.cell(own) if own else blocks.cell(meta["notes"], lang="en")


def _read(words: Words, rows: list[Row]) -> list[str]:
    loads = [row for row in rows if row["source"] != "marts"]
    read, published, unchanged, refused = (
        _sum(loads, f"rows_{outcome}") for outcome in ("read", "published", "unchanged", "quarantined")
    )
    tables = {(row["source"], row["table_name"]) for row in loads if row["measure"] == "rows_read"}
    counts = {"read": read, "published": published, "unchanged": unchanged, "refused": refused, "tables": len(tables)}
    said = [words("health_read", **{name: words.number(count) for name, count in counts.items()})]
    if failed := _sum(loads, "loads", detail="failed"):
        said.append(words("health_failed", n=words.number(failed)))
    return said


HELD = """
select coalesce(sum(value), 0) as loads from marts.data_health
where measure = 'loads' and detail in ('held', 'rejected', 'superseded') and night > coalesce(
    (select max(night) from marts.data_health where source = 'marts' and measure = 'rows_published' and not is_latest), '-infinity')
"""
"""Of all nights since the one that was published before, for a night that is held is not published."""


def _held(words: Words, marts: Marts) -> list[str]:
    (found,) = marts.rows(HELD)
    return [words("health_held", n=words.number(found["loads"]))] if found["loads"] else []


def _waiting(words: Words, rows: list[Row]) -> list[str]:
    waiting = [row for row in rows if row["measure"] == "rows_waiting"]
    if not waiting:
        return [words("health_nothing_waits")]
    old = sum(row["value"] for row in waiting if row["age_band"] in ("31-90", "over 90"))
    return [words("health_waiting", n=words.number(_sum(waiting, "rows_waiting")), old=words.number(old))]


def _reported(words: Words, rows: list[Row]) -> list[str]:
    failing = [row for row in rows if row["measure"] == "rows_failing" and row["severity"] == "info"]
    return [words("health_reported", n=words.number(len(failing)))] if failing else []


def _times(words: Words, rows: list[Row]) -> list[str]:
    late = sum(row["value"] for row in rows if row["measure"] == "late_runs")
    return [words("health_late", n=words.number(late))] if late else [words("health_in_time")]


def _sources(words: Words, rows: list[Row]) -> list[Block]:
    sources = sorted({row["source"] for row in rows if row["measure"] == "age"})
    if not sources:
        return []
    lines = []
    for source in sources:
        of_source = [row for row in rows if row["source"] == source]
        ages = [row["value"] for row in of_source if row["measure"] == "age" and row["detail"] == "last loaded"]
        counts = [_sum(of_source, f"rows_{outcome}") for outcome in ("read", "published", "quarantined")]
        lines.append([_source(words, source), *map(words.number, counts), words.number(max(ages, default=None))])
    columns = ["source", "read", "published", "refused", "last_loaded"]
    return [blocks.table(words("health_sources"), [words(f"health_head_{column}") for column in columns], lines)]


def _refusals(words: Words, rows: list[Row]) -> list[Block]:
    refused = [row for row in rows if row["measure"] == "rows_refused"]
    if not refused:
        return []
    refused.sort(key=lambda row: (-row["value"], row["source"], row["table_name"], row["detail"]))
    lines = [
        [
            f"{_source(words, row['source'])}{words('colon')}{row['table_name']}",
            rule(words, row["source"], row["table_name"], row["detail"]),
            words.number(row["value"]),
        ]
        for row in refused[:SHOWN]
    ]
    if rest := refused[SHOWN:]:
        others = words("health_others", n=len(rest))
        lines.append([others, "", words.number(sum(row["value"] for row in rest))])
    columns = [words(f"health_head_{column}") for column in ("table", "why", "rows")]
    return [blocks.table(words("health_refused"), columns, lines, numeric_from=2)]


def _source(words: Words, source: str) -> str:
    return words.code("source", source)


def _sum(rows: Iterable[Row], measure: str, detail: str | None = None) -> Decimal | int:
    return sum(row["value"] or 0 for row in rows if row["measure"] == measure and detail in (None, row["detail"]))
