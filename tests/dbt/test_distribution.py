"""What a distributed warehouse asks of the models; on one server nothing of it shows."""

import os
from pathlib import Path

import pytest

from crw import catalogue
from tests.dbt import world
from tests.dbt.conftest import built_manifest

FACTS = ("event", "record", "case", "milestone", "movement", "open_spell")


@pytest.fixture(scope="module")
def built(module_warehouse):
    """A case whose number is written in three ways, the latest between the others; one whose other spelling has vanished."""
    spelt = [
        ("B1", 1, "received"),
        ("B1 ", 3, "replied"),
        (" B1", 2, "closed"),
        ("B2", 1, "received"),
        ("B2\t", 2, "closed"),
    ]
    for case_no, load_id, status in spelt:
        row = world.case(case_no, "C-DELAY", "2012-05-02 09:00+08", status=status)
        module_warehouse.put("feedback", "cases", "2013-03-30", load_id, row)
    module_warehouse.put("feedback", "cases", "2013-03-29", 9, world.case("B3", "C-DELAY", "2012-05-02 09:00+08"))
    module_warehouse.end_date("feedback", "cases", "2013-03-31", 10, "B2\t")
    module_warehouse.build(
        "2013-03-31", "--select", "+path:models/core/feedback", "--resource-type", "model", "--resource-type", "seed"
    )
    return module_warehouse


def declared(kind):
    """What says by which of its columns it is distributed: its name, the column, its key."""
    nodes = built_manifest()[kind].values()
    return {
        node["identifier" if kind == "sources" else "name"]: (
            column,
            node["config"]["meta"].get("key") or catalogue.key_of(node),
        )
        for node in nodes
        if (column := node["config"]["meta"].get("distribute_by"))
    }


def test_what_is_distributed_is_so_by_a_column_of_its_key(built):
    assert set(declared("nodes")) == {f"fct_feedback_{fact}" for fact in FACTS}
    assert set(declared("sources")) == {"feedback__cases", "feedback__case_event"}
    tables = {**declared("nodes"), **declared("sources")}
    assert {name: column for name, (column, key) in tables.items() if column not in key} == {}


def test_the_database_says_whether_a_table_is_distributed(built):
    ran = Path(os.environ["DBT_TARGET_PATH"], "run", "crw", "models", "core", "feedback")
    calls = {
        f"fct_feedback_{fact}": "create_distributed_table" in (ran / f"fct_feedback_{fact}.sql").read_text()
        for fact in FACTS
    }
    (is_distributed,) = built.rows("select exists (select from pg_extension where extname = 'citus')")[0]
    assert calls == dict.fromkeys(declared("nodes"), is_distributed)
    if is_distributed:
        spread = built.rows(
            "select table_name::text, distribution_column from citus_tables where table_name::text like 'core.%'"
        )
        assert dict(spread) == {f"core.{name}": column for name, (column, _) in declared("nodes").items()}


def test_the_latest_version_of_a_key_counts_whatever_way_it_was_written(built):
    latest = built.rows("select case_no, status, _load_id from staging.stg_feedback__case order by 1")
    assert latest == [("B1", "replied", 3), ("B2", "received", 1), ("B3", "closed", 9)]
    assert built.rows("select case_no, status from core.fct_feedback_case order by 1") == [
        (no, status) for no, status, _ in latest
    ]
