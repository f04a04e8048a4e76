"""Rows in quarantine: mended, accepted, replayed, given up; each with who, when and why, and through the same gate."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import psycopg
import pytest

from crw import contracts, landing, ledger, publish, quality, refused
from crw.ledger import LoadError
from crw.local import decisions
from crw.local.arguments import parser
from crw.refused import replay
from crw.sources import Batch, Rejection
from tests.privacy import world

POST_OFFICE = contracts.table("feedback", "post_office")
NIGHT = date(2013, 3, 31)
WHY = ("told by its keeper", "duty engineer")
CATEGORY = contracts.table("feedback", "category")
CASES = contracts.table("feedback", "cases")


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
    (c,) = (row for row in refused.waiting(night) if row.key == "post_office_code=C")
    assert (
        str(c) == f"record {c.record_id}: feedback.post_office of 2013-03-31, post_office_code=C: closed_after_opened"
    )
    refused.mend(night, c.record_id, {"closed_on": None, "name_en": "Office of C"}, *WHY)
    assert codes(night) == ["A", "B"]
    assert [str(row).rpartition(": ")[2] for row in refused.waiting(night) if row.key == c.key] == [
        "closed_after_opened, mended"
    ]
    assert replay(night, POST_OFFICE, NIGHT, "test", *WHY) == publish.Figures(2, 1, 0, 1)
    assert codes(night) == ["A", "B", "C"]
    assert held(night) == ["D", None]
    assert actions(night, c.record_id) == [
        ("mended", ["closed_on", "name_en"], None, *WHY),
        ("replayed", None, 2, *WHY),
    ]


def actions(database, record_id):
    return database.execute(
        "select action, details, load_id, reason, done_by from audit.quarantine_action where record_id = %s order by action_id",
        [record_id],
    ).fetchall()


def test_nothing_mended_publishes_nothing_and_loses_nothing(night):
    assert replay(night, POST_OFFICE, NIGHT, "test", *WHY) == publish.Figures(2, 0, 0, 2)
    assert codes(night) == ["A", "B"]
    assert held(night) == ["C", "D", None]


def test_what_the_date_run_again_settles_and_publishes_meanwhile_is_not_replayed(night, warehouse_dsn):
    again = ledger.start_load(night, POST_OFFICE, NIGHT, "again")
    landing.land(night, again, Batch("json", [office("A"), office("B"), office("C")]))
    quality.validate_landing(night, POST_OFFICE, again.load_id, NIGHT)
    ledger.record(night, again, "validated")
    with (
        ThreadPoolExecutor(1) as beside,
        psycopg.connect(warehouse_dsn, autocommit=True) as other,
        ledger.locked(night, again),
    ):
        replayed = beside.submit(replay, other, POST_OFFICE, NIGHT, "test", *WHY)
        while not night.execute(
            "select exists (select from pg_locks where locktype = 'advisory' and not granted)"
        ).fetchone()[0]:
            assert not replayed.done()
        publish.publish_load(night, again)
        night.execute("select pg_advisory_unlock_all()")
        assert replayed.result(60) == publish.Figures(0, 0, 0, 0)
    assert codes(night) == ["A", "B", "C"]
    assert "C" not in held(night)


@pytest.mark.parametrize(
    "act", [lambda on, c: refused.mend(on, c, {"closed_on": None}, *WHY),
            lambda on, _: refused.expire(on, POST_OFFICE, date(2013, 4, 1), *WHY)], ids=["mended", "given up"]
)  # fmt: skip
def test_what_a_person_does_while_a_row_is_on_its_way_is_not_lost(night, warehouse_dsn, monkeypatch, act):
    (c,) = (row.record_id for row in refused.waiting(night) if row.key == "post_office_code=C")

    def judge(*arguments, judge=quality.validate_landing, **named):
        with psycopg.connect(warehouse_dsn, autocommit=True) as other:
            act(other, c)
        return judge(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(quality, "validate_landing", judge)
        with pytest.raises(LoadError, match="mended, accepted or given up while it was on its way: replay again"):
            replay(night, POST_OFFICE, NIGHT, "test", *WHY)
    is_mended = held(night).count("C") == 1
    assert actions(night, c)[-1][0] == ("mended" if is_mended else "expired")
    replay(night, POST_OFFICE, NIGHT, "test", *WHY)
    assert codes(night) == ["A", "B", *(["C"] if is_mended else [])]


def test_a_column_without_a_sign_is_not_taken_for_a_value_to_take_away(capsys):
    why = ["--reason", "told by its keeper", "--by", "duty engineer"]
    with pytest.raises(SystemExit):
        parser().parse_args(["quarantine", "mend", "17", "name_en=Anna", "Chan", *why])
    said = capsys.readouterr().err
    assert "given as column=value, and taken away by `column=`" in said
    assert "Chan" not in said
    assert dict(parser().parse_args(["quarantine", "mend", "17", "a=b=c", "d=", *why]).values) == {
        "a": "b=c",
        "d": None,
    }


def test_a_replay_does_not_move_the_watermark(night):
    before = ledger.start_load(night, POST_OFFICE, date(2013, 4, 1), "test").interval
    replay(night, POST_OFFICE, NIGHT, "test", *WHY)
    assert ledger.start_load(night, POST_OFFICE, date(2013, 4, 1), "test").interval == before


def test_a_date_that_was_never_published_is_not_replayed(database):
    load = ledger.start_load(database, POST_OFFICE, NIGHT, "test")
    landing.land(database, load, Batch("json", [office("A"), office("C", closed_on="1989-01-01")]))
    quality.validate_landing(database, POST_OFFICE, load.load_id, NIGHT)
    ledger.record(database, load, "validated")  # and another table of the source failed
    with pytest.raises(ledger.LoadError, match=r"feedback\.post_office was never published for 2013-03-31"):
        replay(database, POST_OFFICE, NIGHT, "test", *WHY)
    assert ledger.start_load(database, POST_OFFICE, date(2013, 4, 1), "test").interval.start == ledger.BEGINNING


def test_a_repetition_does_not_take_the_place_of_the_row_that_was_kept(database):
    load = ledger.start_load(database, POST_OFFICE, NIGHT, "test")
    earlier = office("A", name_en="Old name", updated_at="2013-03-31T09:00:00+08:00")
    landing.land(database, load, Batch("json", [earlier, office("A"), office("B", closed_on="1989-01-01")]))
    quality.validate_landing(database, POST_OFFICE, load.load_id, NIGHT, check_share=False)
    ledger.record(database, load, "validated")
    publish.publish_load(database, load)
    assert held(database) == ["A", "B"]
    replay(database, POST_OFFICE, NIGHT, "test", *WHY)
    assert database.execute("select name_en from raw.feedback__post_office").fetchall() == [("Office A",)]
    assert held(database) == ["A", "B"]


def test_a_repetition_does_not_take_the_place_of_a_row_that_an_earlier_date_published(database):
    """The source has both each night, and of the later row nothing is new: raw has it by its first date alone."""
    earlier = office("A", name_en="Old name", updated_at="2013-03-31T09:00:00+08:00")
    for business_date in (NIGHT, date(2013, 4, 1)):
        load = ledger.start_load(database, POST_OFFICE, business_date, "test")
        landing.land(database, load, Batch("json", [earlier, office("A")]))
        quality.validate_landing(database, POST_OFFICE, load.load_id, business_date, check_share=False)
        ledger.record(database, load, "validated")
        figures = publish.publish_load(database, load)
    assert (figures.published, figures.unchanged, figures.quarantined) == (0, 1, 1)
    assert replay(database, POST_OFFICE, date(2013, 4, 1), "test", *WHY).read == 0
    assert database.execute("select name_en from raw.feedback__post_office").fetchall() == [("Office A",)]
    assert held(database) == ["A", "A"]


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
        replay(database, category, NIGHT, "test", *WHY)
    assert database.execute("select count(*) from quarantine.record where released_at is null").fetchall() == [(1,)]
    assert database.execute("select category_code from raw.feedback__category").fetchall() == [("A",)]


@pytest.fixture
def accented(database):
    """A night with an office, and two whose names have an accent, the second of which also closed before it opened."""
    load = ledger.start_load(database, POST_OFFICE, NIGHT, "test")
    land(
        database, load, [office("A"), office("E", name_zh="Café"), office("F", name_zh="Café", closed_on="1989-01-01")]
    )
    assert publish.publish_load(database, load) == publish.Figures(3, 1, 0, 2)
    return database


def land(database, load, records):
    landing.land(database, load, Batch("json", records))
    quality.validate_landing(database, load.table, load.load_id, load.business_date)
    ledger.record(database, load, "validated")


def test_what_may_be_right_is_accepted_as_it_stands_and_what_is_wrong_in_itself_is_not(accented):
    e, f = refused.waiting(accented, POST_OFFICE, NIGHT)
    with pytest.raises(
        LoadError, match=rf"record {f.record_id}: closed_after_opened: what that refuses is wrong in itself"
    ):
        refused.accept(accented, [e.record_id, f.record_id], *WHY)
    assert actions(accented, e.record_id) == []
    refused.accept(accented, [e.record_id], *WHY)
    assert [row.done for row in refused.waiting(accented)] == [("accepted",), ()]
    assert codes(accented) == ["A"]
    assert replay(accented, POST_OFFICE, NIGHT, "test", *WHY) == publish.Figures(2, 1, 0, 1)
    assert codes(accented) == ["A", "E"]
    assert actions(accented, e.record_id) == [
        ("accepted", ["name_zh_decoded"], None, *WHY),
        ("replayed", None, 2, *WHY),
    ]
    assert replay(accented, POST_OFFICE, NIGHT, "test", *WHY) == publish.Figures(1, 0, 0, 1)
    assert codes(accented) == ["A", "E"]


def test_the_date_run_again_keeps_what_was_accepted_and_refuses_what_was_amended_since(accented):
    refused.accept(accented, [refused.waiting(accented)[0].record_id], *WHY)
    for changes, published in (({}, ["A", "E"]), ({"name_en": "Another"}, ["A"])):
        load = ledger.start_load(accented, POST_OFFICE, NIGHT, "test")
        land(accented, load, [office("A"), office("E", name_zh="Café", **changes)])
        publish.publish_load(accented, load)
        assert codes(accented) == published


def test_given_up_rows_wait_no_more_and_are_not_read_again_for_it(accented):
    given_up = [row.record_id for row in refused.waiting(accented)]
    assert refused.expire(accented, POST_OFFICE, NIGHT, *WHY) == 0
    assert refused.expire(accented, POST_OFFICE, date(2013, 4, 1), *WHY) == 2
    assert refused.waiting(accented) == []
    assert (
        accented.execute("select action, done_by from audit.quarantine_action").fetchall() == [("expired", WHY[1])] * 2
    )
    assert replay(accented, POST_OFFICE, NIGHT, "test", *WHY) == publish.Figures(0, 0, 0, 0)
    with pytest.raises(LoadError, match="does not wait in quarantine"):
        refused.accept(accented, given_up, *WHY)


@pytest.mark.parametrize(
    ("code", "values", "why", "message"),
    [
        ("C", {"closed": "x"}, WHY, "closed is no column of the contract"),
        ("C", {"opened_on": "1 May"}, WHY, "what opened_on is to be is not of the type date"),
        (None, {"opened_on": "1999-05-01"}, WHY, "could not be read as a record"),
        ("Z", {"opened_on": "1999-05-01"}, WHY, "record 0 does not wait"),
        ("C", {"closed_on": None}, ("", "duty engineer"), "without a reason and a name"),
    ],
)
def test_what_cannot_be_mended_is_said_and_changes_nothing(night, code, values, why, message):
    found = {row.key.removeprefix("post_office_code="): row.record_id for row in refused.waiting(night)}
    record_id = found.get(str(code), 0)
    before = night.execute("select record, reasons from quarantine.record order by 1").fetchall()
    with pytest.raises(LoadError, match=message) as refusal:
        refused.mend(night, record_id, values, *why)
    assert "1 May" not in str(refusal.value)
    assert night.execute("select record, reasons from quarantine.record order by 1").fetchall() == before
    assert night.execute("select count(*) from audit.quarantine_action").fetchone() == (0,)


def test_a_pseudonym_is_not_typed_and_who_was_erased_does_not_come_back_by_a_replay(database):
    who = "a" * 64
    world.night(database, CATEGORY, [world.record(CATEGORY, 1, None)])
    load = ledger.start_load(database, CASES, NIGHT, "test")
    land(database, load, [json.dumps(world.record(CASES, 1, who, status="mislaid"))])
    assert publish.publish_load(database, load).quarantined == 1
    (waits,) = refused.waiting(database)
    with pytest.raises(LoadError, match="person_key is made by the reader"):
        refused.mend(database, waits.record_id, {"person_key": "b" * 64}, *WHY)
    database.execute("insert into audit.suppression (pseudonym) values (%s)", [who])
    refused.mend(database, waits.record_id, {"status": "closed"}, *WHY)
    assert replay(database, CASES, NIGHT, "test", *WHY).published == 1
    ((key,),) = database.execute("select person_key from raw.feedback__cases").fetchall()
    assert key != who and len(key) == 64


def test_by_command(night, warehouse_dsn, monkeypatch, capsys):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_dsn)
    why = ["--reason", WHY[0], "--by", WHY[1]]

    def crw(*words):
        assert decisions.run(parser().parse_args(["quarantine", *words])) == 0
        return capsys.readouterr().out

    assert "feedback.post_office 2013-03-31 closed_after_opened: 1 rows\n" in crw("list")
    (line,) = (line for line in crw("list", "feedback.post_office").splitlines() if "post_office_code=C" in line)
    record = line.removeprefix("record ").partition(":")[0]
    with pytest.raises(SystemExit, match=f"record {record}: closed_after_opened: what that refuses is wrong in itself"):
        crw("accept", record, *why)
    with pytest.raises(SystemExit, match=f"record {record}: a column is given twice"):
        crw("mend", record, "name_en=C", "name_en=D", *why)
    crw("mend", record, "closed_on=", *why)
    said = crw("replay", "feedback.post_office", "2013-03-31", *why)
    assert said.startswith(
        "of 2 rows 1 published, 0 unchanged, 1 refused again: `crw nightly --date 2013-03-31` builds "
    )
    said = crw("replay", "feedback.post_office", "2013-03-31", *why)
    assert said == "of 1 rows 0 published, 0 unchanged, 1 refused again\n"
    assert crw("expire", "feedback.post_office", "2013-04-01", *why) == "2 rows wait no more\n"
    assert crw("list") == crw("list", "feedback.post_office") == "no row waits\n"
    assert codes(night) == ["A", "B", "C"]


def test_a_command_prints_its_own_lines_alone(night, warehouse_dsn, monkeypatch):
    """Great Expectations tells of itself at the level that Airflow logs at when it is imported."""
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_dsn)
    monkeypatch.delenv("AIRFLOW__LOGGING__LOGGING_LEVEL", raising=False)
    monkeypatch.setenv("CRW_PGHOST", "as in a deployment, told by AIRFLOW_CONN_WAREHOUSE")
    command = ["quarantine", "replay", "feedback.post_office", "2013-03-31", "--reason", WHY[0], "--by", WHY[1]]
    done = subprocess.run([sys.executable, "-m", "crw.local.cli", *command], capture_output=True, text=True)
    assert (done.stdout.count("\n"), done.stderr) == (1, ""), done.stdout[:500]
