"""The operator's data: lists of codes, districts, targets, holidays, mail volumes and printed figures, as dbt seeds.

`dbt_project/seeds` is what is shipped. A folder of the operator's own, named by CRW_SEEDS, lies over it: its
`code_list.csv` and `list.csv` replace the lists they name, every other file replaces the shipped one of its name.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from crw.settings import DBT_PROJECT, HOME

SHIPPED = DBT_PROJECT / "seeds"
BY_LIST = ("code_list", "list")
"""Seeds of which an operator's file replaces the lists it names, and no other."""

RESERVED = ("all", "any", "not_stated")
"""What marts write for totals, across clubs and unknown codes, so that no code may be spelled so."""


class SeedError(ValueError):
    """A file of the operator's is not as its seed must be. The message names file, line, column and reason."""


@dataclass(frozen=True)
class CodeList:
    """The codes that a column of a source may hold."""

    name: str
    codes: tuple[str, ...]
    unknown: Literal["refused", "not_stated"]
    """What becomes of a row with another code: quarantine, or publication with the attribute unknown."""


def own_folder() -> Path | None:
    """The operator's folder, where CRW_SEEDS names one. Raises SeedError if it is none."""
    if not (named := os.environ.get("CRW_SEEDS")):
        return None
    folder = Path(named)
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
        return own
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
    declared = {row["list"]: row for row in rows("list")}
    found: dict[str, list[str]] = {name: [] for name in declared}
    for line, row in enumerate(rows("code_list"), 2):
        _check_code(row, declared, line)
        found[row["list"]].append(row["code"])
    for name in declared:
        if (SHIPPED / f"{name}.csv").exists():
            found[name] = [next(iter(row.values())) for row in rows(name)]
    return {name: CodeList(name, tuple(codes), declared[name]["unknown_code"]) for name, codes in found.items()}


def _check_code(row: dict[str, str], declared: dict[str, dict[str, str]], line: int) -> None:
    where = f"seed code_list, line {line}"
    if row["list"] not in declared:
        raise SeedError(f"{where}: column list: {row['list']!r} is none of {', '.join(declared)}")
    if not row["code"].strip() or row["code"].lower() in RESERVED:
        raise SeedError(f"{where}: column code: {row['code']!r} is blank or one of {', '.join(RESERVED)}")
    concepts = [concept for concept in declared[row["list"]]["concepts"].split(" | ") if concept]
    if row["counts_as"] and row["counts_as"] not in concepts:
        allowed = f"one of {', '.join(concepts)}" if concepts else "empty"
        raise SeedError(f"{where}: column counts_as: {row['counts_as']!r}: in list {row['list']} it must be {allowed}")


def prepare() -> Path:
    """The folder that dbt reads its seeds from: the shipped one, or both put together in `<home>/dbt/seeds`.

    Raises:
        SeedError: the operator's folder holds a file that is no seed, or one that is not as its seed must be.
    """
    folder = own_folder()
    if folder is None:
        return SHIPPED
    _code_lists(folder)
    strangers = sorted(path.name for path in folder.glob("*.csv") if not (SHIPPED / path.name).exists())
    if strangers:
        raise SeedError(f"CRW_SEEDS={folder}: {', '.join(strangers)}: there is no such seed in {SHIPPED}")
    composed = HOME / "dbt" / "seeds"
    composed.mkdir(parents=True, exist_ok=True)
    for path in SHIPPED.glob("*.yml"):
        shutil.copyfile(path, composed / path.name)
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
