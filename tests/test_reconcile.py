"""A source held against raw: what no interval would ever read, what is gone, what waits for a person, what was read too late."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from crw import contracts, held, ingest, ledger, publish, reconcile
from crw.contract_reconcile import Reconcile
from crw.contracts import ContractError
from crw.local import summary
from crw.settings import CLOCK
from crw.sources import Interval
from crw.sources.listing import Listing
from tests import case_database

CATEGORY = contracts.table("feedback", "category")
MARCH_31 = date(2013, 3, 31)
APRIL_1, APRIL_2, APRIL_3 = (MARCH_31 + timedelta(days=n) for n in (1, 2, 3))
NOON = "2013-03-31 12:00+08"


@pytest.fixture
def source(cases):
    """A case database with the categories A to T, as every night until the last of March left them."""
    add(cases, *"ABCDEFGHIJKLMNOPQRST")
    return cases


def add(source, *codes, updated=NOON, **values):
    row = {"kind": "complaint", "issue_code": "delay", "name_en": "Delay", "name_zh": "延誤", "updated_at": updated}
    case_database.insert(source, "category", *(row | {"category_code": code} | values for code in codes))


def amend(source, code, updated, **values):
    for name, value in {**values, "updated_at": updated}.items():
        statement = sql.SQL("update case_management.category set {} = %s where category_code = %s")
        source.execute(statement.format(sql.Identifier(name)), [value, code])


def remove(source, *codes):
    source.execute("delete from case_management.category where category_code = any (%s)", [list(codes)])


def night(warehouse, business_date=MARCH_31, table=CATEGORY, suite=False):
    """One table's night; its suite takes seconds and is run where a row is to be refused."""
    load = ledger.find_load(warehouse, table, ingest.extract(warehouse, table, business_date, "test"))
    if suite:
        ingest.validate(warehouse, table, load.load_id)
    else:
        ledger.record(warehouse, load, "validated")
    return publish.publish_load(warehouse, load)


def standing(warehouse, business_date):
    """Codes and names that count at the end of a date, by the rule of staging's macro `latest_version`."""
    rows = warehouse.execute(
        "select category_code, name_en from (select distinct on (category_code) * from raw.feedback__category "
        "where _business_date <= %s order by category_code, _business_date desc, _load_id desc) as r "
        "where not _is_vanished",
        [business_date],
    )
    return dict(rows.fetchall())


def compared(warehouse):
    """Of the newest load: rows at the source, in raw, found late, vanished, and whether those are held."""
    return warehouse.execute(
        "select rows_at_source, rows_in_raw, rows_found_late, rows_vanished, vanished_are_held "
        "from audit.load order by load_id desc limit 1"
    ).fetchone()


def refused(warehouse):
    return warehouse.execute(
        "select record ->> 'category_code', reasons -> 0 ->> 'rule' from quarantine.record where released_at is null order by 1"
    ).fetchall()


def content(warehouse):
    return warehouse.execute(
        "select category_code, name_en, updated_at, _business_date, _is_vanished from raw.feedback__category order by 1, 4, 5"
    ).fetchall()


def test_what_is_committed_late_or_set_back_is_read_by_the_next_night(source, database):
    night(database)
    add(
        source, "LATE", updated="2013-03-31 21:00+08"
    )  # committed three hours after its stamp, past the hour of overlap
    add(source, "SOON", updated="2013-03-31 23:30+08")
    amend(source, "A", "2013-03-20 10:00+08", name_en="Restored")
    assert night(database, APRIL_1) == publish.Figures(3, 3, 0, 0)
    assert compared(database) == (22, 20, 2, 0, False)
    assert standing(database, APRIL_1).items() >= {("LATE", "Delay"), ("SOON", "Delay"), ("A", "Restored")}
    assert standing(database, MARCH_31)["A"] == "Delay"
    assert night(database, APRIL_2) == publish.Figures(0, 0, 0, 0)


