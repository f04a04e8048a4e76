"""The main job by the real scheduler: a night, the same night again, one that fails, the same mended, killed and run again."""

from __future__ import annotations

import codecs
import json
import os
import random
import re
from datetime import date

import pytest

from crw import contracts
from crw.sources.pseudonym import pseudonym
from sample_operator import crm, engagement, feedback, liaison
from tests.browser import chromium, executable
from tests.chaos import struck
from tests.dbt import small_cells
from tests.report.looked_at import DESK, PHONE, digests, faults, figures, text_of, tiles


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


def test_the_log_of_each_task_of_a_source_has_a_line_a_table(home):
    said = {"extract": r".*: [0-9,]+ rows read", "validate": r": [0-9]+ rules, ", "publish": r": Figures"}
    for source, tables in contracts.taking_part().items():
        for task, what in said.items():
            (log,) = (home.folder / "logs" / "airflow" / f"dag_id=ingest_{source}").glob(f"*/task_id={task}/*.log")
            lines = [json.loads(line)["event"] for line in log.read_text(encoding="utf-8").splitlines()]
            for table in tables:
                told = [line for line in lines if re.search(rf"\b{source}\.{table.name}\b{what}", line)]
                assert len(told) == 1, (log, table.name, lines)


def test_the_marts_agree_with_every_published_figure(home):
    disagreeing = home.query(
        "select fiscal_year, kpi, published, computed from marts.published_vs_computed where not agrees"
    )
    assert disagreeing == []
    assert home.query("select count(*) from marts.published_vs_computed where agrees") == [(28,)]


def test_no_cell_of_a_few_is_told_by_the_published_marts(home, monkeypatch):
    monkeypatch.setenv("DBT_TARGET_PATH", str(home.folder / "dbt" / "target"))
    assert small_cells.told(home.query, "marts") == []


def test_all_that_a_night_leaves_is_its_owners_alone(home):
    data = home.folder / "postgres" / "data"
    paths = [path for path in (home.folder, *home.folder.rglob("*")) if data not in path.parents]
    assert [path for path in paths if not path.is_symlink() and path.stat().st_mode & 0o077] == []


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if executable() is None:
        pytest.skip("no chromium on this machine (Debian: apt-get install chromium)")
    with chromium(tmp_path_factory.mktemp("browser")) as page:
        yield page


def test_every_page_is_fit_to_be_read_on_a_telephone_and_at_a_desk(home, browser):
    """Every chart drawn and described, nothing cut off, enough contrast, no address outside the site."""
    pages = sorted((home.folder / "site").glob("*.html"))
    assert len(pages) == 2 * (1 + 1 + 4) + 1  # both languages of the start, this morning and four years; one catalogue
    assert [fault for path in pages for width in (PHONE, DESK) for fault in faults(browser, path, width)] == []


@pytest.mark.parametrize("language, title", [("", "This morning"), (".zh", "今早概況")])
def test_this_morning_shows_every_figure_and_each_headline_as_sql_tells_it(home, browser, language, title):
    browser.open((home.folder / "site" / f"morning{language}.html").as_uri())
    assert browser.evaluate("document.querySelector('h1').textContent") == title
    assert figures(browser) == {
        "complaints_by_month": 1, "issues": 1, "districts": 1, "replies": 3, "backlog": 1, "satisfaction_by_service": 6,
        "members_by_month": 1, "joins_and_leaves": 2, "newsletter": 2, "activities": 1, "hotline": 2,
        "campaign_response": 2, "accounts": 1, "liaison_actions": 3, "liaison_meetings_and_attendance": 1,
    }  # fmt: skip
    percent = "%" if language else "\u00a0%"
    told = home.query(
        "select distinct on (kpi) kpi, case when unit = 'share' then round(100 * value, 1)::text || %(percent)s "
        "else to_char(value, 'FM999,999') end from marts.kpi_scorecard where is_latest and value is not null "
        "and period_basis in ('fiscal_year_to_date', 'fiscal_year') order by kpi, period_basis desc"
        .replace("%(percent)s", f"'{percent}'")
    )  # fmt: skip
    shown = tiles(browser)
    assert len(shown) == 12
    assert shown.items() <= dict(told).items()


def test_this_morning_tells_what_was_refused_and_why(home, browser):
    browser.open((home.folder / "site" / "morning.html").as_uri())
    ((source, table, rows),) = home.query(
        "select source, table_name, value::int from marts.data_health where is_latest and measure = 'rows_refused' "
        "and detail = 'key_unique' order by value desc limit 1"
    )
    first = browser.evaluate(
        "[...document.querySelectorAll('#health ~ table')].pop().querySelector('tbody tr').innerText"
    )
    assert (source, table) == ("engagement", "email_event")
    assert first.split("\t") == ["Engagement: email_event", "The key came twice; a later row of it is kept.", str(rows)]


def test_this_morning_prints_without_what_is_only_for_a_screen(home, browser):
    browser.open((home.folder / "site" / "morning.html").as_uri())
    printed = text_of(browser.print())
    assert printed.startswith("This morning As known at the end of 31 March 2013 Headlines Complaints 304 cases")
    assert "Data health Last night read" in printed
    assert "KPI catalogue" not in printed


def test_the_catalogue_is_searched_without_a_network(home, browser):
    browser.open((home.folder / "site" / "catalogue.html").as_uri())
    browser.evaluate("search.value = 'CHURN of'; search.dispatchEvent(new Event('input'))")
    shown = browser.evaluate("[...document.querySelectorAll('article')].filter(a => !a.hidden).map(a => a.id)")
    assert "kpi-churn_share" in shown
    assert len(shown) < 5


