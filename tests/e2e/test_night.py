"""The main job by the real scheduler: a night, the same night again, a planted fault, the night after, a backfill."""

from __future__ import annotations

import re

import pytest

from crw import contracts


@pytest.fixture(scope="module")
def home(make_home):
    """A home in which the night of 2013-03-31 has run. The tests of this module go on from there, in their order."""
    home = make_home("night")
    result = home.nightly("2013-03-31")
    assert result.returncode == 0, result.stdout
    return home


def loads(home, date):
    rows = home.query(
        "select distinct on (source, table_name) source || '.' || table_name, state, rows_read, rows_published, "
        f"rows_unchanged, rows_quarantined from audit.load where business_date = '{date}' order by source, table_name, load_id desc"
    )
    return {name: figures for name, *figures in rows}


def test_every_table_is_published_and_adds_up(home):
    found = loads(home, "2013-03-31")
    assert set(found) == {f"{t.source}.{t.name}" for t in contracts.tables().values()}
    for name, (state, read, published, unchanged, quarantined) in found.items():
        assert state == "published", name
        assert read == published + unchanged + quarantined > 0, name


def test_the_marts_agree_with_every_published_figure(home):
    disagreeing = home.query(
        "select fiscal_year, kpi, published, computed from marts.published_vs_computed where not agrees"
    )
    assert disagreeing == []
    assert home.query("select count(*) from marts.published_vs_computed where agrees") == [(24,)]


def test_what_a_reader_may_do(home):
    assert home.crw("sql", "select count(*) from marts.kpi_feedback").returncode == 0
    for statement in (
        "select * from raw.feedback__cases",
        "delete from marts.kpi_feedback",
        "select * from quarantine.record",
    ):
        result = home.crw("sql", statement)
        assert result.returncode != 0
        assert "permission denied" in result.stdout


def test_no_personal_data_reaches_the_warehouse(home):
    rows = home.query(
        "select complainant_email, complainant_name, complainant_phone from case_management.cases "
        "where complainant_email is not null limit 20",
        "case_management",
    )
    secrets = "|".join(re.escape(value) for row in rows for value in row if value)
    tables = home.query(
        "select schemaname, tablename from pg_tables where schemaname in ('landing', 'raw', 'quarantine', 'core', 'marts')"
    )
    for schema, table in tables:
        found = home.query(f"select t::text from {schema}.{table} as t where t::text ~ $q${secrets}$q$ limit 1")
        assert found == [], f"{schema}.{table}"


def test_the_same_night_again_changes_nothing(home):
    before = home.marts()
    publications = home.query("select count(*) from audit.publication")
    assert home.nightly("2013-03-31").returncode == 0
    for name, (state, read, published, _, quarantined) in loads(home, "2013-03-31").items():
        assert state == "published"
        assert read - quarantined >= published, name
    assert home.marts() == before
    assert publications


def test_a_critical_fault_reaches_neither_raw_nor_the_marts(home):
    before, raw = home.marts(), home.query("select count(*), max(_load_id) from raw.feedback__cases")
    watermark = "(select max(interval_end) from audit.load where state = 'published' and table_name = 'cases')"
    home.query("alter table case_management.cases alter column case_no drop not null", "case_management")
    home.query("update case_management.cases set case_no = null, updated_at = '2013-04-01 10:00+08' where case_id in "
               "(select case_id from case_management.cases order by case_id limit 3)", "case_management")  # fmt: skip
    assert home.query(f"select {watermark}") is not None
    result = home.nightly("2013-04-01")
    assert result.returncode == 1
    assert home.query("select count(*), max(_load_id) from raw.feedback__cases") == raw
    assert home.marts() == before
    runs = dict(home.query("select dag_id, state from dag_run where partition_key = '2013-04-01'", "airflow"))
    assert runs["ingest_feedback"] == "failed"
    assert "warehouse" not in runs
    (message,) = home.query("select message from audit.load where table_name = 'cases' order by load_id desc limit 1")[
        0
    ]
    assert "cases" in message and "case_no" in message and "3" in message
    assert message.splitlines()[0][:60] in " ".join(result.stdout.split())


def test_a_backfill_of_the_whole_month_heals_it_and_equals_one_straight_run(home, make_home):
    home.query(
        "update case_management.cases set case_no = 'MENDED' || case_id where case_no is null", "case_management"
    )
    straight = make_home("straight")
    assert straight.nightly("2013-03-31").returncode == 0
    straight.query("update case_management.cases set case_no = 'MENDED' || case_id, updated_at = '2013-04-01 10:00+08' "
                   "where case_id in (select case_id from case_management.cases order by case_id limit 3)",
                   "case_management")  # fmt: skip
    assert straight.nightly("2013-04-30").returncode == 0
    assert home.crw("backfill", "2013-04-01", "2013-04-30").returncode == 0
    dates = home.query(
        "select count(distinct business_date) from audit.load where state = 'published' and business_date > '2013-03-31'"
    )
    assert dates == [(30,)]
    ours, theirs = home.marts(), straight.marts()
    for name in theirs:
        assert ours[name] == theirs[name], name
