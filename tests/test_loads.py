"""Landing, ledger and publish together: the accounting identity, re-runs, missed nights, unchanged rows, replay of history."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from crw import contracts, ingest, landing, ledger, publish, transform
from crw.settings import CLOCK
from crw.sources import Batch, Rejection, Section

CATEGORY = contracts.table("feedback", "category")
MEMBERSHIP = contracts.table("membership", "membership")
NIGHT = date(2013, 3, 31)


def category(code, name="Delay", updated="2013-03-31T12:00:00+08:00"):
    record = {"category_code": code, "kind": "complaint", "issue_code": "delay", "name_en": name, "name_zh": "延誤"}
    return json.dumps({**record, "updated_at": updated})


def landed(connection, records, business_date=NIGHT, table=CATEGORY, **batch):
    """A load whose batch of JSON records has landed."""
    load = ledger.start_load(connection, table, business_date, "test")
    landing.land(connection, load, Batch("json", records, **batch))
    return load


def night(connection, records, business_date=NIGHT, table=CATEGORY, **batch):
    """Load one batch whole, as a night whose suite found nothing."""
    load = landed(connection, records, business_date, table, **batch)
    ledger.record(connection, load, "validated")
    return publish.publish_load(connection, load)


def raw(connection):
    rows = connection.execute(
        "select category_code, name_en, _business_date::text from raw.feedback__category order by 1, 3, 2"
    )
    return rows.fetchall()


def test_a_night_is_published_and_adds_up(database):
    assert night(database, [category("A"), category("B")]) == publish.Figures(2, 2, 0, 0)
    assert raw(database) == [("A", "Delay", "2013-03-31"), ("B", "Delay", "2013-03-31")]


def test_an_unchanged_row_is_not_stored_twice_but_counted(database):
    night(database, [category("A"), category("B")])
    figures = night(database, [category("A"), category("B", "Late")], date(2013, 4, 1))
    assert figures == publish.Figures(2, 1, 1, 0)
    assert raw(database)[1:] == [("B", "Delay", "2013-03-31"), ("B", "Late", "2013-04-01")]


def test_a_months_first_load_makes_its_partition_while_others_read_the_table(database):
    """As of the past is asked of raw, in transactions that stay open; `create table ... partition of` would wait for them."""
    night(database, [category("A")])
    with psycopg.connect(database.info.dsn, password=database.info.password) as reader:
        assert raw(reader) == [("A", "Delay", "2013-03-31")]
        database.execute("set lock_timeout = '1s'")
        assert night(database, [category("B"), category("C")], date(2013, 4, 1)).published == 2
        assert [code for code, _, _ in raw(reader)] == ["A", "B", "C"]
    months = "select indexdef from pg_indexes where tablename = %s order by 1"
    march, april = (
        [definition.replace(month, "") for (definition,) in database.execute(months, [f"feedback__category__{month}"])]
        for month in ("2013_03", "2013_04")
    )
    assert march == april != []
    assert database.execute(
        "select pg_get_expr(relpartbound, oid) from pg_class where relname = 'feedback__category__2013_04'"
    ).fetchone() == ("FOR VALUES FROM ('2013-04-01') TO ('2013-05-01')",)


def test_a_months_first_load_that_is_refused_leaves_no_partition(database):
    load = landed(database, [category("A")])
    with pytest.raises(ledger.LoadError, match="is landed, not validated"):
        publish.publish_load(database, load)
    assert database.execute("select to_regclass('raw.feedback__category__2013_03')").fetchone() == (None,)


def test_a_row_that_changes_back_is_stored_again(database):
    night(database, [category("A", "one")])
    night(database, [category("A", "two")], date(2013, 4, 1))
    assert night(database, [category("A", "one")], date(2013, 4, 2)).published == 1


def test_a_rerun_replaces_what_it_read_again_and_keeps_what_the_source_moved_on_from(database):
    night(database, [category("A", "wrong"), category("B")])
    night(database, [category("A", "right")])
    assert raw(database) == [("A", "right", "2013-03-31"), ("B", "Delay", "2013-03-31")]


def test_a_rerun_that_reads_the_same_stores_nothing(database):
    night(database, [category("A"), category("B")])
    before = database.execute("select _load_id from raw.feedback__category").fetchall()
    assert night(database, [category("A"), category("B")]) == publish.Figures(2, 0, 2, 0)
    assert database.execute("select _load_id from raw.feedback__category").fetchall() == before


def test_a_rerun_that_finds_a_row_as_it_was_the_night_before_takes_the_change_back(database):
    night(database, [category("A", "one")])
    night(database, [category("A", "wrong")], date(2013, 4, 1))
    assert night(database, [category("A", "one")], date(2013, 4, 1)) == publish.Figures(1, 0, 1, 0)
    assert raw(database) == [("A", "one", "2013-03-31")]


def test_a_rerun_of_an_old_night_does_not_disturb_a_later_one(database):
    night(database, [category("A", "one")])
    night(database, [category("A", "two")], date(2013, 4, 1))
    night(database, [category("A", "one")])
    assert raw(database) == [("A", "one", "2013-03-31"), ("A", "two", "2013-04-01")]


def test_intervals_are_half_open_overlap_by_an_hour_and_heal_a_missed_night(database):
    midnight = datetime(2013, 4, 1, tzinfo=CLOCK)
    first = ledger.start_load(database, CATEGORY, NIGHT, "test")
    assert (first.interval.start, first.interval.end) == (ledger.BEGINNING, midnight)
    night(database, [category("A")])
    later = ledger.start_load(database, CATEGORY, date(2013, 4, 2), "test")
    assert later.interval.start == midnight - timedelta(hours=1)
    assert later.interval.end == midnight + timedelta(days=2)


def test_a_rerun_reads_the_interval_of_the_first_attempt(database):
    failed = ledger.start_load(database, CATEGORY, date(2013, 4, 2), "test")
    night(database, [category("A")])
    assert ledger.start_load(database, CATEGORY, date(2013, 4, 2), "test").interval == failed.interval


def test_a_failed_load_does_not_move_the_watermark(database):
    landed(database, [category("A")])
    assert ledger.start_load(database, CATEGORY, date(2013, 4, 1), "test").interval.start == ledger.BEGINNING


def test_values_that_are_not_of_their_type_go_to_quarantine_with_the_reason(database):
    good = {"membership_id": "M1", "company_id": "C1", "club_code": "eclub", "joined_on": "2012-02-29", "left_on": ""}
    good |= {"leave_reason": None, "updated_at": "2013-03-31T12:00:00+08:00"}
    bad = {
        "joined_on": ["2012-02-30", "05/11/2012", "today", "NA", "２０１２-01-01"],
        "updated_at": ["infinity", "2013-03-31"],
    }
    records = [good] + [good | {column: value} for column, values in bad.items() for value in values]
    assert night(database, map(json.dumps, records), table=MEMBERSHIP) == publish.Figures(8, 1, 0, 7)
    assert database.execute("select joined_on, left_on from raw.membership__membership").fetchall() == [
        (date(2012, 2, 29), None)
    ]
    rows = database.execute(
        "select record ->> (reasons -> 0 ->> 'column'), reasons -> 0 ->> 'value', reasons -> 0 ->> 'message' "
        "from quarantine.record order by row_no"
    ).fetchall()
    assert [value for value, _, _ in rows] == [value for values in bad.values() for value in values]
    assert all(value == reported for value, reported, _ in rows)
    assert rows[0][2] == 'date/time field value out of range: "2012-02-30"'
    assert rows[1][2] == "not an unambiguous date: '05/11/2012'"


FORMS = {
    ("feedback", "cases", "case_id"): (
        ["12", " 12\ufeff", "-3", 9007199254740993, "007", ""],
        ["0x1F", "0b1", "0o7", "1_000", "+5", "1e3", "12.0", "1.5", "9" * 30, "１２", "NaN", True],
    ),
    ("feedback", "cases", "is_anonymous"): (
        [True, "TRUE", "Y", "no", "0", 1, None],
        ["t", "f", "on", "off", "tr", "ye", "10", "maybe"],
    ),
    ("feedback", "cases", "closed_at"): (
        ["2013-03-31T12:00:00Z", "2013-03-31 12:00+0800", "2013-03-31T12:00:00.123456000 +08:00", "1800-01-01T00:00:00+07:36:42",
         "9999-12-31T23:59:59+08:00"],
        ["now", "epoch", "today", "infinity", "2013-03-31T12:00:00", "2013-03-31 12:00 HKT", "2013-03-31 12:00 Asia/Hong_Kong",
         "2013-03-31T24:00:00+08:00", "2013-03-31T23:59:60+08:00", "2013-03-31T23:59:59.9999999+08:00", "2013-03-31 12:00 PM +08:00",
         "20130331T120000+0800", "J2451187 12:00+08", "0044-03-15T12:00:00+08:00 BC", "1364702400"],
    ),
    ("feedback", "post_office", "opened_on"): (
        ["2013-03-31", "\u00a02013-03-31\t"],
        ["2013-03-31T00:00:00", "2013-3-1", "J2451187", "20130331", "2013.090", "epoch", "yesterday", "Jan 5 2013", "0000-00-00",
         "2013-03-31 BC", "10000-01-01"],
    ),
    ("engagement", "hotline_interval", "start_time"): (
        ["09:15", "23:59:59.999999", "00:00"],
        ["allballs", "now", "24:00", "12:00:60", "9:15 AM", "091500", "23:59:59.9999999", "09:15+08", "noon"],
    ),
    ("engagement", "hotline_interval", "offered"): (["0", 7], ["0x1F", "1_000", "3000000000"]),
    ("survey", "respondent", "weight"): (["1", ".5", "1e-7", 0.25, "+2."], ["NaN", "Infinity", "0x1F", "1_000", "1,5", "1e400", "e5"]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("place", "forms"), FORMS.items(), ids=lambda value: ".".join(value) if len(value) == 3 else ""
)
def test_a_type_has_one_form_as_text_and_what_only_postgresql_understands_is_refused(database, place, forms):
    *names, column = place
    table, (good, bad) = contracts.table(*names), forms
    landed(database, [json.dumps({column: value}) for value in [*good, *bad]], table=table)
    refused = database.execute(
        "select record -> %s from quarantine.record where reasons -> 0 ->> 'rule' = 'type' order by row_no", [column]
    ).fetchall()
    assert [value for (value,) in refused] == bad
    read = database.execute(f"select count(*) from landing.{table.identifier}").fetchone()
    assert read == (len(good),)


def test_every_type_of_a_contract_has_a_form():
    types = {column.type for table in contracts.tables().values() for column in table.columns}
    assert types - {"text", "jsonb"} <= landing.SHAPES.keys()


def test_rows_the_reader_could_not_read_are_kept_and_counted(database):
    load = ledger.start_load(database, CATEGORY, NIGHT, "test")
    rejected: list[Rejection] = []

    def lines():
        yield b"A\t\tDelay\t\t2013-03-31 12:00:00+08\n"
        rejected.append(Rejection("line 3: too few columns", {"line": "B,complaint"}))

    assert landing.land(database, load, Batch("csv", [Section({"kind": "complaint"}, lines())], rejected)) == 2
    ledger.record(database, load, "validated")
    assert publish.publish_load(database, load) == publish.Figures(2, 1, 0, 1)
    assert database.execute("select reasons -> 0 ->> 'message' from quarantine.record").fetchone() == (
        "line 3: too few columns",
    )


def test_a_source_that_dies_in_mid_read_leaves_landing_and_ledger_as_they_were(database):
    night(database, [category("A")])
    load = ledger.start_load(database, CATEGORY, date(2013, 4, 1), "test")

    def dies():
        yield category("B")
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        landing.land(database, load, Batch("json", dies()))
    assert database.execute("select category_code from landing.feedback__category").fetchall() == [("A",)]
    assert database.execute("select state from audit.load where load_id = %s", [load.load_id]).fetchone() == (
        "started",
    )


def test_two_runs_of_one_table_never_mix(database):
    first = landed(database, [category("A")])
    landed(database, [category("B")])
    ledger.record(database, first, "validated")
    with pytest.raises(ledger.LoadError, match="overtaken"):
        publish.publish_load(database, first)
    assert raw(database) == []


def test_the_batch_in_landing_is_the_one_that_landed_last_whatever_its_number(database):
    first = ledger.start_load(database, CATEGORY, NIGHT, "slow")
    second = landed(database, [category("B")], date(2013, 4, 1))
    ledger.record(database, second, "validated")
    landing.land(database, first, Batch("json", [category("A")]))
    with pytest.raises(
        ledger.LoadError, match=f"filled by load {first.load_id} since; load {second.load_id} .* overtaken"
    ):
        publish.publish_load(database, second)
    assert raw(database) == []


def test_while_a_batch_is_validated_no_other_can_take_its_place(database):
    first = landed(database, [category("A")])
    with psycopg.connect(database.info.dsn, password=database.info.password, autocommit=True) as other:
        other.execute("set lock_timeout = '100ms'")
        second = ledger.start_load(other, CATEGORY, date(2013, 4, 1), "two")
        with ledger.locked(database, first), pytest.raises(psycopg.errors.LockNotAvailable):
            landing.land(other, second, Batch("json", [category("B")]))
        assert landing.land(other, second, Batch("json", [category("B")])) == 1


def test_a_load_whose_process_was_killed_fails_when_the_next_of_its_date_starts(database):
    killed = landed(database, [category("A")])
    other_date = ledger.start_load(database, CATEGORY, date(2013, 4, 1), "test")
    with psycopg.connect(database.info.dsn, password=database.info.password, autocommit=True) as other:
        with ledger.locked(other, killed):  # at work
            second = ledger.start_load(database, CATEGORY, NIGHT, "test")
        third = ledger.start_load(database, CATEGORY, NIGHT, "test")
    found = database.execute("select load_id, state, message from audit.load order by load_id").fetchall()
    why = f"LoadError: left unfinished; load {third.load_id} takes its place"
    assert found == [
        (killed.load_id, "failed", why),
        (other_date.load_id, "started", None),
        (second.load_id, "failed", why),
        (third.load_id, "started", None),
    ]


def test_only_a_validated_load_can_be_published(database):
    load = landed(database, [category("A")])
    with pytest.raises(ledger.LoadError, match="is landed, not validated"):
        publish.publish_load(database, load)


def test_a_row_lost_between_landing_and_publishing_fails_the_load_whole(database):
    load = landed(database, [category("A"), category("B")])
    database.execute("delete from landing.feedback__category where category_code = 'B'")
    ledger.record(database, load, "validated")
    with pytest.raises(ledger.LoadError, match="do not add up"):
        publish.publish_load(database, load)
    assert raw(database) == []


def test_the_ledger_itself_refuses_a_load_that_does_not_add_up(database):
    night(database, [category("A")])
    with pytest.raises(psycopg.errors.CheckViolation, match="accounting_identity"):
        database.execute("update audit.load set rows_read = 7")


def test_an_empty_rerun_keeps_what_the_night_had(database):
    night(database, [category("A")])
    assert night(database, []) == publish.Figures(0, 0, 0, 0)
    assert len(raw(database)) == 1


def refusing(connection, records, refused, deliveries=None):
    """A night of the drop folder's kind, whose reader refused these records."""
    rejected = [Rejection("line 3: too few columns", record) for record in refused]
    return night(connection, records, rejected=rejected, deliveries=deliveries or {})


