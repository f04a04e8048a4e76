"""What people read about the KPIs, made from the dbt project itself: docs/kpi.md, and dbt's own docs as one file.

python -m crw.catalogue    writes docs/kpi.md
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crw import publish, seeds, settings

PAGE = settings.PROJECT / "docs" / "kpi.md"
QUERIES = settings.PROJECT / "docs" / "queries"
# Parsing needs the profile's variables to be set, and no database.
ANY = {f"CRW_PG{name}": "1" for name in ("HOST", "PORT", "USER", "PASSWORD", "DATABASE")}

HEAD = """\
# KPI catalogue

<!-- Made by `python -m crw.catalogue` from dbt_project/models/marts, models/semantic and docs/queries. Edit those, not this page. -->

The published marts, schema `marts`. Every figure is as known at the end of the last business date
(`core.as_of.business_date`). How it was known at the end of an earlier date is told, of all but `data_health`, by a function of the
mart's name: `select * from as_of.kpi_feedback('2013-03-31')`. It computes the mart anew from what was known then, in seconds; keep what you
want to ask twice in a temporary table.

Start with `kpi_scorecard` (every KPI by period, with its change and interval), `feedback_cube` (feedback by every feature at once) and
`data_health` (the nights themselves); `code_name` names every code in both languages. Publishing adds to each mart `business_date`, and
to each mart of periods `fiscal_year` and `is_latest`, its newest complete period of a basis, and beside each column of codes its sort
key (`service_order` beside `service_code`), unless the mart has a `sort_order` of its own. `customer_360` is published in schema
`accounts`, for account managers and analysts.

Names: `_share` lies between 0 and 1 and has its counts beside it, so add up the counts and divide, never average shares;
`_pct` is a relative change in percent, `_pp` a difference in percentage points; an unknown denominator gives an empty cell.
Unit and number format of each figure, and the list of `code_name` that names a column's codes, stand in `meta` of the column in the
mart's YAML, where this page, the pages and the dashboards find them; a unit's names in both languages are list `unit` of `code_name`.
"""

METRICS = """\
## Metrics

The KPIs as metrics of dbt's semantic layer, for any period and dimension of the facts; a test holds each to the mart column
beside it. `crw_analyst` asks for them through MetricFlow:

```
make metric Q="--metrics complaints,complaints_change_pct --group-by metric_time__fiscal_year --order metric_time__fiscal_year"
make metric Q="--metrics acknowledgement_within_target_share --group-by metric_time__month,case_no__channel_code --start-time 2012-04-01"
make metric Q="--metrics satisfied_share,valid_answers --group-by wave_code,response__question_code"
.venv/bin/crw mf list dimensions --metrics complaints
```

Periods have the names of the marts' bases: `metric_time__month`, `metric_time__fiscal_quarter`, `metric_time__fiscal_year`,
`metric_time__calendar_year`, and all that MetricFlow has of itself.
Unlike the marts, metrics give no row where nothing counts, and of a period that still runs a change or a churn share says what
it is so far; like them they are empty where part of what they need lies before the history, or among unknown holidays. Metrics
read `core`: they are as of the last night that was built, and small counts are not suppressed.

| metric | definition | mart column |
|---|---|---|
"""


class CatalogueError(RuntimeError):
    """dbt could not read the project or the warehouse. The message is dbt's."""


def page(manifest: dict[str, Any]) -> str:
    """The KPI catalogue in Markdown, from dbt's manifest and the example queries."""
    marts = marts_of(manifest)
    index = [f"| [{m['name']}](#{m['name']}) | {_grain(m)} | {len(m['columns'])} |" for m in marts]
    parts = [HEAD, "| mart | one row per | columns |\n|---|---|--:|\n" + "\n".join(index) + "\n"]
    parts += [_chapter(mart, manifest) for mart in marts]
    parts.append(METRICS + "\n".join(_metrics(manifest)) + "\n")
    parts.append("## Questions\n\nEach of these runs in a test, as `crw_analyst`.\n\n" + "\n".join(_questions()) + "\n")
    return "\n".join(parts)


def manifest() -> dict[str, Any]:
    """The project as dbt understands it. Needs no database. Raises CatalogueError with dbt's message."""
    return json.loads(parsed("manifest.json"))


