"""The lineage of a KPI: to the columns that its values come from, and a page that has every KPI."""

from __future__ import annotations

import re

from crw import catalogue, contracts, lineage


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


def test_the_page_has_each_kpi_and_names_columns_that_the_contracts_have(tmp_path, monkeypatch):
    monkeypatch.setattr("crw.settings.HOME", tmp_path)
    metrics = catalogue.manifest()["metrics"].values()
    rows = [line.split("|") for line in lineage.PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    held = {metric["config"]["meta"].get("mart") for metric in metrics} - {None}
    assert {row[1].strip(" `") for row in rows} == held, "run a night and python -m crw.lineage"
    declared = {f"{t.identifier}.{c.name}" for t in contracts.tables().values() for c in t.columns}
    added = {f"{t.identifier}.{name}" for t in contracts.tables().values() for name in lineage.ADDED}
    assert {name for row in rows for name in re.findall(r"`(\S+)`", row[3])} <= declared | added
    plain_counts = {row[1].strip(" `") for row in rows if not (row[3] + row[4]).strip()}
    assert plain_counts == {"kpi_account_management.interactions", "kpi_feedback_backlog.open_cases"}
