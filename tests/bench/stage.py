"""What the bench times, and where."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import Connection, sql

from crw import landing
from crw.contracts import Table
from crw.local.postgres import Server
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


@contextmanager
def scratch_server() -> Iterator[tuple[Server, Path]]:
    """A PostgreSQL server of the bench's own and a folder for its files; both are gone afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder) / "postgres")
        server.start()
        try:
            yield server, Path(folder)
        finally:
            server.stop()


def checks(warehouse: Connection, table: Table) -> dict[str, Callable[[], object]]:
    """What a load does with a landed batch."""
    count = sql.SQL("select count(*) from {}").format(landing_table(table))
    return {
        "ANALYZE": lambda: landing.analyze(warehouse.cursor(), table),
        "count check": lambda: warehouse.execute(count).fetchone(),
    }
