"""The marts of a past date are those that readers saw at its end."""

from __future__ import annotations

from datetime import date

import pytest
from psycopg import errors

from crw import as_of, publish
from tests.dbt import world
from tests.dbt.conftest import empty_warehouse  # noqa: F401


def brings_30_march(warehouse):
    world.first_nights(warehouse)


def brings_31_march(warehouse):
    world.last_night(warehouse)


def brings_1_april(warehouse):
    """A case withdrawn, a late one of the year that has just closed, a company that leaves, a corrected survey file."""
    warehouse.put(
        "feedback", "cases", "2013-04-01", 21,
        world.case("A8", "C-DELAY", "2010-12-01 09:00+08", status="withdrawn", updated_at="2013-04-01 09:00+08"),
        world.case("A9", "C-DELAY", "2013-03-31 22:00+08", updated_at="2013-04-01 09:00+08"),
    )  # fmt: skip
    warehouse.put(
        "membership", "membership", "2013-04-01", 22, world.membership("m4", "K2", "eclub", "2012-06-01", "2013-03-30")
    )
    world.survey(warehouse, 23, "2013-04-01", "d4", world.WAVE_2012, [("5", 1), ("1", 1)])


NIGHTS = {"2013-03-30": brings_30_march, "2013-03-31": brings_31_march, "2013-04-01": brings_1_april}


def test_each_past_date_shows_what_the_marts_showed_then(empty_warehouse):  # noqa: F811
    shown = {}
    for night, brings in NIGHTS.items():
        brings(empty_warehouse)
        empty_warehouse.build(night)
        publish.publish_marts(empty_warehouse.connection, date.fromisoformat(night), "test")
        shown[night] = tables(empty_warehouse, "marts") | tables(empty_warehouse, "core")
    assert shown["2013-03-30"] != shown["2013-03-31"] != shown["2013-04-01"]
    live = empty_warehouse.contents("core", "candidate", "marts")

    for night in ("2013-03-30", "2013-03-31"):
        schema = as_of.build(date.fromisoformat(night))
        assert schema == f"as_of_{night.replace('-', '')}"
        assert staged_apart(tables(empty_warehouse, schema)) == shown[night]
    assert empty_warehouse.contents("core", "candidate", "marts") == live

    with empty_warehouse.connection.transaction(force_rollback=True):
        empty_warehouse.connection.execute("set local role crw_analyst")
        assert empty_warehouse.rows("select count(*) from as_of_20130330.kpi_feedback") != [(0,)]
        with pytest.raises(errors.InsufficientPrivilege):
            empty_warehouse.rows("select * from as_of_20130330.stg_feedback__case")

    # Once more is harmless, and the night's own build goes on as before.
    as_of.build(date(2013, 3, 30))
    assert staged_apart(tables(empty_warehouse, "as_of_20130330")) == shown["2013-03-30"]
    empty_warehouse.build("2013-04-01")
    assert empty_warehouse.contents("core", "candidate", "marts") == live

    as_of.drop(date(2013, 3, 30))
    as_of.drop(date(2013, 3, 30))
    assert tables(empty_warehouse, "as_of_20130330") == {}
    assert tables(empty_warehouse, "as_of_20130331") != {}


def test_a_date_that_no_marts_were_published_for_is_refused(empty_warehouse):  # noqa: F811
    with pytest.raises(as_of.AsOfError, match="no marts were ever published"):
        as_of.build(date(2013, 3, 31))
    for night in (date(2013, 3, 30), date(2013, 3, 31)):
        publish.publish_marts(empty_warehouse.connection, night, "test")
        empty_warehouse.connection.execute(
            "insert into audit.publication (business_date, run_id, mart, row_count) values (%s, 'test', 'kpi', 0)",
            [night],
        )
    for wrong in (date(2013, 3, 29), date(2013, 4, 1)):
        with pytest.raises(as_of.AsOfError, match=f"2013-03-30 to 2013-03-31; nothing is known as of {wrong}"):
            as_of.build(wrong)
    assert empty_warehouse.rows("select nspname from pg_namespace where nspname like 'as_of%'") == []


def tables(warehouse, schema):
    """Contents of a schema by table."""
    return {name.partition(".")[2]: rows for name, rows in warehouse.contents(schema).items()}


def staged_apart(contents):
    """Without the staging views, which the night keeps in a schema of their own."""
    return {name: rows for name, rows in contents.items() if not name.startswith("stg_")}
