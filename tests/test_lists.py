"""A list of codes stands in the seeds and nowhere else: what repeats one would be wrong for another operator."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crw import seeds
from crw.settings import DBT_PROJECT, EXPECTATIONS

CONCEPTS = {concept for row in seeds.rows("list") for concept in row["concepts"].split(" | ")}
LISTS = {row["list"]: seeds.code_list(row["list"]).codes for row in seeds.rows("list")}
# What the figures are made by is a concept, of whatever list, and no operator's choice: staging translates into it.
PLAIN = {name: [code for code in codes if code not in CONCEPTS] for name, codes in LISTS.items()}


def repeated(text: str, lists: dict[str, list[str]]) -> set[str]:
    """The lists of which a text holds three codes, or both of a list of two."""
    return {
        name
        for name, codes in lists.items()
        if len(codes) > 1 and sum(_holds(text, code) for code in codes) >= min(3, len(codes))
    }


def _holds(text: str, code: str) -> bool:
    # A code of two capitals is none in small letters: no word is a district.
    flags = 0 if code.isupper() else re.IGNORECASE
    return re.search(rf"(?<![\w-]){re.escape(code)}(?![\w-])", text, flags) is not None


def lines(path: Path) -> Iterator[str]:
    """The lines of a file of the dbt project, those of unit tests' worlds aside: they are data."""
    block = None
    for line in path.read_text(encoding="utf-8").splitlines():
        depth = len(line) - len(line.lstrip())
        if block is not None and line.strip() and depth <= block:
            block = None
        if path.suffix == ".yml" and line.strip() in ("given:", "expect:"):
            block = depth
        if block is None:
            yield line


def texts(value: object) -> Iterator[str]:
    """Each text and each array of texts in JSON, without what the seeds are asked for."""
    if isinstance(value, str):
        yield re.sub(r"\{\w+:\w+\}", "", value)
    elif isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        yield " | ".join(value)
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts(part)


def files(root: Path, *patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in root.rglob(pattern))


@pytest.mark.parametrize(
    "path", files(DBT_PROJECT, "*.sql", "*.yml"), ids=lambda path: str(path.relative_to(DBT_PROJECT))
)
def test_no_line_of_the_dbt_project_repeats_a_list(path):
    assert [(line.strip(), found) for line in lines(path) if (found := repeated(line, PLAIN))] == []


@pytest.mark.parametrize("path", files(EXPECTATIONS, "*.json"), ids=lambda path: str(path.relative_to(EXPECTATIONS)))
def test_no_rule_repeats_a_list(path):
    # A source sends codes, and only staging makes concepts of them: before it, a list of concepts repeats a list, too.
    lists = LISTS if "landing" in path.parts else PLAIN
    suite = json.loads(path.read_text(encoding="utf-8"))
    assert [(text, found) for text in texts(suite.get("expectations", [])) if (found := repeated(text, lists))] == []


def test_what_repeats_a_list_is_seen():
    assert repeated("club_code in ('postalplus', 'eclub')", PLAIN) == {"club"}
    assert repeated('"suggestion, enquiry or lost_mail_claim."', PLAIN) == {"kind"}
    assert repeated("kind = 'suggestion'", PLAIN) == set()
    assert repeated("status in ('closed', 'withdrawn', 'merged')", PLAIN) == set()
    assert repeated(" | ".join(texts({"value_set": ["y", "yes", "n"]})), LISTS) == {"attendance"}
