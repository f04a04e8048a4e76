"""What a reader could work out of the published marts about cells that are suppressed: every total less its parts, every pair."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import combinations

Rows = list[tuple]

# Of each suppressed figure: which sum it is part of, whether it is that sum, its flag, its value.
PARTS = {
    "members by feature": (
        "select array[period_basis, period, club_code], dimension, is_suppressed, members "
        "from {marts}.kpi_membership_by_dimension"
    ),
    "active members by feature": (
        "select array[period_basis, period, club_code], dimension, is_activity_suppressed, active_members "
        "from {marts}.kpi_membership_by_dimension where active_members is not null or is_activity_suppressed"
    ),
    "liaison members": (
        "select array[period_basis, period], case when group_code <> 'all' then 'group' when constituency <> 'all' then "
        "'constituency' else 'all' end, is_suppressed, members from {marts}.kpi_liaison"
    ),
    "answers by feature": (
        "select array[wave_code, question_code], dimension, is_suppressed, valid_answers "
        "from {marts}.kpi_satisfaction_by_dimension union all "
        "select array[wave_code, question_code], 'all', false, valid_answers from {marts}.kpi_satisfaction"
    ),
}
# The same figure of 'any' and of each club that counts as any.
CLUBS = (
    "select array[period_basis, period, dimension, dimension_value], club_code, {figure} "
    "from {marts}.kpi_membership_by_dimension where {figure} is not null and dimension <> 'all' "
    "and club_code in (select 'any' union select code from core.code_list where list = 'club' and counts_as = 'any')"
)


def told(query: Callable[[str], Rows], marts: str) -> list[str]:
    """What tells a cell of 1 to 4, or that a flag does not tell the truth; nothing in marts that are safe.

    Args:
        query: runs a query.
        marts: schema of the marts.
    """
    found = []
    for figure, parts in PARTS.items():
        rows = query(parts.format(marts=marts))
        found += [f"{figure}: {key}: flag {flag}, value {n}" for key, _, flag, n in rows if flag is not (n is None)]
        found += [f"{figure}: {key}: {n} is shown" for key, split, _, n in rows if split != "all" and n in range(1, 5)]
        found += [f"{figure}: {said}" for said in _by_difference(rows)]
    for figure in ("members", "active_members"):
        cells = defaultdict(dict)
        for key, club, n in query(CLUBS.format(marts=marts, figure=figure)):
            cells[tuple(key)][club] = n
        found += [
            f"{figure}: {key}: {abs(a - b)} between {one} and {other}"
            for key, shown in cells.items()
            for (one, a), (other, b) in combinations(sorted(shown.items()), 2)
            if "any" in (one, other) and abs(a - b) in range(1, 5)
        ]
    return found


def _by_difference(rows: Iterable[tuple]) -> list[str]:
    totals, splits = {}, defaultdict(list)
    for key, split, _, n in rows:
        if split == "all":
            totals[tuple(key)] = n
        else:
            splits[tuple(key), split].append(n)
    found = []
    for (key, split), cells in splits.items():
        hidden, left = cells.count(None), totals[key] - sum(n for n in cells if n is not None)
        # A total of fewer than five, or of one cell, says itself what its cells are.
        if hidden and len(cells) > 1 and totals[key] > 4 and (hidden == 1 or left < 5):
            found.append(f"{key} by {split}: {hidden} hidden cells hold {left}")
    return found
