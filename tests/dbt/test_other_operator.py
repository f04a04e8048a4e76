"""Another operator's lists and clock over the same project: nothing in it names a code of theirs."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crw import catalogue, publish, quality, store, transform
from crw.report import site as report
from crw.report.marts import Marts
from tests.dbt.conftest import built_manifest
from tests.other_operator import CASES, CATEGORIES, COMPANIES, EVENTS, HEADERS, MEMBERSHIPS, ROWS, write_seeds
from tests.report.looked_at import digests

NIGHT = date(2013, 3, 31)


def fill(warehouse):
    warehouse.put("feedback", "category", "2013-03-31", 1, *CATEGORIES)
    warehouse.put("feedback", "cases", "2013-03-31", 2, *CASES)
    warehouse.put("feedback", "case_event", "2013-03-31", 3, *EVENTS)
    warehouse.put("membership", "company", "2013-03-31", 4, *COMPANIES)
    warehouse.put("membership", "membership", "2013-03-31", 5, *MEMBERSHIPS)
    activity = {"activity_id": "W", "kind": "Workshop", "held_on": "2013-01-10"}
    warehouse.put("engagement", "activity", "2013-03-31", 6, activity)
    came = {"registration_id": "W1", "activity_id": "W", "company_id": "FEW2", "attended": True, "is_walk_in": False}
    warehouse.put("engagement", "registration", "2013-03-31", 7, came)


@pytest.fixture(scope="module")
def own_seeds(module_warehouse, tmp_path_factory):
    folder = tmp_path_factory.mktemp("seeds")
    write_seeds(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRW_SEEDS", str(folder))
        for variable in ("CRW_CLOCK", "PGTZ"):
            patch.setenv(variable, "Europe/Helsinki")
        patch.setattr("crw.transform.CLOCK", ZoneInfo("Europe/Helsinki"))
        patch.setattr("crw.settings.HOME", tmp_path_factory.mktemp("home"))
        for variable in ("CRW_SEED_PATH", "CRW_BUSINESS_DATE", "CRW_PROJECT_VERSION"):
            patch.setenv(variable, "set by the build, and unset after")
        yield folder


@pytest.fixture(scope="module")
def built(module_warehouse, own_seeds):
    fill(module_warehouse)
    transform.build(module_warehouse.connection, NIGHT)
    return module_warehouse


def test_every_rule_of_every_mart_holds(built):
    outcomes = quality.validate_marts(built.connection, NIGHT)
    failed = [result.rule for outcome in outcomes for result in outcome.results if not result.success]
    assert len(outcomes) > 15
    assert failed == []


def test_kinds_are_the_operators_and_several_count_as_complaint(built):
    rows = built.rows(
        "select kind, received, found_substantiated, received_withdrawn, complaints, commendations_per_complaint "
        "from candidate.kpi_feedback where period_basis = 'fiscal_year' and period = '2012/13' and level = 'kind' order by 1"
    )
    # 4 was merged. Complaints are 1, 2 and 3.
    assert rows == [
        ("Price dispute", 1, 0, 1, None, None),
        ("grievance", 2, 1, 0, None, None),
        ("idea", 0, 0, 0, None, None),
        ("praise", 1, 0, 0, 3, Decimal("0.333333333333")),
        ("question", 1, 0, 0, None, None),
    ]
    assert built.rows(
        "select complaints_12_months, commendations_12_months, feedback_12_months, clubs from candidate.customer_360 "
        "where company_id = 'FEW1' and is_current"
    ) == [(2, 1, 3, "Gold")]


def test_a_code_that_no_list_has_is_not_stated(built):
    rows = built.rows(
        "select dimension, dimension_value, sum(received) from candidate.kpi_feedback_by_dimension where period = '2012/13' "
        "and dimension in ('channel', 'district', 'language') group by 1, 2 having sum(received) > 0 order by 1, 2"
    )
    assert rows == [
        ("channel", "app", 4), ("channel", "not_stated", 1),
        ("district", "N", 4), ("district", "not_stated", 1),
        ("language", "not_stated", 5),
    ]  # fmt: skip


def test_a_case_is_handled_by_what_its_codes_count_as(built):
    assert built.rows("select status, outcome, acknowledged_on::text, closed_days from core.fct_feedback_case where case_no = '1'") == [
        ("closed", "substantiated", "2012-05-03", 6)
    ]  # fmt: skip
    assert built.rows(
        "select kind, open_cases from candidate.kpi_feedback_backlog "
        "where period_basis = 'month' and as_of_date = '2013-03-31' and age_band = 'all' and open_cases > 0"
    ) == [("question", 1)]


def test_members_of_any_are_the_companies_of_the_clubs_that_count(built):
    rows = built.rows(
        "select club_code, members from candidate.kpi_membership where period_basis = 'fiscal_year' and period = '2012/13' order by 1"
    )
    assert rows == [("Bronze", 40), ("Gold", 40), ("Partner", 6), ("Silver", 40), ("any", 79)]
    assert built.rows("select is_member, clubs, member_since from candidate.customer_360 where company_id = 'SOME31' and is_current") == [
        (False, "Partner", None)
    ]  # fmt: skip


def test_no_few_companies_are_told_by_three_clubs_beside_any(built):
    rows = built.rows(
        "select club_code, array_agg(members order by dimension_value) from candidate.kpi_membership_by_dimension "
        "where period_basis = 'fiscal_year' and period = '2012/13' and dimension = 'size_band' group by 1 order by 1"
    )
    # few, many, some: of few the clubs would tell who is in several, and the total less the others would tell few.
    assert rows == [
        ("Bronze", [10, 20, 10]), ("Gold", [10, 20, 10]), ("Partner", [6]), ("Silver", [10, 20, 10]), ("any", [None, None, 30])
    ]  # fmt: skip


def test_an_activity_of_any_kind_is_engagement(built):
    assert built.rows(
        "select activity_days_12_months from candidate.customer_360 where company_id = 'FEW2' and is_current"
    ) == [(1,)]
    assert built.rows("select kind from core.dim_activity") == [("workshop",)]


def test_what_the_operator_lacks_is_empty_or_zero(built):
    for mart in ("kpi_satisfaction", "kpi_liaison", "kpi_campaign", "kpi_feedback_loop", "published_vs_computed"):
        assert built.rows(f"select count(*) from candidate.{mart}") == [(0,)], mart
    assert built.rows("select sum(contacted), count(*) > 0 from candidate.kpi_campaign_by_period") == [(0, True)]
    assert built.rows("select count(mail_items), count(received_per_million_items) from candidate.kpi_feedback") == [
        (0, 0)
    ]


def test_a_kpi_that_the_operator_lacks_is_not_in_the_scorecard(built):
    areas = [area for (area,) in built.rows("select distinct area from candidate.kpi_scorecard order by 1")]
    assert areas == ["engagement", "feedback", "membership"]
    assert (
        built.rows(
            "select kpi from candidate.kpi_scorecard where kpi in ('suggestions', 'enquiries', 'newsletter_delivered', 'hotline_calls')"
        )
        == []
    )
    # 1, 2 and 3 are grievances and a price dispute, over mail that nobody knows.
    assert built.rows(
        "select kpi, value from candidate.kpi_scorecard where period_basis = 'fiscal_year' and period = '2012/13' "
        "and kpi like 'complaints%' order by 1"
    ) == [("complaints", 3), ("complaints_per_million_items", None)]


def test_names_may_be_english_only(built):
    assert built.rows("select channel_code, name_en, name_zh from core.dim_channel order by sort_order") == [
        ("app", "App", None), ("chat", "Chat", None)
    ]  # fmt: skip
    assert built.rows("select count(*), count(name_zh) from core.dim_district") == [(5, 0)]


def test_a_past_date_is_told_by_the_operators_lists(built):
    publish.publish_marts(built.connection, NIGHT, "test")
    assert built.rows("select count(*) from as_of.kpi_membership('2013-03-31') where club_code = 'Gold'") == built.rows(
        "select count(*) from candidate.kpi_membership where club_code = 'Gold'"
    )


@pytest.fixture(scope="module")
def site(built, login, tmp_path_factory):
    """The pages of what the operator published."""
    publish.publish_marts(built.connection, NIGHT, "test")
    home = tmp_path_factory.mktemp("site")
    return report.build(login(built.connection, "crw_dashboard"), home, built_manifest()).parent


def test_pages_made_on_another_machine_than_the_build_show_the_same(site, built, login, tmp_path, monkeypatch):
    before = {path.relative_to(site) for path in site.rglob("*")}, (site / "catalogue.html").read_text(encoding="utf-8")
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    monkeypatch.setenv("CRW_PAGES", (tmp_path / "store").as_uri())
    monkeypatch.setenv("CRW_SCRATCH", str(tmp_path / "scratch"))
    monkeypatch.setattr("crw.settings.HOME", tmp_path)
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "project_version").write_text("of an older version")
    (tmp_path / "target" / "manifest.json").write_text("{}")
    for _ in range(2):  # the second begins with what the first sent
        with store.home() as home:
            report.build(login(built.connection, "crw_dashboard"), home, transform.manifest())
    assert list((tmp_path / "scratch").iterdir()) == []
    stored = {path.relative_to(tmp_path / "store") for path in (tmp_path / "store").rglob("*")} - {Path("files.txt")}
    assert (stored, (tmp_path / "store" / "catalogue.html").read_text(encoding="utf-8")) == before


def test_pages_say_in_a_sentence_what_the_operator_has_not(site, built):
    morning = (site / "morning.html").read_text(encoding="utf-8")
    for area in ("Satisfaction", "Campaigns and accounts", "Liaison groups"):
        assert f"There are no figures of this: {area}." in morning
    # Nothing of feedback is complete but months.
    assert built.rows("select distinct value from marts.kpi_scorecard where kpi = 'complaints' and is_latest") == [(0,)]
    assert re.search(r'<p class="value">0 <small>cases</small></p>\s*<p class="small">March 2013', morning)
    assert "Last night read 0 rows of 0 tables" in morning
    # Of no year is more known than the members.
    assert list(site.glob("annual-*")) == []
    assert "Annual pages" not in (site / "index.html").read_text(encoding="utf-8")


def test_pages_say_codes_by_their_names_and_in_english_where_there_is_no_other(site):
    morning = (site / "morning.zh.html").read_text(encoding="utf-8")
    assert '<th scope="row">Gold</th>' in morning
    assert "投訴" in morning


def test_a_build_that_fails_leaves_the_pages_of_before(site, built, login):
    before = digests(site)
    with pytest.raises(KeyError):
        report.build(login(built.connection, "crw_dashboard"), site.parent, {})
    assert digests(site) == before
    assert report.build(login(built.connection, "crw_dashboard"), site.parent, built_manifest()).parent == site
    assert digests(site) == before
    assert len(list(site.parent.glob("site-*"))) == 1  # what the failed build left is gone


def test_pages_of_marts_without_a_row_and_of_a_name_with_markup(site, built, tmp_path):
    manifest = built_manifest()
    with built.connection.transaction(force_rollback=True):
        built.connection.execute("update marts.kpi_scorecard set name_en = '<b>' || name_en where kpi = 'complaints'")
        report.write(Marts(built.connection, catalogue.formats_of(manifest)), tmp_path, manifest, before=site)
        morning = (tmp_path / "morning.html").read_text(encoding="utf-8")
        assert "&lt;b&gt;Complaints" in morning
        assert "<b>Complaints" not in morning
        for (mart,) in built.rows(
            "select tablename from pg_tables where schemaname = 'marts' and tablename <> 'code_name'"
        ):
            built.connection.execute(f"delete from marts.{mart}")
        empty = tmp_path / "empty"
        empty.mkdir()
        report.write(Marts(built.connection, catalogue.formats_of(manifest)), empty, manifest, before=site)
    assert sorted(path.name for path in empty.glob("*.html")) == [
        "catalogue.html", "index.html", "index.zh.html", "morning.html", "morning.zh.html"
    ]  # fmt: skip
    assert "The marts hold no figures yet." in (empty / "index.html").read_text(encoding="utf-8")


def test_a_changed_list_is_another_project_and_builds_anew_with_a_seed_of_other_columns(built, own_seeds):
    before = transform.project_version()
    rows = [row.replace("question,4,Question,,", "question,4,Question,,complaint") for row in ROWS["code_list"]]
    write_seeds(own_seeds, code_list=rows)
    built.connection.execute("alter table core.mail_volume rename column fiscal_year to year")
    try:
        assert transform.project_version() != before
        transform.build(built.connection, NIGHT)
        assert built.rows(
            "select complaints from candidate.kpi_feedback where period = '2012/13' and level = 'kind' and kind = 'praise'"
        ) == [(4,)]
        assert built.rows("select count(fiscal_year) from core.mail_volume") == [(0,)]
    finally:
        write_seeds(own_seeds)


def test_the_operators_own_files_stay_as_they_are(built, own_seeds):
    assert (own_seeds / "code_list.csv").read_text("utf-8").splitlines() == [HEADERS["code_list"], *ROWS["code_list"]]
