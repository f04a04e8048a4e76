"""When a night has no marts to build: nothing new in raw, and the dbt project that built the marts unchanged.

And as of which date they are built where there are.
"""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

from crw import publish, transform

NIGHT = date(2013, 3, 31)


def test_published_marts_are_built_again_only_for_another_project(empty_warehouse, monkeypatch):
    connection = empty_warehouse.connection
    assert transform.why_not_needed(connection, NIGHT) is None
    transform.build(connection, NIGHT)
    assert transform.why_not_needed(connection, NIGHT) is None
    publish.publish_marts(connection, NIGHT, "test")
    assert "nothing reached raw" in transform.why_not_needed(connection, NIGHT)
    # Deleted by hand, or published while dbt was building: no load's time tells of it.
    connection.execute(
        "insert into audit.raw_change (relation, business_date, key) values ('feedback__cases', %s, 'C1')", [NIGHT]
    )
    assert transform.why_not_needed(connection, NIGHT) is None
    assert not transform.is_up_to_date(connection, NIGHT)
    transform.build(connection, date(2013, 3, 30))
    assert transform.built_date(connection) == NIGHT  # as of the newest date published: marts never go back
    assert transform.why_not_needed(connection, NIGHT) is None  # built, and its marts not published
    publish.publish_marts(connection, NIGHT, "test")
    assert "nothing reached raw" in transform.why_not_needed(connection, NIGHT)
    assert transform.is_up_to_date(connection, NIGHT)
    assert not transform.is_up_to_date(connection, date(2013, 4, 1))  # of which nothing was published
    monkeypatch.setattr(transform, "project_version", lambda: "with a formula mended")
    assert transform.why_not_needed(connection, NIGHT) is None


def test_a_build_of_the_same_project_makes_no_view_and_no_list_again_and_tests_them_all_the_same(
    empty_warehouse, monkeypatch
):
    connection = empty_warehouse.connection
    views = {"staging.stg_feedback__case", "staging.stg_survey__answer"}

    def built(version: str) -> tuple[set[str], set[str]]:
        monkeypatch.setattr(transform, "project_version", lambda: version)
        models = {model.relation for model in transform.build(connection, NIGHT)}
        results = json.loads((Path(os.environ["DBT_TARGET_PATH"]) / "run_results.json").read_text())["results"]
        return models, {
            result["unique_id"] for result in results if result["status"] == "success" or result["status"] == "pass"
        }

    models, nodes = built("one version")
    models_again, nodes_again = built("one version")
    assert models >= views and "seed.crw.code_list" in nodes
    assert not models_again & views and "seed.crw.code_list" not in nodes_again
    assert "staging.stg_night" in models_again  # it says which night it is
    assert {node for node in nodes if node.startswith("test.")} == {
        node for node in nodes_again if node.startswith("test.")
    }
    assert transform._built_version(connection) == "one version"
    assert built("another version")[0] >= views
