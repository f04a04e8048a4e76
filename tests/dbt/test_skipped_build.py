"""When a night has no marts to build: nothing new in raw, and the dbt project that built the marts unchanged.

And as of which date they are built where there are.
"""

from __future__ import annotations

from datetime import date

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