def parsed(artifact: str) -> str:
    """A file that dbt writes when it parses the project as it is now. Raises CatalogueError with dbt's message."""
    target = settings.HOME / "dbt" / "catalogue"
    with _defaults(**ANY, CRW_BUSINESS_DATE="2000-01-01", CRW_SEED_PATH=str(seeds.prepare())):
        _dbt("parse", "--target-path", str(target))
    return (target / artifact).read_text(encoding="utf-8")


def write_dbt_docs(folder: Path) -> Path:
    """Write dbt's docs as one HTML file and return its path.

    It loads nothing from the network: its only tracker starts where the project allows usage statistics, and ours does not.

    Reads the warehouse by the CRW_PG* variables, for the tables that exist. Raises CatalogueError.
    """
    target = settings.HOME / "dbt" / "docs"
    with _defaults(CRW_BUSINESS_DATE="2000-01-01", CRW_SEED_PATH=str(seeds.prepare())):
        _dbt("docs", "generate", "--static", "--target-path", str(target))
    folder.mkdir(parents=True, exist_ok=True)
    html = (target / "static_index.html").read_text(encoding="utf-8")
    (folder / "index.html").write_text(_as_published(html), encoding="utf-8")
    return folder / "index.html"


def _as_published(html: str) -> str:
    """dbt's docs with each mart under the schema in which readers find it; dbt builds it in `candidate`."""
    for mart, schema in publish.SCHEMA.items():
        html = re.sub(rf'("schema": ?)"candidate"(, ?"name": ?"{mart}")', rf'\1"{schema}"\2', html)
        html = html.replace(rf"\"candidate\".\"{mart}\"", rf"\"{schema}\".\"{mart}\"")
    return html.replace('"candidate"', '"marts"').replace(r"\"candidate\"", r"\"marts\"")


def _dbt(*arguments: str) -> None:
    from dbt.cli.main import dbtRunner

    outcome = dbtRunner().invoke(
        ["--quiet", *arguments, "--project-dir", str(settings.DBT_PROJECT), "--profiles-dir", str(settings.DBT_PROJECT)]
    )
    if not outcome.success:
        raise CatalogueError(f"dbt {arguments[0]}: {outcome.exception or outcome.result}")


@contextmanager
def _defaults(**variables: str) -> Iterator[None]:
    """Set what is not set, for a while."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def marts_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The nodes of the marts, by name."""
    nodes = manifest["nodes"].values()
    return sorted(
        (n for n in nodes if n["resource_type"] == "model" and n["fqn"][1] == "marts"), key=lambda n: n["name"]
    )


def key_of(mart: dict[str, Any]) -> list[str]:
    """The columns of a mart's primary key."""
    of_model = [c["columns"] for c in mart["constraints"] if c["type"] == "primary_key"]
    of_column = [n for n, c in mart["columns"].items() if any(k["type"] == "primary_key" for k in c["constraints"])]
    return of_model[0] if of_model else of_column


def unit_of(column: dict[str, Any]) -> str:
    """What a column counts, by its English name in seed word, or that each row says it; nothing where it is no figure."""
    unit = column["config"]["meta"].get("unit", "")
    names = {row["code"]: row["name_en"] for row in seeds.rows("word") if row["list"] == "unit"}
    return names.get(unit, "as the row says" if unit == "by_row" else unit)


def formats_of(manifest: dict[str, Any]) -> dict[tuple[str, str], str]:
    """How to show the figures of the marts, as d3-format writes it, by mart and column."""
    return {
        (mart["name"], name): column["config"]["meta"]["format"]
        for mart in marts_of(manifest)
        for name, column in mart["columns"].items()
        if "format" in column["config"]["meta"]
    }


