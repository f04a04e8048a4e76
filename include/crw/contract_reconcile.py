"""How often a table is held against its source, and how much of it may vanish before a person is asked: `meta.reconcile`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

DAYS = {"night": 1, "week": 7}
"""How many days lie between two comparisons."""

USUAL = {"database": {"every": "night"}}
"""By reader, what a contract need not say. An API is compared only where its contract says that it lists all when asked for no dates."""


@dataclass(frozen=True)
class Reconcile:
    """When keys and watermarks of all that a source holds are compared with raw. Raises ValueError for what makes no sense."""

    reader: str = "database"
    every: str = "never"
    """`night`, `week` or `never`."""
    vanished_limit: float = 0.05
    """Share of the keys in raw; if more of them, and more than a handful, are gone from the source, a person is asked."""

    def __post_init__(self) -> None:
        if self.every not in (*DAYS, "never"):
            raise ValueError(f"every must be {', '.join(DAYS)} or never, not {self.every}")
        if self.every != "never" and self.reader not in ("api", "database"):
            raise ValueError("a file that is gone was delivered all the same: a drop folder is not compared")
        if not 0 <= self.vanished_limit <= 1:
            raise ValueError(f"vanished_limit is a share between 0 and 1, not {self.vanished_limit}")


def settings(source: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """The values of Reconcile from the `meta` of a source and of its table, of which the table's wins."""
    reader = source["reader"]
    return {"reader": reader} | USUAL.get(reader, {}) | source.get("reconcile", {}) | table.get("reconcile", {})