def test_a_row_dated_where_no_interval_is_comes_in_or_is_refused_and_is_told_once(source, database):
    add(source, "OLD", updated="1969-12-31 00:00+08")
    add(source, "AHEAD", updated="2099-01-01 00:00+08")
    figures = night(database, suite=True)
    assert (figures.read, compared(database)[2]) == (22, 2)
    assert refused(database) == [("AHEAD", "watermark_not_ahead")]
    assert "OLD" in standing(database, MARCH_31)
    assert night(database, APRIL_1) == publish.Figures(0, 0, 0, 0)
    assert night(database, MARCH_31).read == 20  # a later date is published: it is not compared
    amend(source, "AHEAD", "2013-04-01 09:00+08")
    amend(source, "OLD", "2098-01-01 00:00+08")
    assert night(database, APRIL_2, suite=True) == publish.Figures(2, 1, 0, 1)


def test_a_row_dated_at_no_time_at_all_is_refused_and_is_told_once(source, database):
    add(source, "NEVER", updated="infinity")
    add(source, "ALWAYS", updated="-infinity")
    assert night(database, suite=True) == publish.Figures(22, 20, 0, 2)
    assert [code for code, _ in refused(database)] == ["ALWAYS", "NEVER"]
    assert night(database, APRIL_1) == publish.Figures(0, 0, 0, 0)


def test_what_later_nights_will_read_is_left_to_them(source, database):
    night(database)
    add(source, "NEXT", updated="2013-04-03 00:00+08")
    add(source, "SAME", "NEXT", updated="2013-03-20 09:00+08")
    assert night(database, APRIL_1).read == compared(database)[2] == 2
    assert night(database, APRIL_2).read == 0
    assert night(database, APRIL_3) == publish.Figures(1, 1, 0, 0)


def test_the_earlier_of_two_rows_of_one_key_does_not_take_the_place_of_the_later(source, database):
    night(database)
    add(source, "A", updated="2013-04-01 09:00+08", name_en="Twice")
    night(database, APRIL_1)
    assert night(database, APRIL_2).read == 0
    assert standing(database, APRIL_2)["A"] == "Twice"
    add(source, "A", updated="2012-01-01 09:00+08", name_en="Never known")
    assert night(database, APRIL_3, suite=True) == publish.Figures(3, 0, 1, 2)  # refused: key_unique
    assert standing(database, APRIL_3)["A"] == "Twice"


def test_a_key_that_is_gone_is_end_dated_and_may_come_back(source, database):
    night(database)
    source.execute("create table kept as select * from case_management.category")
    remove(source, "A", "B")
    assert night(database, APRIL_1) == publish.Figures(0, 0, 0, 0, vanished=2)
    assert compared(database) == (18, 20, 0, 2, False)
    assert standing(database, MARCH_31).keys() - standing(database, APRIL_1).keys() == {"A", "B"}
    assert night(database, APRIL_2).vanished == 0
    source.execute("insert into case_management.category select * from kept where category_code = 'A'")  # as it was
    assert night(database, APRIL_3) == publish.Figures(1, 1, 0, 0)
    assert "A" in standing(database, APRIL_3) and "A" not in standing(database, APRIL_2)


def test_a_date_run_again_changes_nothing_and_takes_back_what_the_source_takes_back(source, database):
    night(database)
    source.execute("create table kept as select * from case_management.category")
    remove(source, "A", "B")
    add(source, "LATE", updated="2013-03-20 09:00+08")
    night(database, APRIL_1)
    once = content(database)
    assert night(database, APRIL_1) == publish.Figures(1, 0, 1, 0, vanished=2)
    assert content(database) == once
    source.execute("insert into case_management.category select * from kept where category_code = 'A'")
    night(database, APRIL_1)
    assert standing(database, APRIL_1).keys() == set("ACDEFGHIJKLMNOPQRST") | {"LATE"}
    changes = "select distinct key from audit.raw_change where key is not null and business_date = %s"
    assert database.execute(changes, [APRIL_1]).fetchall() == [("A",)]