def _grain(mart: dict[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in key_of(mart))


def _chapter(mart: dict[str, Any], manifest: dict[str, Any]) -> str:
    ancestors = _ancestors(mart["unique_id"], manifest)
    parents = [i for i in _parents(mart["unique_id"], manifest) if i.startswith(("model.", "seed."))]
    readers = [e["name"] for e in manifest["exposures"].values() if mart["unique_id"] in e["depends_on"]["nodes"]]
    facts = {
        "One row per": _grain(mart),
        "Made from": _list(i.rpartition(".")[2] for i in parents),
        "Sources": _list(".".join(i.split(".")[-2:]) for i in ancestors if i.startswith("source.")),
        "Checked by": f"[its suite](../expectations/marts/{mart['name']}.json), each night before it is published",
        "Read by": _list(readers),
        **_meta(mart),
    }
    lines = [f"## {mart['name']}", "", _flat(mart["description"]), ""]
    lines += [f"- **{name}**: {value}" for name, value in facts.items() if value]
    lines += ["", "| column | type | unit | definition |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {column['data_type']} | {unit_of(column)} | {_definition(column)} |"
        for name, column in mart["columns"].items()
    ]
    return "\n".join([*lines, "", *_example(mart), ""])


def _meta(node: dict[str, Any]) -> dict[str, str]:
    """What the model or column says of itself beyond its description: caveat, formula and the like."""
    meta = {name: value for name, value in node["config"]["meta"].items() if name not in ("unit", "format")}
    in_words = {"pledge": _days_of, "codes": _list_of}
    told = {name: in_words.get(name, _flat)(str(value)) for name, value in meta.items()}
    return {name.replace("_", " ").capitalize(): value for name, value in told.items()}


def _list_of(codes: str) -> str:
    """Where code_name names the codes of a column."""
    return "the list that dimension names." if codes == "by_row" else f"list {codes}."


def _days_of(milestones: str) -> str:
    """Within how many days of which kind the operator promises each milestone, as the seed service_target says."""
    days = {row["milestone"]: f"{row['limit_days']} {row['day_basis']} days" for row in seeds.rows("service_target")}
    named = [name.strip() for name in milestones.split(",")]
    return "; ".join(f"{name} within {days.get(name, 'no promised time')}" for name in named) + "."


def _definition(column: dict[str, Any]) -> str:
    extras = [f"{name}: {value}" for name, value in _meta(column).items()]
    return " ".join([_flat(column["description"]), *extras]).replace("|", "\\|")


def _parents(identity: str, manifest: dict[str, Any]) -> list[str]:
    """What a node is made from, without what only says which of it the night changed (models/core/night)."""
    night = {i for i, node in manifest["nodes"].items() if node["fqn"][1:3] == ["core", "night"]}
    return [parent for parent in manifest["parent_map"].get(identity, []) if parent not in night]


def _ancestors(identity: str, manifest: dict[str, Any]) -> list[str]:
    found: set[str] = set()
    todo = [identity]
    while todo:
        for parent in _parents(todo.pop(), manifest):
            if parent not in found:
                found.add(parent)
                todo.append(parent)
    return sorted(found)


def _example(mart: dict[str, Any]) -> list[str]:
    """The first example query that reads the mart; where there is none, its newest rows."""
    relation = f"{publish.SCHEMA.get(mart['name'], 'marts')}.{mart['name']}"
    for path in sorted(QUERIES.glob("*.sql")):
        query = path.read_text(encoding="utf-8")
        if re.search(rf"\b{re.escape(relation)}\b", query):
            return [f"Example ([{path.name}](queries/{path.name})):", "", "```sql", query.strip(), "```"]
    order = ", ".join(f"{name} desc" for name in key_of(mart))
    return ["Example:", "", "```sql", f"select * from {relation} order by {order} limit 20;", "```"]


def _metrics(manifest: dict[str, Any]) -> Iterator[str]:
    for metric in sorted(manifest["metrics"].values(), key=lambda metric: metric["name"]):
        meta = metric["config"]["meta"]
        if "part_of" in meta:
            yield f"| `{metric['name']}` | {_flat(metric['description'])} | part of {meta['part_of']} |"
            continue
        cells = [f"`{name}` {value}" for name, value in meta.get("where", {}).items()]
        cells += [f"`{name}` not {value}" for name, value in meta.get("except", {}).items()]
        cells += [f"by {meta['by']} only"] if "by" in meta else []
        equal = "; ".join([f"`{meta['mart']}`", *cells])
        pledge = f" Pledge: {_days_of(meta['pledge'])}" if "pledge" in meta else ""
        yield f"| `{metric['name']}` | {_flat(metric['description'])}{pledge} | {equal} |"


def _questions() -> Iterator[str]:
    for path in sorted(QUERIES.glob("*.sql")):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        yield f"- [{first.removeprefix('-- Question:').strip()}](queries/{path.name})"


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _flat(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    PAGE.write_text(page(manifest()), encoding="utf-8")