def test_a_rerun_under_a_stricter_rule_takes_what_it_refuses_out_of_raw(database):
    night(database, [category("A"), category("B")])
    assert refusing(database, [category("A")], [json.loads(category("B"))]) == publish.Figures(2, 0, 1, 1)
    assert [code for code, *_ in raw(database)] == ["A"]


def test_a_repetition_that_is_refused_leaves_the_kept_row_in_raw(database):
    night(database, [category("A")])
    refusing(database, [category("A")], [json.loads(category("A", "again"))])
    assert raw(database) == [("A", "Delay", "2013-03-31")]


def test_a_rerun_settles_what_it_read_again_and_not_the_rows_of_a_file_that_is_gone(database):
    refusing(database, [], [{"delivery_id": "one"}, {"delivery_id": "two"}], {"one": "1.csv", "two": "2.csv"})
    refusing(database, [], [{"delivery_id": "two"}], {"two": "2.csv"})
    held = "select record ->> 'delivery_id', load_id from quarantine.record where released_at is null order by 1"
    assert database.execute(held).fetchall() == [("one", 1), ("two", 2)]


def land_feedback(connection, **states):
    """Land a night of the feedback source with one category and nothing else. Returns the load numbers."""
    numbers = []
    for table in contracts.sources()["feedback"]:
        load = landed(connection, [category("A")] if table == CATEGORY else [], table=table)
        ledger.record(connection, load, states.get(table.name, "validated"))
        numbers.append(load.load_id)
    return numbers