def test_an_older_date_run_again_end_dates_nothing(source, database):
    night(database)
    night(database, APRIL_1)
    remove(source, "A")
    assert night(database).vanished == 0
    assert compared(database) == (None,) * 5
    assert "A" in standing(database, MARCH_31)


def test_too_many_that_are_gone_are_held_until_a_person_approves(source, database):
    night(database)
    source.execute("create table kept as select * from case_management.category")
    remove(source, *"ABCDEF")
    add(source, "NEW", updated="2013-04-01 09:00+08")
    assert night(database, APRIL_1) == publish.Figures(1, 1, 0, 0, held=6)
    remove(source, "G")
    assert night(database, APRIL_2) == publish.Figures(0, 0, 0, 0, held=7)
    assert len(standing(database, APRIL_2)) == 21
    (told,) = summary._told(database, APRIL_2)
    assert told.startswith(
        "feedback.category: 7 of 21 keys are gone from the source, more than its contract lets pass ({"
    )
    assert "crw approve feedback.category 2013-04-02 vanished" in told
    lines = [[*column.cells] for column in summary._compared(database, APRIL_2).columns]
    assert lines == [["feedback.category"], ["14"], ["21"], ["0"], [""], ["7"]]
    assert database.execute("select count(*) from audit.vanished").fetchone() == (7,)
    approve(database, APRIL_1)
    assert night(database, APRIL_2) == publish.Figures(0, 0, 0, 0, vanished=7)  # six approved, and one is a handful
    assert standing(database, APRIL_2).keys() == set("HIJKLMNOPQRST") | {"NEW"}
    source.execute("insert into case_management.category select * from kept where category_code in ('A', 'B')")
    assert night(database, APRIL_3).published == 2
    remove(source, *"ABHIJKLM")
    assert night(database, APRIL_3 + timedelta(days=1)).held == 8  # an approval is of what was held, and of no more


