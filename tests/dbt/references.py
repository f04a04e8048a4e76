"""The keys of core as its YAML declares them and as PostgreSQL has them, and the rows that refer to nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from crw import catalogue

Key = tuple[str, tuple[str, ...], str]
"""A table, its columns, and the table that they refer to; of a primary key the table itself."""

DRAWN = """
    select k.conrelid::regclass::text, k.confrelid::regclass::text,
        array_agg(a.attname::text order by array_position(k.conkey, a.attnum)), k.conenforced
    from pg_constraint as k inner join pg_attribute as a on k.conrelid = a.attrelid and a.attnum = any(k.conkey)
    where k.connamespace = 'core'::regnamespace and k.contype in ('p', 'f') group by k.oid
"""


def declared(manifest: dict[str, Any]) -> set[Key]:
    """The keys of every table that core keeps: a view has none."""
    models = {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == "core" and node["config"]["materialized"] != "view"
    }
    keys = {(name, tuple(catalogue.key_of(node)), name) for name, node in models.items()}
    for name, node in models.items():
        to = defaultdict(list)
        for column in node["columns"].values():
            if target := column["config"]["meta"].get("references"):
                to[target].append(column["name"])
        keys |= {(name, tuple(columns), target) for target, columns in to.items()}
    return keys


def drawn(query: Callable[[str], list[tuple]]) -> set[Key]:
    """The keys that a tool finds; only primary ones are enforced."""
    rows = query(DRAWN)
    assert {(of == to or to == "-") for of, to, _, enforced in rows if enforced} == {True}
    names = [(of.removeprefix("core."), tuple(columns), to.removeprefix("core.")) for of, to, columns, _ in rows]
    return {(of, columns, of if to == "-" else to) for of, columns, to in names}


def without_partner(query: Callable[[str], list[tuple]], keys: set[Key]) -> dict[Key, int]:
    """How many rows of each reference, of those that have any, lead nowhere: a drawn key must be true."""
    found = {}
    for of, columns, to in sorted(keys):
        if of != to:
            is_there = " and ".join(f"r.{column} is not null" for column in columns)
            on = " and ".join(
                f"r.{column} = t.{other}" for column, other in zip(columns, key_of(keys, to), strict=True)
            )
            rows = query(
                f"select count(*) from core.{of} as r where {is_there} and not exists (select from core.{to} as t where {on})"
            )
            found[of, columns, to] = rows[0][0]
    return {key: rows for key, rows in found.items() if rows}


def key_of(keys: set[Key], table: str) -> tuple[str, ...]:
    """The columns of the table's primary key."""
    return next(columns for of, columns, to in keys if of == to == table)
