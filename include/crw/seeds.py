"""The operator's data: lists of codes, districts, targets, holidays, mail volumes and printed figures, as dbt seeds.

`dbt_project/seeds` is what is shipped. A folder of the operator's own, named by CRW_SEEDS, lies over it: its
`code_list.csv` and `list.csv` replace the lists they name, every other file replaces the shipped one of its name.
"""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from crw import settings
from crw.settings import DBT_PROJECT, PROJECT

SHIPPED = DBT_PROJECT / "seeds"
BY_LIST = ("code_list", "list")
"""Seeds of which an operator's file replaces the lists it names, and no other."""

RESERVED = ("all", "any", "not_stated", "na", "n/a", "null", "blank", "0")
"""What marts write for totals, across clubs and unknown codes, and what people type for blank: no code may be spelled so."""


class SeedError(ValueError):
    """A file of the operator's is not as its seed must be. The message names file, line, column and reason."""


@dataclass(frozen=True)
class CodeList:
    """The codes that a column of a source may hold."""

    name: str
    codes: tuple[str, ...]
    unknown: Literal["refused", "not_stated"]
    """What becomes of a row with another code: quarantine, or publication with the attribute unknown."""
    concepts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The codes that count as each concept."""


def own_folder() -> Path | None:
    """The operator's folder, where CRW_SEEDS names one, by its path in the checkout or from the root. Raises SeedError if it is none."""
    if not (named := os.environ.get("CRW_SEEDS")):
        return None
    folder = PROJECT / named
    if not folder.is_dir():
        raise SeedError(f"CRW_SEEDS={named}: no such folder")
    return folder


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a seed, the operator's over the shipped ones.

    Raises:
        SeedError: a file has other columns than the shipped one, or a row of other length.
    """
    shipped = _read(SHIPPED / f"{name}.csv")
    folder = own_folder()
    if folder is None or not (path := folder / f"{name}.csv").exists():
        return shipped
    own = _read(path, expected=_columns(SHIPPED / path.name))
    if name not in BY_LIST:
        if name in {row["list"] for row in _read(SHIPPED / "list.csv")}:
            _check_spelling(path, next(iter(own[0])) if own else "", own)
        return own
    _check_lists(path, own) if name == "list" else _check_codes(path, own)
    replaced = {row["list"] for row in own}
    return [row for row in shipped if row["list"] not in replaced] + own


def code_list(name: str) -> CodeList:
    """A list of codes: the rows of its name in `code_list`, or a seed of its own of that name, whose first column it is.

    Raises:
        SeedError: `list` does not name it.
    """
    try:
        return _code_lists(own_folder())[name]
    except KeyError:
        raise SeedError(f"{SHIPPED / 'list.csv'}: there is no list {name}") from None


@cache
def _code_lists(_folder: Path | None) -> dict[str, CodeList]:
    declared = {row["list"]: row["unknown_code"] for row in rows("list")}
    found: dict[str, list[str]] = {name: [] for name in declared}
    concepts: dict[str, dict[str, list[str]]] = {name: {} for name in declared}
    for row in rows("code_list"):
        found[row["list"]].append(row["code"])
        if row["counts_as"]:
            concepts[row["list"]].setdefault(row["counts_as"], []).append(row["code"])
    for name in declared:
        if (SHIPPED / f"{name}.csv").exists():
            found[name] = [next(iter(row.values())) for row in rows(name)]
    return {
        name: CodeList(name, tuple(codes), declared[name], {c: tuple(of) for c, of in concepts[name].items()})
        for name, codes in found.items()
    }


def _check_lists(path: Path, own: list[dict[str, str]]) -> None:
    """Raise SeedError for a row that says of a list what an operator does not decide: the figures are made of its concepts."""
    shipped = {row["list"]: row for row in _read(SHIPPED / path.name)}
    for line, row in enumerate(own, 2):
        if row["list"] not in shipped:
            raise SeedError(f"{path}: line {line}: column list: {row['list']!r} is none of {', '.join(shipped)}")
        for column, allowed in (
            ("unknown_code", {"refused": None, shipped[row["list"]]["unknown_code"]: None}),
            ("concepts", (shipped[row["list"]]["concepts"],)),
        ):
            if row[column] not in allowed:
                raise SeedError(f"{path}: line {line}: column {column}: it must be {' or '.join(map(repr, allowed))}")


def _check_codes(path: Path, own: list[dict[str, str]]) -> None:
    """Raise SeedError for a row of no list, or that counts as what its list has no figure of, and as _check_spelling does."""
    concepts_of = {row["list"]: row["concepts"].split(" | ") for row in rows("list")}
    _check_spelling(path, "code", own)
    for line, row in enumerate(own, 2):
        code, counts_as, where = row["code"], row["counts_as"], f"{path}: line {line}: column"
        if row["list"] not in concepts_of:
            raise SeedError(f"{where} list: {row['list']!r} is none of {', '.join(concepts_of)}")
        if (SHIPPED / f"{row['list']}.csv").exists():
            raise SeedError(f"{where} list: the codes of {row['list']} stand in {row['list']}.csv")
        if not row["sort_order"].isdecimal():
            raise SeedError(f"{where} sort_order: {row['sort_order']!r} is no whole number")
        concepts = concepts_of[row["list"]]
        if counts_as not in ("", *concepts):
            raise SeedError(
                f"{where} counts_as: {counts_as!r}: in list {row['list']} it must be empty or one of {', '.join(concepts)}"
            )
        if code.lower() in concepts and counts_as != code.lower():
            raise SeedError(f"{where} counts_as: {code!r} is a concept of list {row['list']}, so it must count as it")


def _check_spelling(path: Path, column: str, own: list[dict[str, str]]) -> None:
    """Raise SeedError for a code that could not be told from another one of its list, from a blank or from what marts write."""
    seen = set()
    for line, row in enumerate(own, 2):
        code, where = row[column], f"{path}: line {line}: column {column}"
        if code != code.strip() or not code or code.lower() in RESERVED:
            raise SeedError(f"{where}: {code!r} is blank, has blanks around it, or is one of {', '.join(RESERVED)}")
        if (key := (row.get("list"), code.lower())) in seen:
            raise SeedError(f"{where}: {code!r} is in its list twice")
        seen.add(key)


def prepare() -> Path:
    """The folder of dbt's seeds, by its path in the dbt project: the shipped one, or both put together in `<home>/dbt/seeds`.

    The latter is made anew each time, and never the operator's own: dbt writes the SQL that it ran over a seed outside its project.

    Raises:
        SeedError: the operator's folder holds a file that is no seed, or one that is not as its seed must be.
    """
    folder = own_folder()
    if folder is None:
        return SHIPPED.relative_to(DBT_PROJECT)
    strangers = sorted(path.name for path in folder.glob("*.csv") if not (SHIPPED / path.name).exists())
    if strangers:
        raise SeedError(f"CRW_SEEDS={folder}: {', '.join(strangers)}: there is no such seed in {SHIPPED}")
    composed = settings.HOME / "dbt" / "seeds"
    composed.mkdir(parents=True, exist_ok=True)
    for path in SHIPPED.glob("*.csv"):
        # Renamed into place: another process may be reading the one of before, of the same content.
        draft = composed / f"{path.name}.{os.getpid()}"
        draft.write_text(_as_csv(_columns(path), rows(path.stem)), encoding="utf-8")
        draft.rename(composed / path.name)
    return composed


def _read(path: Path, expected: list[str] | None = None) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines, strict=True)
        try:
            found = list(reader)
        except (csv.Error, UnicodeDecodeError) as error:
            raise SeedError(f"{path}: line {reader.line_num}: {error}") from error
    if expected is not None and reader.fieldnames != expected:
        raise SeedError(f"{path}: its columns must be {', '.join(expected)}, in this order")
    for line, row in enumerate(found, 2):
        if None in row or None in row.values():
            raise SeedError(f"{path}: line {line}: it must have {len(reader.fieldnames or ())} values")
    return found


def _columns(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return next(csv.reader(lines))


def _as_csv(columns: list[str], content: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(content)
    return text.getvalue()
