"""What the bench times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from psycopg import Connection, sql

from crw import landing
from crw.contracts import Table
from crw.warehouse import landing_table


def nothing() -> None:
    """No preparation."""


@dataclass(frozen=True)
class Stage:
    """Something to time: `run` against `floor`, each after its preparation, which is not timed."""

    name: str
    run: Callable[[], object]
    floor_name: str
    floor: Callable[[], object]
    target: str
    prepare: Callable[[], object] = nothing
    prepare_floor: Callable[[], object] = nothing
    overhead: Callable[[], object] | None = None
    """What `run` spends before it does anything: timed too, and taken off."""
    parts: dict[str, Callable[[], object]] = field(default_factory=dict)
    """What explains the ratio, each timed alone after the floor, as a multiple of the floor's time."""


def checks(warehouse: Connection, table: Table) -> dict[str, Callable[[], object]]:
    """What a load does with a landed batch."""
    count = sql.SQL("select count(*) from {}").format(landing_table(table))
    return {
        "ANALYZE": lambda: landing.analyze(warehouse.cursor(), table),
        "count check": lambda: warehouse.execute(count).fetchone(),
    }
