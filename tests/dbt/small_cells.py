"""What a reader could work out of the published marts about cells that are suppressed: every total less its parts, every pair."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import combinations, product

from crw import catalogue
from crw.report import catalogue_page
from tests.dbt.conftest import built_manifest

Rows = list[tuple]
Relation = tuple[str, dict[str, str | None]]
"""What can be selected from, and its columns, each with its unit where one is declared."""

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
# Of each mart that hides cells: what its parts are parts by, and its hidden figures, each with its flag.
HIDING = {
    "kpi_membership_by_dimension": (
        "dimension", {"members": "is_suppressed", "active_members": "is_activity_suppressed"}
    ),
    "kpi_liaison": (
        "case when group_code <> 'all' then 'group' when constituency <> 'all' then 'constituency' else 'all' end",
        {"members": "is_suppressed", "seats_due": "is_suppressed", "seats_attended": "is_suppressed"},
    ),
    "kpi_satisfaction_by_dimension": (
        "dimension", {"valid_answers": "is_suppressed", "top_box_answers": "is_suppressed"}
    ),
    "kpi_membership_retention": ("'cohort'", {"joined": "is_suppressed", "retained": "is_suppressed"}),
}  # fmt: skip
KEYS = {
    "kpi_membership_by_dimension": {"period_basis", "period", "club_code", "dimension", "dimension_value"},
    "kpi_liaison": {"period_basis", "period", "group_code", "constituency"},
    "kpi_satisfaction_by_dimension": {"wave_code", "question_code", "dimension", "dimension_value"},
    "kpi_membership_retention": {"cohort_fiscal_year", "club_code", "years_since_joining"},
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
    relations = _relations(query, marts)
    return found + [
        f"{mart} beside {other}: {said}"
        for mart, other in product(HIDING, relations)
        if other != mart
        for said in _beside(query, mart, relations[mart], relations[other])
    ]


def _relations(query: Callable[[str], Rows], marts: str) -> dict[str, Relation]:
    """Every mart, and each KPI of the scorecard under the name of the column that it is: a relation, and its columns
    with their units: members of a club are companies, those of a liaison group are people."""
    manifest = built_manifest()
    units = {
        (mart["name"], name): column["config"]["meta"].get("unit")
        for mart in catalogue.marts_of(manifest)
        for name, column in mart["columns"].items()
    }
    columns = defaultdict(dict)
    for name, column in query(
        f"select table_name, column_name from information_schema.columns where table_schema = '{marts}'"
    ):
        columns[name][column] = units.get((name, column))
    found = {name: (f"{marts}.{name}", of_name) for name, of_name in columns.items()}
    assert {"kpi_scorecard", "feedback_cube", "data_health"} <= found.keys()
    for kpi, made in catalogue_page.made_of(manifest).items():
        cells = {name: of for name, of in re.findall(r"mart\.(\w+) = '(\w+)'", made["rows"]) if of != "all"}
        for part in ("numerator", "denominator"):
            if figure := re.fullmatch(r"mart\.(\w+)", made[part]):
                constants = "".join(f", '{value}'::text as {name}" for name, value in cells.items())
                relation = (
                    f"(select period_basis, period, {part} as {figure[1]}{constants} "
                    f"from {marts}.kpi_scorecard where kpi = '{kpi}')"
                )
                found[f"{kpi} of the scorecard"] = (
                    relation,
                    dict.fromkeys(["period_basis", "period", *cells]) | {figure[1]: units[made["mart"], figure[1]]},
                )
    return found


def _beside(query: Callable[[str], Rows], mart: str, own: Relation, other: Relation) -> list[str]:
    """What another relation tells of this mart's hidden cells: the cell itself, or the sum that its shown parts are taken from."""
    relation, has = other
    split, flags = HIDING[mart]
    found = []
    for figure, flag in flags.items():
        keys = sorted(KEYS[mart] & has.keys())
        if figure not in has or not keys or has[figure] not in (None, own[1][figure]):
            continue
        rows = query(
            f"select array[{', '.join(keys)}]::text[], {split}, {flag}, {figure} from {own[0]} where {split} <> 'all'"
        )
        shown = defaultdict(list)
        for key, n in query(f"select array[{', '.join(keys)}]::text[], {figure} from {relation} as t"):
            shown[tuple(key)].append(n)
        if set(keys) == KEYS[mart]:
            found += [f"{key}: {figure}" for key, _, hidden, _ in rows if hidden and any(shown.get(tuple(key), []))]
        else:
            totals = [(key, "all", False, ns[0]) for key, ns in shown.items() if len(ns) == 1 and ns[0] is not None]
            known = {tuple(key) for key, *_ in totals}
            found += _by_difference([*totals, *(row for row in rows if tuple(row[0]) in known)])
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