def approve(database, business_date):
    command = [
        sys.executable,
        "-m",
        "crw.local.cli",
        "approve",
        "feedback.category",
        business_date.isoformat(),
        "vanished",
    ]
    environment = os.environ | {"CRW_PGHOST": "of-a-deployment"}
    said = subprocess.run(
        [*command, "--reason", "merged", "--by", "head of data"], env=environment, capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    assert database.execute("select rule, reason, approved_by, business_date from audit.approval").fetchall() == [
        ("vanished", "merged", "head of data", business_date)
    ]


def test_what_nothing_holds_cannot_be_approved(source, database):
    night(database)
    with pytest.raises(ledger.LoadError, match=r"feedback\.category for 2013-03-31: vanished holds nothing"):
        held.approve(database, "feedback.category", MARCH_31, "vanished", "because", "me")


def test_an_empty_source_is_held_however_small_it_was(source, database):
    remove(source, *"CDEFGHIJKLMNOPQRST")
    night(database)
    remove(source, "A", "B")
    assert night(database, APRIL_1) == publish.Figures(0, 0, 0, 0, held=2)


def test_a_contract_may_ask_for_a_week_or_never_and_for_another_limit(source, database):
    weekly = replace(CATEGORY, reconcile=Reconcile(every="week", vanished_limit=0.5))
    night(database, table=weekly)
    remove(source, *"ABCDEFG")
    for days in range(1, 7):
        night(database, MARCH_31 + timedelta(days=days), weekly)
        assert compared(database) == (None,) * 5
    assert night(database, MARCH_31 + timedelta(days=7), weekly).vanished == 7
    never = replace(CATEGORY, reconcile=Reconcile())
    remove(source, "H")
    assert night(database, MARCH_31 + timedelta(days=30), never).vanished == 0


def test_row_security_that_hides_rows_is_an_error_that_names_the_relation(source, database, monkeypatch):
    source.execute(
        "do $$ begin if not exists (select from pg_roles where rolname = 'reader') then "
        "create role reader login password 'of-a-test'; end if; end $$; "
        "grant usage on schema case_management to reader; grant select on all tables in schema case_management to reader; "
        "alter table case_management.category enable row level security; "
        "create policy few on case_management.category to reader using (category_code < 'C')"
    )
    dsn = psycopg.conninfo.make_conninfo(source.info.dsn, user="reader", password="of-a-test")
    monkeypatch.setenv("AIRFLOW_CONN_CASE_MANAGEMENT", dsn_as_uri(dsn))
    with pytest.raises(ContractError, match=r"relation case_management\.category: row security .* the role reader"):
        night(database)
    source.execute("alter role reader bypassrls")
    try:
        assert night(database).published == 20
        source.execute("revoke select on case_management.category from reader")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
            night(database)
    finally:
        source.execute("alter role reader nobypassrls")  # of the server, which other tests use


def dsn_as_uri(dsn):
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    return "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**parts)


def test_a_date_read_after_the_source_has_moved_on_is_known_to_be_overtaken(source, database):
    night(database)
    amend(source, "A", "2013-04-02 09:00+08")
    amend(source, "B", "2013-04-02 10:00+08")
    assert night(database, APRIL_1) == publish.Figures(0, 0, 0, 0)
    (told,) = summary._told(database, APRIL_1)
    assert told.startswith("feedback.category: read late, 2 rows or more have been amended since 2013-04-01: no period")
    overtaken = "select business_date, source || '.' || table_name, rows_amended_since from audit.overtaken"
    assert database.execute(overtaken).fetchall() == [(APRIL_1, "feedback.category", 2)]
    night(database, APRIL_2)  # caught up
    night(database)  # in time at first, it knew them as they were
    assert database.execute(overtaken).fetchall() == [(APRIL_1, "feedback.category", 2)]


def test_a_night_read_soon_after_midnight_is_not_overtaken_by_edits_of_the_morning(source, database):
    today = datetime.now(CLOCK).date()
    add(source, "MORNING", updated=datetime.now(UTC).isoformat())
    night(database, today - timedelta(days=1))
    assert database.execute("select rows_amended_since from audit.load").fetchone() == (0,)
    assert database.execute("select count(*) from audit.overtaken").fetchone() == (0,)


def test_a_key_of_several_columns_of_any_type_and_text_is_compared(database):
    table = replace(CATEGORY, key=("category_code", "updated_at"), watermark="updated_at")
    load = ledger.start_load(database, table, MARCH_31, "test")
    assert load.interval == Interval(ledger.BEGINNING, datetime(2013, 4, 1, tzinfo=CLOCK))
    rows = [("a,\"b' c", "1960-01-01T00:00:00+08:00"), ("in time", "2013-03-31T00:00:00+08:00"), (None, None)]
    found = reconcile.comparison(database, load)(Listing("text", [(code, at, at) for code, at in rows]))
    assert [key.split("\x1f")[0] for key in found] == ["a,\"b' c"]


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ({"every": "month"}, "every must be night, week or never, not month"),
        ({"every": "night", "vanished_limit": 5}, "vanished_limit is a share between 0 and 1, not 5"),
        ({"every": "week", "reader": "folder"}, "a drop folder is not compared"),
    ],
)
def test_a_contract_that_makes_no_sense_is_refused(meta, said):
    with pytest.raises(ValueError, match=said):
        Reconcile(**meta)


def test_the_contracts_say_what_is_compared():
    every = {source: {t.reconcile.every for t in tables} for source, tables in contracts.sources().items()}
    assert every == {
        "feedback": {"night"}, "membership": {"week"}, "campaign": {"week"},
        "survey": {"never"}, "engagement": {"never"}, "liaison": {"never"},
    }  # fmt: skip
