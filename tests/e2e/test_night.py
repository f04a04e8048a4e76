"""The main job by the real scheduler: a night, the same night again, one that fails, the same mended, killed and run again."""

from __future__ import annotations

import json
import os
import re
import signal

import pytest

from crw import contracts
from sample_operator import crm, engagement, feedback, liaison
from tests.dbt import small_cells


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
    assert home.query("select count(*) from marts.published_vs_computed where agrees") == [(28,)]


def test_no_cell_of_a_few_is_told_by_the_published_marts(home):
    assert small_cells.told(home.query, "marts") == []


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
        "where complainant_email is not null limit 2",
        "case_management",
    )
    secrets = "|".join(re.escape(value) for row in rows for value in row if value)
    tables = home.query(
        "select schemaname, tablename from pg_tables where schemaname in ('landing', 'raw', 'quarantine', 'core', 'marts')"
    )
    for schema, table in tables:
        found = home.query(f"select t::text from {schema}.{table} as t where t::text ~ $q${secrets}$q$ limit 1")
        assert found == [], f"{schema}.{table}"


def test_the_same_night_again_changes_nothing_and_builds_nothing(home):
    before, publications = home.marts(), home.query("select count(*) from audit.publication")
    stray = home.folder / "sources" / "engagement" / "hotline" / "calls [old].txt"
    stray.write_text("what no pattern matches")
    os.utime(stray, (1.3e9, 1.3e9))
    result = home.nightly("2013-03-31")
    assert result.returncode == 0
    assert "Files not read: 1 (audit.unread_file)" in result.stdout
    assert "calls [old].txt" in result.stdout
    for name, (state, read, published, unchanged, quarantined) in loads(home, "2013-03-31").items():
        assert (state, published) == ("published", 0), name
        assert read == unchanged + quarantined > 0, name
    assert home.marts() == before
    assert home.query("select count(*) from audit.publication") == publications


FAULT = """
    create schema mend;
    create table mend.category as select category_code, kind, updated_at from case_management.category order by 1 limit 3;
    update case_management.category set kind = 'rumour', updated_at = '2013-04-01 10:00+08'
    where category_code in (select category_code from mend.category)
"""


@pytest.fixture(scope="module")
def failed(home):
    """The night of 2013-04-01, in which categories had a kind of no list and the liaison group's folder was not there."""
    before, raw = home.marts(), home.query("select count(*), max(_load_id) from raw.feedback__cases")
    home.query(FAULT, "case_management")
    missing = {"conn_type": "fs", "extra": {"path": str(home.folder / "missing")}}
    home.environment["AIRFLOW_CONN_LIAISON_DROP"] = json.dumps(missing)
    result = home.nightly("2013-04-01")
    del home.environment["AIRFLOW_CONN_LIAISON_DROP"]
    return result, before, raw


def test_a_critical_fault_reaches_neither_raw_nor_the_marts(home, failed):
    result, before, raw = failed
    assert result.returncode == 1
    assert home.query("select count(*), max(_load_id) from raw.feedback__cases") == raw
    assert home.marts() == before
    runs = dict(home.query("select dag_id, state from dag_run where partition_key = '2013-04-01'", "airflow"))
    assert {dag for dag, state in runs.items() if state == "failed"} == {"ingest_feedback", "ingest_liaison"}
    assert "warehouse" not in runs
    printed = " ".join(result.stdout.split())
    for said in ("QualityError: landing.feedback__category", "kind_known", "3 rows", "a complaint", "is no folder"):
        assert said in printed
    (page,) = (home.folder / "data_docs" / "2013-04-01").glob("landing_feedback_category-*.html")
    assert "kind_known" in page.read_text(encoding="utf-8")


def test_a_warning_puts_exactly_its_rows_into_quarantine(home):
    """The sample plants so many rows of each kind of dirt; all of them are held, each with its reason, and no other."""
    held = home.query(
        "select table_name, reasons -> 0 ->> 'rule', count(*) from quarantine.record "
        "where source <> 'survey' and released_at is null and business_date = '2013-03-31' group by 1, 2"
    )
    planted = feedback.planted() | engagement.planted() | liaison.planted() | crm.planted()
    assert {(table, rule): count for table, rule, count in held} == planted


MEND = """
    update case_management.category as c set kind = m.kind, updated_at = m.updated_at
    from mend.category as m where c.category_code = m.category_code
"""

NEW_CASE = """
    insert into case_management.cases select (jsonb_populate_record(c, '{"case_id": 999999, "case_no": "CRD2013-99999",
    "status": "received", "outcome": "pending", "closed_at": null, "received_at": "2013-04-01 12:00+08",
    "updated_at": "2013-04-01 12:00+08"}')).*
    from case_management.cases as c order by case_id limit 1
"""

PASS_DEADLINE = """
    update deadline set deadline_time = now() from dag_run as r
    where r.id = dagrun_id and r.dag_id = 'ingest_campaign' and r.state = 'running'
"""


@pytest.fixture(scope="module")
def mended(home, failed):
    """The failed night after its sources were mended and one has more to say: killed, database and all, and run again.

    In the second run one source is past its deadline.
    """
    home.query(MEND, "case_management")
    home.query(NEW_CASE, "case_management")
    night = home.start("2013-04-01")
    assert any("validate_cases" in line for line in night.stdout)
    night.kill()
    postmaster = int((home.folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    night.wait()
    night = home.start("2013-04-01")
    printed = []
    for line in night.stdout:
        if "extract" in line and "extract" not in "".join(printed):
            home.query(PASS_DEADLINE, "airflow")
        printed.append(line)
    assert night.wait() == 0, "".join(printed)
    return home


ORDER = """
    select (select min(queued_at) from dag_run where dag_id = 'warehouse' and partition_key = '2013-04-01'),
        (select max(t.end_date) from task_instance as t join dag_run as r using (dag_id, run_id)
        where task_id = 'publish' and partition_key = '2013-04-01')
"""


def test_a_mended_night_is_built_from_what_every_source_published_since(mended):
    """Four of six sources had published it before."""
    assert mended.query("select count(*) from core.fct_feedback_case where case_no = 'CRD2013-99999'") == [(1,)]
    assert mended.query("select max(business_date)::text from audit.publication") == [("2013-04-01",)]
    ((started, last_published),) = mended.query(ORDER, "airflow")
    assert started >= last_published


def test_a_night_killed_in_the_middle_and_run_again_loses_and_doubles_nothing(mended):
    source = mended.query(
        "select case_id, case_no, status from case_management.cases where updated_at < '2013-04-02 00:00+08'",
        "case_management",
    )
    raw = mended.query(
        "select distinct on (case_no) case_id, case_no, status from raw.feedback__cases "
        "order by case_no, _business_date desc, _load_id desc"
    )
    refused = mended.query("select (record ->> 'case_id')::bigint from quarantine.record where table_name = 'cases'")
    assert set(raw) <= set(source)
    assert {case_id for case_id, *_ in set(source) - set(raw)} <= {case_id for (case_id,) in refused}
    assert mended.query(
        "select count(*) from (select from raw.feedback__cases group by case_no, _business_date having count(*) > 1) as twice"
    ) == [(0,)]


def test_a_run_past_its_deadline_is_noted_and_no_other(mended):
    late = mended.query("select dag_id, business_date::text, noted_at > due_at from audit.late_run")
    assert late == [("ingest_campaign", "2013-04-01", True)]