def load_states(connection):
    return dict(connection.execute("select table_name, state from audit.load").fetchall())


def test_a_source_is_published_whole_or_not_at_all(database):
    numbers = land_feedback(database, post_office="landed")
    with pytest.raises(ledger.LoadError, match=r"feedback\.post_office .* is landed, not validated"):
        ingest.publish_source(database, "feedback", numbers)
    assert raw(database) == []
    assert set(load_states(database).values()) == {"failed"}
    assert ingest.publish_source(database, "feedback", land_feedback(database))["category"].published == 1


def test_publishing_a_second_time_tells_the_same_and_changes_nothing(database):
    numbers = land_feedback(database)
    figures = ingest.publish_source(database, "feedback", numbers)
    assert ingest.publish_source(database, "feedback", numbers) == figures
    assert len(raw(database)) == figures["category"].published == 1
    assert set(load_states(database).values()) == {"published"}


@pytest.fixture
def without_codes(database):
    """No mart has codes with an order."""
    database.execute("create table core.code_column (mart text, column_name text, list text)")


@pytest.mark.usefixtures("without_codes")
def test_marts_are_swapped_all_or_none(database):
    for name in ("kpi_a", "kpi_b"):
        database.execute(f"create table candidate.{name} as select 1 as n")
    assert publish.publish_marts(database, NIGHT, "test") == {"kpi_a": 1, "kpi_b": 1}
    database.execute("update candidate.kpi_a set n = 2")
    database.execute("update candidate.kpi_b set n = 2; alter table marts.kpi_b add check (n = 1)")
    with pytest.raises(psycopg.errors.CheckViolation):
        publish.publish_marts(database, NIGHT, "test")
    assert database.execute("select a.n, b.n from marts.kpi_a as a, marts.kpi_b as b").fetchall() == [(1, 1)]


