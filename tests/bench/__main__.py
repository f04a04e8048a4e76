"""Run every measurement at 100 thousand and 1 million rows and print one table.

Each stage and its floor are run in turn, A B A B ..., and the ratio is the median of the pairs' ratios: the machines this runs on
are noisy, and a ratio of one run can be compared where a time cannot.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from rich.console import Console
from rich.table import Table

from crw import warehouse
from crw.local.postgres import Server
from tests.bench import stages

ROUNDS = 3
SIZES = (100_000, 1_000_000)


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def measure(stage: stages.Stage) -> tuple[float, float | None]:
    """Median seconds of the stage, and its median ratio to its floor (None where there is none)."""
    taken, ratios = [], []
    for _ in range(ROUNDS):
        stage.prepare()
        overhead = seconds(stage.overhead) if stage.overhead else 0.0
        taken.append(seconds(stage.run) - overhead)
        if stage.floor:
            stage.prepare_floor()
            ratios.append(taken[-1] / seconds(stage.floor))
    return statistics.median(taken), statistics.median(ratios) if ratios else None


def main() -> int:
    """Print the table. The exit status is 0: a measurement is no test."""
    console = Console()
    table = Table(title="Each stage against its floor, medians of pairs in one run", title_justify="left")
    for heading in ("stage", "rows", "rows/s", "ratio", "floor", "target"):
        table.add_column(heading, justify="right" if heading in ("rows", "rows/s", "ratio", "target") else "left")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder) / "postgres")
        server.start()
        try:
            for size in SIZES:
                name = f"bench_{size}"
                with psycopg.connect(server.dsn(), autocommit=True) as admin:
                    admin.execute(f"create database {name}")
                with psycopg.connect(server.dsn(name), autocommit=True) as connection:
                    warehouse.install(connection)
                    for stage in stages.stages(connection, server, Path(folder), size):
                        console.print(f"measuring {stage.name} at {size:,} rows", style="dim", highlight=False)
                        taken, ratio = measure(stage)
                        table.add_row(
                            stage.name,
                            f"{size:,}",
                            f"{size / taken:,.0f}",
                            "" if ratio is None else f"{ratio:.2f}",
                            stage.floor_name,
                            stage.target,
                        )
        finally:
            server.stop()
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
