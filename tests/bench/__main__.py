"""Run every measurement at 100 thousand and 1 million rows and print one table.

Each stage and its floor are run in turn, A B A B ..., and the ratio is the median of the pairs' ratios: the machines this runs on
are noisy, and a ratio of one run can be compared where a time cannot. Below a stage stand the parts that explain its ratio,
each timed alone, also as multiples of the floor.
"""

from __future__ import annotations

import logging
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from rich.console import Console
from rich.table import Table

from crw import warehouse
from tests.bench import stages
from tests.bench.stage import Stage, scratch_server

ROUNDS = {100_000: 5, 1_000_000: 3}
"""Rounds at each number of rows."""


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


@dataclass
class Measured:
    """Medians over the rounds: seconds of the stage and of its floor, and ratios to the floor of the same round."""

    taken: float
    floor: float
    ratio: float
    parts: dict[str, float]


def measure(stage: Stage, rounds: int) -> Measured:
    """Stage, floor and parts in turn, `rounds` times."""
    taken, floors, parts = [], [], {name: [] for name in stage.parts}
    for _ in range(rounds):
        stage.prepare()
        overhead = seconds(stage.overhead) if stage.overhead else 0.0
        taken.append(seconds(stage.run) - overhead)
        stage.prepare_floor()
        floors.append(seconds(stage.floor))
        for name, part in stage.parts.items():
            parts[name].append(seconds(part) / floors[-1])
    return Measured(
        statistics.median(taken),
        statistics.median(floors),
        statistics.median(mine / floor for mine, floor in zip(taken, floors, strict=True)),
        {name: statistics.median(ratios) for name, ratios in parts.items()},
    )


def add(table: Table, stage: Stage, size: int, measured: Measured) -> None:
    """The stage's row, and one for each of its parts."""
    speeds = [f"{size / taken:,.0f}" for taken in (measured.taken, measured.floor)]
    table.add_row(stage.name, f"{size:,}", *speeds, f"{measured.ratio:.2f}", stage.target, stage.floor_name)
    for name, part in measured.parts.items():
        table.add_row(f"  {name}", "", "", "", f"{part:.2f}")


def main() -> int:
    """Print the table. The exit status is 0: a measurement is no test."""
    logging.disable(logging.INFO)  # Great Expectations tells of each folder it makes
    console = Console(width=None if sys.stdout.isatty() else 130)
    table = Table(title="Each stage against its floor, medians of pairs in one run", title_justify="left")
    for heading in ("stage", "rows", "rows/s", "floor's", "ratio", "target", "floor"):
        table.add_column(heading, justify="left" if heading in ("stage", "floor") else "right")
    with scratch_server() as (server, folder):
        for size, rounds in ROUNDS.items():
            name = f"bench_{size}"
            with psycopg.connect(server.dsn(), autocommit=True) as admin:
                admin.execute(f"create database {name}")
            with psycopg.connect(server.dsn(name), autocommit=True) as connection:
                warehouse.install(connection)
                for stage in stages.stages(connection, server, folder, size):
                    console.print(f"{stage.name} at {size:,} rows: ", end="", style="dim", highlight=False)
                    measured = measure(stage, rounds)
                    console.print(f"{measured.ratio:.2f} times its floor", style="dim", highlight=False)
                    add(table, stage, size, measured)
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
