"""Great Expectations suites, put together.

The suite of a landing table is made from its contract (`contract_rules`); a file adds what is particular to the table, in GX's
own format, and may change a made rule. The suite of a mart is its file (expectations/README.md says what a rule must carry).
"""

from __future__ import annotations

import json
import os
import re
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from psycopg import sql

from crw import seeds
from crw.contracts import Table

SEVERITIES = ("critical", "warning", "info")
IN_SQL = ("condition", "unexpected_rows_query")
"""The arguments of a rule that are SQL."""

TOLERATED = {"quarantine_threshold": 0.05, "quarantine_allowance": 5}
"""How many bad rows a load may have, unless its suite says otherwise: this share of those read, or so many."""


class QualityError(RuntimeError):
    """A batch or a mart must not be published: a critical rule failed, or a rule could not be evaluated."""


class HeldError(QualityError):
    """A batch or a mart must not be published until a person approves: all that failed is unusual, and nothing wrong in itself."""

    def __init__(self, message: str, rules: list[str]) -> None:
        super().__init__(message)
        self.rules = rules
        """The rules that hold it."""


def of_landing(table: Table, folder: Path) -> dict[str, Any]:
    """The suite of a landing table: the rules of its contract, and what `<folder>/<source>/<table>.json` says besides.

    The file may be missing. It holds `expectations`, and `changes`: by name of a made rule another severity or limit, or whether it is
    about what is unusual, with the reason. `meta` may say another quarantine_threshold or quarantine_allowance than the usual ones.

    Raises:
        QualityError: the file is no JSON, changes a rule that is not made, a limit that it does not have, or without a reason, a
            rule lacks its name, notes or severity or repeats a name, or a warning names no rows, because there would be nothing
            to quarantine.
    """
    from crw import contract_rules

    path = folder / table.source / f"{table.name}.json"
    particular = _read(path) if path.exists() else {}
    changes = particular.get("changes", {})
    try:
        made = contract_rules.of(table, {name: change.get("limits", {}) for name, change in changes.items()})
    except contract_rules.LimitError as error:
        raise QualityError(f"suite {path}: {error}") from None
    if strange := sorted(changes.keys() - {rule["meta"]["rule"] for rule in made}):
        raise QualityError(f"suite {path}: changes {', '.join(strange)}, which does not follow from the contract")
    rules = [_changed(rule, changes.get(rule["meta"]["rule"]), path) for rule in made]
    suite = {
        "name": f"landing/{table.source}/{table.name}",
        "meta": {"description": table.description, **TOLERATED, **particular.get("meta", {})},
        "expectations": rules + [_with_codes(rule) for rule in particular.get("expectations", [])],
    }
    _check(suite, path)
    for rule in suite["expectations"]:
        if rule["severity"] == "warning" and not is_row_rule(rule):
            raise QualityError(
                f"suite {path}: rule {rule['meta']['rule']} is a warning but selects no _row_no to quarantine"
            )
    return suite


def of_mart(path: Path, published: sql.Identifier) -> dict[str, Any]:
    """The suite of a mart, from its file.

    Args:
        path: the file.
        published: what `{published}` stands for in its SQL.

    Raises:
        QualityError: the file is missing or no JSON, or a rule lacks its name, notes or severity, or repeats a name.
    """
    suite = _read(path)
    _check(suite, path)
    for rule in suite["expectations"]:
        for key in rule["kwargs"].keys() & set(IN_SQL):
            rule["kwargs"][key] = rule["kwargs"][key].replace("{published}", published.as_string())
    return suite


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise QualityError(f"suite {path}: {error}") from error


def _changed(rule: dict[str, Any], change: dict[str, Any] | None, path: Path) -> dict[str, Any]:
    if change is None:
        return rule
    name = rule["meta"]["rule"]
    if not change.get("reason") or change.keys() - {"severity", "limits", "unusual", "reason"}:
        raise QualityError(f"suite {path}: a change of {name} has a reason, and a severity, limits or unusual")
    meta = {**rule["meta"], "notes": f"{rule['meta']['notes']} {change['reason']}"}
    meta |= {"unusual": change["unusual"]} if "unusual" in change else {}
    return {**rule, "severity": change.get("severity", rule["severity"]), "meta": meta}


def _with_codes(rule: dict[str, Any]) -> dict[str, Any]:
    """The rule with the operator's codes, in small letters, in the place of each `{<list>:<concept>}` of its SQL."""

    def codes(found: re.Match) -> str:
        named = seeds.code_list(found[1]).concepts.get(found[2], ())
        return ", ".join(literal(code.lower()) for code in named) or "null"

    written = {
        key: re.sub(r"\{(\w+):(\w+)\}", codes, value) if key in IN_SQL else value
        for key, value in rule["kwargs"].items()
    }
    return {**rule, "kwargs": written}


def _check(suite: dict[str, Any], path: Path) -> None:
    seen = set()
    for rule in suite["expectations"]:
        name = rule.get("meta", {}).get("rule")
        if not name or name in seen:
            raise QualityError(f"suite {path}: a rule of type {rule['type']} has no meta.rule of its own: {name}")
        seen.add(name)
        if not rule["meta"].get("notes") or rule.get("severity") not in SEVERITIES:
            raise QualityError(f"suite {path}: rule {name} needs meta.notes and a severity of {', '.join(SEVERITIES)}")


def is_row_rule(rule: dict[str, Any]) -> bool:
    """Whether a rule judges single rows: a map expectation of GX, or SQL that selects `_row_no` first."""
    if "unexpected_rows_query" in rule["kwargs"]:
        return re.match(r"select _row_no\b", rule["kwargs"]["unexpected_rows_query"], re.IGNORECASE) is not None
    import_gx()
    from great_expectations.expectations import expectation, registry

    row_wise = (
        expectation.ColumnMapExpectation,
        expectation.ColumnPairMapExpectation,
        expectation.MulticolumnMapExpectation,
    )
    return issubclass(registry.get_expectation_impl(rule["type"]), row_wise)


def import_gx() -> Any:
    """Great Expectations with this project's classes, imported on first use: it costs 3 s, and DAG files import what is above."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations

    import_module("crw.expectations")  # GX learns a class when it is made
    return great_expectations


def literal(value: Any) -> str:
    """A value as a literal of SQL, typed where a bare string would be ambiguous."""
    if isinstance(value, datetime):
        return f"timestamptz '{value.isoformat()}'"
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    return sql.Literal(value).as_string()
