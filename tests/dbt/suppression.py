"""Tries to rebuild what marts suppress, from all pairs of marts: the same cell in another one, or a total less the cells shown."""

from __future__ import annotations

from itertools import product

BREAKDOWNS = {"dimension_value": "all", "group_code": "all", "constituency": "all"}
"""Columns that a total is broken down by, with what the total says there."""


def told(rows, schemas: tuple[str, ...] = ("candidate",)) -> list[tuple]:
    """What one mart tells of the hidden cells of another or its own: (mart, other mart, figure, cell, hidden cells, their sum).

    A sum of 1 to 4, or one of a single hidden cell, is told; a figure that a breakdown never has is none.

    Args:
        rows: a function of a query.
        schemas: where the marts are.
    """
    columns: dict[str, dict[str, str]] = {}
    for mart, name, type in rows(
        "select table_schema || '.' || table_name, column_name, data_type from information_schema.columns "
        f"where table_schema in ({', '.join(map(repr, schemas))}) order by 1, 2"
    ):
        columns.setdefault(mart, {})[name] = type
    found = []
    for mart, other in product((mart for mart in columns if "is_suppressed" in columns[mart]), columns):
        figures = [n for n, type in columns[mart].items() if type in ("integer", "bigint") and n in columns[other]]
        for figure, breakdown in product(figures, BREAKDOWNS.keys() & columns[mart].keys()):
            for way in (_by_difference, _by_join):
                found += [(mart, other, figure, *cell) for cell in way(rows, columns, mart, other, figure, breakdown)]
    return found


def _by_difference(rows, columns, mart: str, other: str, figure: str, breakdown: str) -> list[tuple]:
    shared = [
        n for n in columns[mart].keys() & columns[other].keys() if columns[mart][n] == "text" and n not in BREAKDOWNS
    ]
    shared = sorted(set(shared) - {"dimension"})
    totals = [f"{n} = '{total}'" for n, total in BREAKDOWNS.items() if n in columns[other]]
    if not {"period", "wave_code"} & set(shared):
        return []
    of_breakdown = [f"{breakdown} <> '{BREAKDOWNS[breakdown]}'"]
    of_breakdown += [f"{n} = '{total}'" for n, total in BREAKDOWNS.items() if n in columns[mart] and n != breakdown]
    keys = ", ".join(shared)
    groups = f"{keys}, dimension" if "dimension" in columns[mart] else keys
    return rows(
        f"select cell, hidden, total - shown from (select {keys}, concat_ws(' ', {groups}) as cell, "
        f"count(*) filter (where {figure} is null) as hidden, coalesce(sum({figure}), 0) as shown from {mart} "
        f"where {' and '.join(of_breakdown)} group by {groups} having count({figure}) > 0) as parts inner join (select {keys}, "
        f"max({figure}) as total from {other} where {' and '.join(totals) or 'true'} group by {keys} having count(*) = 1) as whole "
        f"using ({keys}) where hidden > 0 and total > shown and (hidden = 1 or total - shown between 1 and 4)"
    )


def _by_join(rows, columns, mart: str, other: str, figure: str, breakdown: str) -> list[tuple]:
    keys = [name for name, type in columns[mart].items() if type == "text" and name in columns[other]]
    if mart == other or breakdown not in keys or not {"period", "wave_code"} & set(keys):
        return []
    return rows(
        f"select concat_ws(' ', {', '.join(keys)}), 1, known.{figure} from {mart} as cell inner join {other} as known "
        f"using ({', '.join(keys)}) where cell.is_suppressed and cell.{figure} is null and known.{figure} between 1 and 4"
    )
