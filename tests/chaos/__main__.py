"""Whole nights struck at seeded points, each run again until it is through: `make chaos [KILLS=200] [SEED=...] [HOMES=folder]`.

Beside them the same nights undisturbed, in a home of their own; raw, core and marts of the two must be equal.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
from collections import Counter, defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.chaos import clock, strikes, struck
from tests.homes import Home

FIRST, LAST = date(2013, 3, 31), date(2013, 4, 30)
AN_ATTEMPT = 9  # strikes that a night may outlive, before one that ends it
A_NIGHT = 30  # strikes, in several attempts, before a night is left alone


def main() -> int:
    """Strike, compare, print the table. Returns the exit status: 1 if anything is not as it should be."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--homes", type=Path, help="where the two homes are made, and left")
    parser.add_argument(
        "--first", type=date.fromisoformat, default=FIRST, help="the first night, to go on in homes of an earlier run"
    )
    arguments = parser.parse_args()
    folder = arguments.homes or Path(tempfile.mkdtemp(prefix="chaos"))
    straight, home = Home(folder / "straight"), Home(folder / "struck")
    for each in (straight, home):  # one key for both, or no pseudonym would be the other home's
        each.environment["CRW_PSEUDONYM_KEY"] = "the key of chaos"
    print(f"SEED={arguments.seed}, homes in {folder}", flush=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # nohup has it ignored, and the nights would with us
    not_here = struck.not_here(home)
    if clock.not_here() is None:
        clock.prepare(home)
    draw = _Deck(random.Random(arguments.seed), [kind for kind in strikes.STRIKES if kind not in not_here])
    outcomes: dict[str, Counter] = defaultdict(Counter)
    faults: list[str] = []
    left, night, undisturbed = arguments.kills, arguments.first, ThreadPoolExecutor(1)
    nights: list[Future] = []
    try:
        while left > 0 and night <= LAST:
            nights.append(undisturbed.submit(struck.through, straight, night))
            tonight, is_through = A_NIGHT, False
            while min(left, tonight) > 0 and not is_through:
                points = draw.attempt()
                attempt = struck.run(home, night, points)
                print(f"{night} {attempt}", flush=True)
                for kind, outcome in attempt.outcomes():
                    outcomes[kind][outcome] += 1
                draw.put_back(points[len(attempt.struck) :])
                faults += attempt.faults
                left, tonight = left - len(attempt.struck), tonight - len(attempt.struck)
                is_through = attempt.outcome == "went on"
            faults += [] if is_through else struck.through(home, night)
            night += timedelta(days=1)
        faults += [fault for done in nights for fault in done.result()]
        faults += struck.differences(straight, home) + struck.left_over(home)
    finally:
        undisturbed.shutdown(cancel_futures=True)
        for each in (straight, home):
            each.crw("down")
    _show(outcomes, not_here)
    print(f"{sum(map(Counter.total, outcomes.values()))} strikes in {len(nights)} nights")
    print(*(faults or ["raw, core and marts equal the undisturbed nights', and nothing is left over"]), sep="\n")
    return 1 if faults else 0


class _Deck:
    """Kinds of strikes in an order by chance, each once before any of them again; tasks and workers, of which there are many, twice."""

    def __init__(self, chance: random.Random, kinds: list[str]) -> None:
        self.chance = chance
        self.ending = [kind for kind in kinds if kind in strikes.OUTCOMES]
        self.others = [kind for kind in (*kinds, "task", "worker") if kind not in strikes.OUTCOMES]
        self.drawn: dict[bool, list[str]] = {True: [], False: []}

    def attempt(self) -> list[struck.Point]:
        """Points for one attempt, of which the last ends the night."""
        kinds = [self._draw(ending=False) for _ in range(AN_ATTEMPT)] + [self._draw(ending=True)]
        lines = sorted(self.chance.randrange(1, struck.LINES) for _ in kinds)
        return [struck.Point(kind, line, self.chance.random() * 2) for kind, line in zip(kinds, lines, strict=True)]

    def put_back(self, points: list[struck.Point]) -> None:
        """Points that their night did not come to are drawn again."""
        for point in points:
            self.drawn[point.kind in strikes.OUTCOMES].append(point.kind)

    def _draw(self, *, ending: bool) -> str:
        if not self.drawn[ending]:
            kinds = self.ending if ending else self.others
            self.drawn[ending] = self.chance.sample(kinds, len(kinds))
        return self.drawn[ending].pop()


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