@pytest.mark.usefixtures("without_codes")
def test_a_mart_with_new_columns_is_made_anew_and_the_analyst_may_read_it(database):
    database.execute("create table candidate.kpi_a as select 1 as n")
    publish.publish_marts(database, NIGHT, "test")
    database.execute("alter table candidate.kpi_a add column m int default 5")
    publish.publish_marts(database, NIGHT, "test")
    database.execute("set role crw_analyst")
    assert database.execute("select n, m from marts.kpi_a").fetchall() == [(1, 5)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute("select * from candidate.kpi_a")


def test_a_later_date_is_whole_once_the_sources_that_take_part_are_in_raw(database, monkeypatch):
    for table in contracts.sources()["feedback"] + contracts.sources()["survey"]:
        database.execute(
            "insert into audit.load (source, table_name, business_date, run_id, state, interval_start, interval_end, rows_read, "
            "rows_published, rows_unchanged, rows_quarantined) values (%s, %s, '2013-04-01', 'r', 'published', "
            "'2013-04-01', '2013-04-02', 0, 0, 0, 0)",
            [table.source, table.name],
        )
    skipped = {}
    for named in ("", "feedback", "feedback,survey", "feedback,membership"):
        monkeypatch.setenv("CRW_SOURCES", named)
        skipped[named] = transform.why_not_needed(database, NIGHT) is not None
    assert skipped == {"": False, "feedback": True, "feedback,survey": True, "feedback,membership": False}


def test_a_date_that_amendments_overtook_is_left_to_the_one_that_follows_it(database):
    """As of such a date no period is complete, and the suites of the marts would hold that for a person."""

    def load(day, state, amended_since=None):
        database.execute(
            "insert into audit.load (source, table_name, business_date, run_id, state, interval_start, interval_end, rows_read, "
            "rows_published, rows_unchanged, rows_quarantined, rows_amended_since) values ('feedback', 'cases', %(day)s, 'r', %(state)s, "
            "%(day)s::date, %(day)s::date + 1, 0, 0, 0, 0, %(amended_since)s)",
            {"day": day, "state": state, "amended_since": amended_since},
        )

    def reason():
        return transform.why_not_needed(database, NIGHT)

    load(NIGHT, "published", amended_since=7)
    load("2013-04-01", "started")
    assert reason() is None  # better than no marts at all
    database.execute(
        "insert into audit.publication (business_date, run_id, mart, row_count) values ('2013-03-30', 'r', 'm', 1)"
    )
    assert "2013-04-01 is being loaded; its run builds the marts" in reason()
    database.execute("update audit.load set state = 'failed' where business_date = '2013-04-01'")
    assert reason() is None
    load("2013-04-01", "landed")
    assert reason() is not None
    load(NIGHT, "published", amended_since=0)  # read again while it could be
    assert reason() is None


def test_the_hour_of_overlap_is_one_where_the_clock_has_no_midnight(database, monkeypatch):
    monkeypatch.setattr("crw.ledger.CLOCK", ZoneInfo("America/Santiago"))
    database.execute("set timezone = 'America/Santiago'")
    night(database, [category("A")], date(2026, 9, 5))  # the sixth began at one o'clock
    interval = ledger.start_load(database, CATEGORY, date(2026, 9, 6), "test").interval
    assert interval.start.astimezone(UTC) == datetime(2026, 9, 6, 3, tzinfo=UTC)
    assert interval.end.astimezone(UTC) == datetime(2026, 9, 7, 3, tzinfo=UTC)


@pytest.mark.parametrize("name", ["Mars", "America", "../UTC"])
def test_a_clock_that_is_none_is_named(name):
    told = subprocess.run(
        [sys.executable, "-c", "import crw.settings"],
        env=os.environ | {"CRW_CLOCK": name},
        capture_output=True,
        text=True,
    )
    assert told.stderr.splitlines()[-1] == f"ValueError: CRW_CLOCK={name} is no time zone, such as Asia/Hong_Kong"
