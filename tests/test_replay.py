"""Rows out of quarantine through the same gate: what was mended is published, what was not is refused again."""

from __future__ import annotations

import json
from datetime import date

import pytest

from crw import contracts, landing, ledger, publish, quality
from crw.replay import replay
from crw.sources import Batch, Rejection

POST_OFFICE = contracts.table("feedback", "post_office")
NIGHT = date(2013, 3, 31)


def office(code, **changes):
    record = {"post_office_code": code, "name_en": f"Office {code}", "name_zh": "鰂魚涌", "district_code": "E"}
    record |= {"opened_on": "1990-01-01", "closed_on": None, "updated_at": "2013-03-31T12:00:00+08:00"}
    return json.dumps(record | changes)


@pytest.fixture
def night(database):
    """A night with two good offices, one closed before it opened, one opened on 30 February, one unreadable line."""
    load = ledger.start_load(database, POST_OFFICE, NIGHT, "test")
    records = [office("A"), office("B"), office("C", closed_on="1989-01-01"), office("D", opened_on="1990-02-30")]
    landing.land(database, load, Batch("json", records, [Rejection("line 9: too few columns", {"line": "E,"})]))
    quality.validate_landing(database, POST_OFFICE, load.load_id, NIGHT)
    ledger.record(database, load, "validated")
    assert publish.publish_load(database, load) == publish.Figures(5, 2, 0, 3)
    return database


def codes(database):
    rows = database.execute("select post_office_code from raw.feedback__post_office order by 1")
    return [code for (code,) in rows]


def held(database):
    rows = database.execute(
        "select record ->> 'post_office_code' from quarantine.record where released_at is null order by 1"
    )
    return [code for (code,) in rows]


def test_a_mended_row_is_published_and_the_others_stay(night):
    night.execute(
        "update quarantine.record set record = jsonb_set(record, '{closed_on}', 'null') "
        "where record ->> 'post_office_code' = 'C'"
    )
    assert replay(night, POST_OFFICE, NIGHT, "test") == publish.Figures(2, 1, 0, 1)
    assert codes(night) == ["A", "B", "C"]
    assert held(night) == ["D", None]


def test_nothing_mended_publishes_nothing_and_loses_nothing(night):
    assert replay(night, POST_OFFICE, NIGHT, "test") == publish.Figures(2, 0, 0, 2)
    assert codes(night) == ["A", "B"]
    assert held(night) == ["C", "D", None]


def test_a_replay_does_not_move_the_watermark(night):
    before = ledger.start_load(night, POST_OFFICE, date(2013, 4, 1), "test").interval
    replay(night, POST_OFFICE, NIGHT, "test")
    assert ledger.start_load(night, POST_OFFICE, date(2013, 4, 1), "test").interval == before


def test_a_date_that_was_never_published_is_not_replayed(database):
    load = ledger.start_load(database, POST_OFFICE, NIGHT, "test")
    landing.land(database, load, Batch("json", [office("A"), office("C", closed_on="1989-01-01")]))
    quality.validate_landing(database, POST_OFFICE, load.load_id, NIGHT)
    ledger.record(database, load, "validated")  # and another table of the source failed
    with pytest.raises(ledger.LoadError, match=r"feedback\.post_office was never published for 2013-03-31"):
        replay(database, POST_OFFICE, NIGHT, "test")
    assert ledger.start_load(database, POST_OFFICE, date(2013, 4, 1), "test").interval.start == ledger.BEGINNING


def test_a_repetition_does_not_take_the_place_of_the_row_that_was_kept(database):
    load = ledger.start_load(database, POST_OFFICE, NIGHT, "test")
    earlier = office("A", name_en="Old name", updated_at="2013-03-31T09:00:00+08:00")
    landing.land(database, load, Batch("json", [earlier, office("A"), office("B", closed_on="1989-01-01")]))
    quality.validate_landing(database, POST_OFFICE, load.load_id, NIGHT, check_share=False)
    ledger.record(database, load, "validated")
    publish.publish_load(database, load)
    assert held(database) == ["A", "B"]
    replay(database, POST_OFFICE, NIGHT, "test")
    assert database.execute("select name_en from raw.feedback__post_office").fetchall() == [("Office A",)]
    assert held(database) == ["A", "B"]


def test_a_critical_fault_releases_nothing(database):
    category = contracts.table("feedback", "category")
    good = {"category_code": "A", "kind": "complaint", "issue_code": "delay", "name_en": "Delay", "name_zh": "延誤"}
    records = [good | {"updated_at": "2013-03-31T12:00:00+08:00"}, good | {"category_code": "B", "updated_at": "noon"}]
    load = ledger.start_load(database, category, NIGHT, "test")
    landing.land(database, load, Batch("json", map(json.dumps, records)))
    quality.validate_landing(database, category, load.load_id, NIGHT)
    ledger.record(database, load, "validated")
    publish.publish_load(database, load)
    mended = records[0] | {"category_code": "B", "kind": "rumour"}
    database.execute("update quarantine.record set record = %s", [json.dumps(mended)])
    with pytest.raises(quality.QualityError, match="kind_known"):
        replay(database, category, NIGHT, "test")
    assert database.execute("select count(*) from quarantine.record where released_at is null").fetchall() == [(1,)]
    assert database.execute("select category_code from raw.feedback__category").fetchall() == [("A",)]
