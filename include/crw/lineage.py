"""Of what a KPI is made, from mart column to source column, read by sqlglot from the SQL that dbt compiled.

It is kept in `dbt_project/lineage.json`, which lineage events read (`crw.openlineage`), and shown on docs/lineage.md.

python -m crw.lineage    writes both; `make docs` does, after dbt's docs, which leave the compiled SQL of all models
"""

from __future__ import annotations

import json
import sys
from typing import Any

from sqlglot import exp
from sqlglot.lineage import lineage

from crw import settings

PAGE = settings.PROJECT / "docs" / "lineage.md"
KEPT = settings.DBT_PROJECT / "lineage.json"
ADDED = ("_row_no", "_load_id", "_business_date", "_is_vanished")
"""What `crw.warehouse` adds to the columns of a contract in raw."""

HEAD = """\
# Lineage of the KPIs

<!-- Made by `make docs` from the SQL that dbt compiled. Edit the models, not this page. -->

Each mart column that a metric is held to ([KPI catalogue](kpi.md#metrics)), and to the right where its values come from: columns of
`core` on the way, of `raw` (a source's table, by its contract), and of the seeds. By value: a column that only chooses, joins or
groups rows is not shown, so a count of rows shows what its conditions weigh, and a plain one nothing.

| mart column | through | source columns | seeds |
|---|---|---|---|
"""

Column = tuple[str, str, str]  # schema, relation, column


class Columns:
    """The columns of a dbt project whose SQL is compiled, and of what each is made."""

    def __init__(self, manifest: dict[str, Any]):
        self._nodes = {
            (node["schema"], node.get("identifier") or node["name"]): node
            for node in (*manifest["nodes"].values(), *manifest["sources"].values())
            if node["resource_type"] in ("model", "seed", "source")
        }
        self._schema: dict[str, dict[str, dict[str, dict[str, str]]]] = {}
        for (schema, name), node in self._nodes.items():
            names = [*node["columns"], *(ADDED if node["resource_type"] == "source" else ())]
            # sqlglot takes no table without columns; of the types only SQL that it rewrites would ask.
            types = {column: "text" for column in names} or {"_": "text"}
            self._schema.setdefault(node["database"], {}).setdefault(schema, {})[name] = types
        self._known: dict[Column, frozenset[Column]] = {}

    def kind(self, column: Column) -> str:
        """`model`, `seed` or `source`."""
        return self._nodes[column[:2]]["resource_type"]

    def made_of(self, column: Column) -> frozenset[Column]:
        """All columns that the values of this one come from, at any distance."""
        if column not in self._known:
            self._known[column] = frozenset()  # an incremental model reads itself
            parents = self._parents(column) - {column}
            self._known[column] = parents.union(*map(self.made_of, parents))
        return self._known[column]

    def _parents(self, column: Column) -> frozenset[Column]:
        node = self._nodes[column[:2]]
        if node["resource_type"] != "model":
            return frozenset()
        leaves = [
            (leaf.source.db, leaf.source.name, leaf.name.rpartition(".")[2].strip('"'))
            for leaf in lineage(column[2], node["compiled_code"], self._schema, dialect="postgres").walk()
            if not leaf.downstream and isinstance(leaf.source, exp.Table)
        ]
        return frozenset(leaf for leaf in leaves if leaf[:2] in self._nodes)  # a set-returning function is no relation


def kpis(manifest: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Of a manifest whose models are compiled: each mart column that a metric is held to, as `<mart>.<column>`, with the columns
    that its values come from, as `<schema>.<relation>.<column>`, by where they are: `core`, `raw` or `seeds`.
    """
    columns = Columns(manifest)
    names = {metric["config"]["meta"].get("mart") for metric in manifest["metrics"].values()} - {None}
    found = {}
    for name in sorted(names):
        made_of = sorted(columns.made_of(("candidate", *name.split("."))))
        found[name] = {
            "core": [".".join(c) for c in made_of if columns.kind(c) == "model" and c[0] == "core"],
            "raw": [".".join(c) for c in made_of if c[0] == "raw"],  # the ledger is a source too
            "seeds": [".".join(c) for c in made_of if columns.kind(c) == "seed"],
        }
    return found


def page(found: dict[str, dict[str, list[str]]]) -> str:
    """docs/lineage.md of what `kpis` found."""
    lines = [f"| `{name}` | {' | '.join(map(_list, made_of.values()))} |" for name, made_of in found.items()]
    return HEAD + "\n".join(lines) + "\n"


def _list(columns: list[str]) -> str:
    return ", ".join(f"`{column.partition('.')[2]}`" for column in columns)


if __name__ == "__main__":
    documented = settings.HOME / "dbt" / "docs" / "manifest.json"
    if not documented.exists():
        sys.exit("no SQL is compiled yet: `crw dbt-docs` first, as `make docs` does")
    made = kpis(json.loads(documented.read_text(encoding="utf-8")))
    # A line each, for whoever compares.
    lines = [f"{json.dumps(name)}: {json.dumps(made_of)}" for name, made_of in made.items()]
    KEPT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    PAGE.write_text(page(made), encoding="utf-8")
