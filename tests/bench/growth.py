"""What more cases cost, over the same years: `python -m tests.bench.growth [cases ...]`. Target: exponent of a night below 0.3.

Five years hold 30,000, 300,000 and 1,000,000 cases with four events each, or as many as the arguments say; memberships and answers stay
as they are, for a club grows no faster where more is written. Measured are the first build of everything, with publication, and the median
of nights that amend 100 cases. An exponent says how a cost grows: 1 with the cases, 0 not at all.
"""

from __future__ import annotations

import math
import statistics
import sys
from itertools import pairwise

from rich.console import Console

from tests.bench.stage import scratch_server
from tests.bench.volume import NIGHTS, Night, PerYear, Volume

YEARS = 5
SIZES = (30_000, 300_000, 1_000_000)


def main() -> int:
    """Print seconds and exponents. The exit status is 0: a measurement is no test."""
    console = Console()
    sizes = [int(argument) for argument in sys.argv[1:]] or list(SIZES)
    firsts: list[Night] = []
    nights: list[Night] = []
    with scratch_server() as (server, folder):
        for size in sizes:
            volume = Volume(server, folder, YEARS, PerYear(cases=size // YEARS))
            firsts.append(volume.first_build())
            measured = [volume.night(number) for number in range(1, NIGHTS + 1)]
            nights.append(statistics.median_low(measured))
            disk = volume.disk()
            volume.drop()
            console.print(
                f"{size:>9,} cases: {firsts[-1].total:7.1f} s a first build, {nights[-1].total:5.1f} s a night, "
                f"{nights[-1].elapsed:5.1f} s of it in nodes, {disk / 1e9:5.1f} GB on disk",
                highlight=False,
            )
    for (less, more), (before, after), (first_before, first_after) in zip(
        pairwise(sizes), pairwise(nights), pairwise(firsts), strict=True
    ):
        exponents = [
            math.log(large / small) / math.log(more / less)
            for small, large in (
                (first_before.total, first_after.total),
                (before.total, after.total),
                (before.elapsed, after.elapsed),
            )
        ]
        console.print(
            "{:,} to {:,} cases: exponent {:.2f} of a first build, {:.2f} of a night, {:.2f} of its nodes".format(
                less, more, *exponents
            ),
            highlight=False,
        )
        console.print("  seconds of the night's nodes that grow most:", highlight=False)
        grown = sorted(after.nodes, key=lambda node: after.nodes[node] - before.nodes[node], reverse=True)
        for node in grown[:12]:
            console.print(f"  {before.nodes[node]:6.2f} {after.nodes[node]:6.2f}  {node}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
