"""The lineage of a KPI: to the columns that its values come from, and a page that has every KPI."""

from __future__ import annotations

import json

from crw import contracts, lineage


def node(kind, schema, name, columns, sql=None):
    declared = {column: {} for column in columns}
    return {
        "resource_type": kind, "database": "w", "schema": schema, "name": name, "columns": declared, "compiled_code": sql,
    }  # fmt: skip


def test_a_column_is_made_of_what_its_values_come_from_and_not_of_what_chooses_rows():
    models = [
        node("seed", "core", "pledge", ["kind", "days"]),
        node("model", "staging", "stg_case", ["kind", "taken"],
             "select kind, closed_on - opened_on as taken from raw.cases where not _is_vanished"),
        # An incremental model, which reads itself; a series is no relation.
        node("model", "core", "fct", ["kind", "taken"],
             "with old as (select kind, taken from core.fct) select kind, taken from staging.stg_case union all select * from old"),
        node("model", "candidate", "kpi", ["late"],
             "select count(*) filter (where fct.taken > pledge.days) as late from core.fct "
             "inner join core.pledge on fct.kind = pledge.kind cross join generate_series(1, 2) as s (day)"),
    ]  # fmt: skip
    source = node("source", "raw", "cases", ["kind", "opened_on", "closed_on"])
    columns = lineage.Columns({"nodes": {n["name"]: n for n in models}, "sources": {"cases": source}})
    found = columns.made_of(("candidate", "kpi", "late"))
    assert {c for c in found if columns.kind(c) == "source"} == {
        ("raw", "cases", "opened_on"),
        ("raw", "cases", "closed_on"),
    }
    assert {c for c in found if columns.kind(c) == "seed"} == {("core", "pledge", "days")}


def test_what_is_kept_names_columns_that_the_contracts_have_and_the_page_shows_it():
    kept = json.loads(lineage.KEPT.read_text(encoding="utf-8"))
    assert lineage.PAGE.read_text(encoding="utf-8") == lineage.page(kept)
    declared = {f"raw.{t.identifier}.{c.name}" for t in contracts.tables().values() for c in t.columns}
    added = {f"raw.{t.identifier}.{name}" for t in contracts.tables().values() for name in lineage.ADDED}
    assert {name for made_of in kept.values() for name in made_of["raw"]} <= declared | added
    plain_counts = {name for name, made_of in kept.items() if not made_of["raw"] + made_of["seeds"]}
    assert plain_counts == {"kpi_account_management.interactions", "kpi_feedback_backlog.open_cases"}
