"""A night of dbt and publishing on 1 and on 10 years of history: `python -m tests.bench.history`. Target: a ratio of at most 1.3.

Each year has the sample's rows (10,000 cases, 40,000 events, 6,000 memberships, 2,000 respondents of 10 questions). The two
warehouses take turns, A B A B, because the machines this runs on are noisy; a ratio is the median of the pairs' ratios. dbt's
start, which no history makes longer, is in the ratio of the night and not in the ratio of its nodes.
"""

from __future__ import annotations

import statistics
import sys

from rich.console import Console

from tests.bench.stage import scratch_server
from tests.bench.volume import NIGHTS, PerYear, Volume

YEARS = (1, 10)


def main() -> int:
    """Print seconds and ratio. The exit status is 0: a measurement is no test."""
    console = Console()
    with scratch_server() as (server, folder):
        short, long = (Volume(server, folder, years, PerYear()) for years in YEARS)
        for warehouse in (short, long):
            warehouse.first_build()
        pairs = [(short.night(number), long.night(number)) for number in range(1, NIGHTS + 1)]
    for years, nights in zip(YEARS, zip(*pairs, strict=True), strict=True):
        total, elapsed = (statistics.median(getattr(night, part) for night in nights) for part in ("total", "elapsed"))
        console.print(f"{years:>2} years: {total:.1f} s a night, {elapsed:.1f} s of it in nodes", highlight=False)
    for part, name in (("total", "of the night"), ("elapsed", "of its nodes alone")):
        ratio = statistics.median(getattr(after, part) / getattr(before, part) for before, after in pairs)
        console.print(f"ratio {name} {ratio:.2f} (target of the night at most 1.3)", highlight=False)
    console.print("seconds of the nodes that grow most, side by side, medians:", highlight=False)
    taken = {
        node: [statistics.median(night.nodes[node] for night in nights) for nights in zip(*pairs, strict=True)]
        for node in pairs[0][0].nodes
    }
    for node in sorted(taken, key=lambda node: taken[node][1] - taken[node][0], reverse=True)[:15]:
        console.print(f"  {taken[node][0]:6.2f} {taken[node][1]:6.2f}  {node}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