def test_the_pdf_of_a_year_holds_every_printed_figure(home):
    for language, more_than in (("", "over 43,000"), (".zh", "超過43,000")):
        pdf = text_of((home.folder / "site" / f"annual-2012-13{language}.pdf").read_bytes()).replace(" ", "")
        for figure in (more_than, "304", "8.4%", "2,947", "98.5%", "96.9%", "96.2%"):
            assert figure.replace(" ", "") in pdf, (language, figure)
        for (printed,) in home.query("select published from marts.published_vs_computed where fiscal_year = '2012/13'"):
            assert f"{abs(printed.normalize()):,f}" in pdf


def test_the_same_marts_make_the_same_bytes_and_no_page_names_a_company(home):
    site = home.folder / "site"
    before, folder = digests(site), site.resolve()
    result = home.crw("site")
    assert result.stdout.strip() == (site / "index.html").as_uri()
    assert site.resolve() != folder
    assert not folder.exists()
    assert digests(site) == before
    assert all(path.read_bytes().startswith(codecs.BOM_UTF8) for path in (site / "data").iterdir())
    pages = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.*") if path.suffix in (".html", ".csv"))
    words = set(re.findall(r"[\w-]+", pages))
    assert "complaints" in words
    assert words.isdisjoint(number for (number,) in home.query("select company_id from core.dim_customer"))
    for (name,) in home.query("select company_name from core.dim_customer where company_name is not null limit 50"):
        assert name not in pages


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


def test_who_repairs_a_night_may_look_at_what_it_did_and_refused(home):
    for table in ("audit.load", "quarantine.record", "landing.feedback__cases", "raw.feedback__cases"):
        assert home.crw("sql", "--role", "loader", f"select count(*) from {table}").returncode == 0, table
    refused = home.crw("sql", "--role", "loader", "delete from quarantine.record")
    assert refused.returncode != 0 and "read-only transaction" in refused.stdout


def test_no_personal_data_is_in_any_table_log_or_page(home):
    rows = home.query(
        "select complainant_email, complainant_name, complainant_phone from case_management.cases "
        "where complainant_email is not null limit 20",
        "case_management",
    )
    assert home.holds([value for row in rows for value in row if value]) == []


@pytest.fixture(scope="module")
def forgotten(home):
    """A complainant who was shown what is held, then erased, and then the key was changed: what stood, and what is sought."""
    ((address,),) = home.query(
        "select complainant_email from case_management.cases where complainant_email is not null and not is_anonymous "
        "and updated_at < '2013-03-31' order by case_id limit 1",
        "case_management",
    )
    key = json.loads((home.folder / "state.json").read_text())["pseudonym_key"]
    sought, marts = [pseudonym(address, key.encode()), address], home.marts()
    assert {place.split()[2] for place in home.holds(sought[:1])} >= {
        "raw.feedback__cases__2013_03",
        "core.fct_feedback_case",
    }
    assert home.holds(sought[1:]) == []
    told = home.crw("subject", str(home.folder / "answer"), typed=f"{address}\n")
    assert told.returncode == 0, told.stdout
    answers = [home.folder / f"answer.{kind}" for kind in ("json", "html")]
    assert all(sought[0] in answer.read_text(encoding="utf-8") for answer in answers)
    assert {"raw.feedback__cases", "core.fct_feedback_case"} <= json.loads(answers[0].read_text())["held"].keys()
    for answer in answers:
        answer.unlink()
    erased = home.crw("erase", "--reason", "request 12", "--by", "Officer 7", typed=f"{address}\n")
    assert erased.returncode == 0, erased.stdout
    assert home.holds(sought) == []
    rotated = home.crw("rotate-key", "--by", "Officer 7")
    assert rotated.returncode == 0, rotated.stdout
    new = json.loads((home.folder / "state.json").read_text())["pseudonym_key"]
    assert new != key
    return [*sought, pseudonym(address, new.encode())], marts


def test_the_same_night_again_changes_nothing_and_builds_nothing(home, forgotten):
    """Not even after somebody was erased and all pseudonyms were made anew: the delivery still has the person, raw has nobody."""
    sought, before = forgotten
    publications = home.query("select count(*) from audit.publication")
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
    assert home.holds(sought) == []


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
    for said in ("HeldError: landing.feedback__category", "kind_known", "3 rows", "a complaint", "is no folder"):
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


OF_TOMORROW = "update dag_run set queued_at = now() + interval '1 day' where partition_key = '2013-04-01'"
"""The runs that are left, as if they had been queued while the clock was a day ahead."""


@pytest.fixture(scope="module")
def mended(home, failed):
    """The failed night after its sources were mended and one has more to say: struck a dozen times, then let be.

    It is struck before any source's publishing has a `warehouse` follow. In the last run one source is past its deadline.
    """
    home.query(MEND, "case_management")
    home.query(NEW_CASE, "case_management")
    chance = random.Random(os.environ.get("SEED", "15"))
    for ending in ("whole tree", "postmaster", "scheduler"):
        kinds = [*(chance.choice(("task", "worker")) for _ in range(3)), ending]
        lines = sorted(chance.randrange(4, 20) for _ in kinds)
        points = [struck.Point(kind, line, chance.random() / 2) for kind, line in zip(kinds, lines, strict=True)]
        found = struck.run(home, date(2013, 4, 1), points)
        assert (found.faults, found.struck) == ([], points), found
    home.query(OF_TOMORROW, "airflow")
    night = home.start("2013-04-01")
    printed = []
    for line in night.stdout:
        if " landed, " in line and " landed, " not in "".join(printed):
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


def test_a_night_struck_in_the_middle_and_run_again_loses_and_doubles_nothing(mended):
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
