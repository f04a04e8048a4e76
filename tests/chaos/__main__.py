"""Whole nights struck at seeded points, each run again until it is through: `make chaos [KILLS=200] [SEED=...] [HOMES=folder]`.

Beside them the same nights undisturbed, in a home of their own; raw, core and marts of the two must be equal.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections import Counter, defaultdict
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos import strikes, struck
from tests.homes import Home

FIRST = date(2013, 3, 31)
A_NIGHT = 12  # strikes, one attempt each, before a night is left alone


def main() -> int:
    """Strike, compare, print the table. Returns the exit status: 1 if anything is not as it should be."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--homes", type=Path, help="where the two homes are made, and left")
    arguments = parser.parse_args()
    folder = arguments.homes or Path(tempfile.mkdtemp(prefix="chaos"))
    straight, home = Home(folder / "straight"), Home(folder / "struck")
    for each in (straight, home):  # one key for both, or no pseudonym would be the other home's
        each.environment["CRW_PSEUDONYM_KEY"] = "the key of chaos"
    print(f"SEED={arguments.seed}, homes in {folder}", flush=True)
    chosen = random.Random(arguments.seed)
    not_here = strikes.NOT_HERE | struck.not_here(home)
    kinds = [kind for kind in strikes.STRIKES if kind not in not_here]
    deck: list[str] = []
    outcomes: dict[str, Counter] = defaultdict(Counter)
    faults: list[str] = []
    left, night = arguments.kills, FIRST
    try:
        while left:
            for _ in range(min(A_NIGHT, left)):
                deck = deck or chosen.sample(kinds, len(kinds))
                found = struck.run(home, night, deck.pop(), chosen.randrange(1, struck.LINES), chosen.random() * 2)
                print(f"{night} {found}", flush=True)
                outcomes[found.kind][found.outcome] += 1
                faults += found.faults
                left -= 1
            faults += struck.through(home, night) + struck.through(straight, night)
            night += timedelta(days=1)
        faults += struck.differences(straight, home) + struck.left_over(home)
    finally:
        for each in (straight, home):
            each.crw("down")
    _show(outcomes, not_here)
    print(*(faults or ["raw, core and marts equal the undisturbed nights', and nothing is left over"]), sep="\n")
    return 1 if faults else 0


def _show(outcomes: dict[str, Counter], not_here: dict[str, str]) -> None:
    columns = sorted({outcome for of_kind in outcomes.values() for outcome in of_kind})
    table = Table(title="Strikes by kind and outcome", title_justify="left")
    for heading in ("kind", *columns):
        table.add_column(heading)
    for kind, of_kind in outcomes.items():
        table.add_row(kind, *(str(of_kind[outcome] or "") for outcome in columns))
    for kind, reason in not_here.items():
        table.add_row(kind, f"not struck: {reason}")
    Console(width=None if os.isatty(1) else 140).print(table)


if __name__ == "__main__":
    sys.exit(main())
