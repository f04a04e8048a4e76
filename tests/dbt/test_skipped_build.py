"""When a night has no marts to build: nothing new in raw, and the dbt project that built the marts unchanged.

And as of which date they are built where there are.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from dbt.cli.main import dbtRunner

from crw import publish, transform, warehouse

NIGHT = date(2013, 3, 31)


VIEWS = {"staging.stg_feedback__case", "staging.stg_survey__answer"}


class Recorded(dbtRunner):
    """dbt, and what its last run came to."""

    def invoke(self, *arguments, **named):
        Recorded.last = super().invoke(*arguments, **named)
        return Recorded.last


def build(connection, night: date) -> tuple[set[str], set[str]]:
    """Build a night. Returns the relations of the models that were made, and every node of dbt that was made or passed."""
    models = {model.relation for model in transform.build(connection, night)}
    return models, {node.node.unique_id for node in Recorded.last.result if node.status in ("success", "pass")}


def manifest_written() -> int:
    return (Path(os.environ["DBT_TARGET_PATH"]) / "manifest.json").stat().st_mtime_ns


def bring_from_a_server_ahead(connection) -> None:
    """As a backup does whose server had made four billion transactions more than this one."""
    ahead = "({}::text::bigint + 4000000000)"
    connection.execute(f"update audit.raw_change set changed_by = {ahead.format('changed_by')}::text::xid8")
    xmin, xmax = (ahead.format(f"pg_snapshot_{end}(known_until::pg_snapshot)") for end in ("xmin", "xmax"))
    connection.execute(f"update core.build set known_until = {xmin} || ':' || {xmax} || ':'")


def data_tests(nodes: set[str]) -> set[str]:
    return {node for node in nodes if node.startswith("test.")}


def test_marts_views_and_lists_are_made_again_only_where_they_must_be(empty_warehouse, monkeypatch, tmp_path):
    connection, before = empty_warehouse.connection, transform.project_version()
    monkeypatch.setattr("dbt.cli.main.dbtRunner", Recorded)
    assert transform.why_not_needed(connection, NIGHT) is None
    models, nodes = build(connection, NIGHT)
    assert models >= VIEWS and "seed.crw.code_list" in nodes and data_tests(nodes)
    assert transform.why_not_needed(connection, NIGHT) is None
    publish.publish_marts(connection, NIGHT, "test")
    assert "nothing reached raw" in transform.why_not_needed(connection, NIGHT)
    # Deleted by hand, or published while dbt was building: no load's time tells of it.
    connection.execute(
        "insert into audit.raw_change (relation, business_date, key) values ('feedback__cases', %s, 'C1')", [NIGHT]
    )
    assert transform.why_not_needed(connection, NIGHT) is None
    assert not transform.is_up_to_date(connection, NIGHT)
    # Of the same project: no view and no list is made again, and all are tested all the same.
    written = manifest_written()
    models_again, nodes_again = build(connection, date(2013, 3, 30))
    assert manifest_written() == written
    assert transform.manifest()["metadata"]["project_name"] == "crw"
    assert not models_again & VIEWS and "seed.crw.code_list" not in nodes_again
    assert "staging.stg_night" in models_again  # it says which night it is
    assert data_tests(nodes_again) == data_tests(nodes)
    assert transform._built_version(connection) == transform.project_version()
    assert transform.built_date(connection) == NIGHT  # as of the newest date published: marts never go back
    assert transform.why_not_needed(connection, NIGHT) is None  # built, and its marts not published
    publish.publish_marts(connection, NIGHT, "test")
    assert "nothing reached raw" in transform.why_not_needed(connection, NIGHT)
    assert transform.is_up_to_date(connection, NIGHT)
    assert not transform.is_up_to_date(connection, date(2013, 4, 1))  # of which nothing was published
    bring_from_a_server_ahead(connection)
    warehouse.install(connection)
    assert transform.why_not_needed(connection, NIGHT) is None  # whatever the other server's transactions saw
    assert transform._built_version(connection) is None
    assert connection.execute(
        "select count(*) > 0, bool_and(changed_by <= pg_current_xact_id()) from audit.raw_change"
    ).fetchone() == (True, True)
    (tmp_path / "typed_date.sql").write_text("-- which reads one form more\n")
    monkeypatch.setattr(transform, "TYPED_DATE", tmp_path / "typed_date.sql")
    assert transform.project_version() != before
    assert transform.why_not_needed(connection, NIGHT) is None
    assert build(connection, NIGHT)[0] >= VIEWS
    assert manifest_written() > written
