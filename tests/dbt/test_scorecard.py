"""The scorecard, on the small world: each figure is that of its mart, by a query of the mart that the scorecard does not make."""

from __future__ import annotations

import csv
import math
import re
from decimal import Decimal

import pytest
from psycopg.types.json import Jsonb
from scipy import stats

from crw import catalogue
from crw.settings import DBT_PROJECT
from tests.dbt import world
from tests.dbt.conftest import built_manifest

COMPLAINT = "kind = 'complaint' and level = 'kind'"
ALL_LIAISON = "kpi_liaison where group_code = 'all' and constituency = 'all'"
ALL_NEWSLETTERS = "kpi_engagement_newsletter where newsletter_code = 'all'"
ANY_CLUB = "kpi_membership where club_code = 'any'"

# Of each KPI the mart's own column: (value, from). Where a mart has no such column, the sum that a reader would make.
IN_MART = {
    "feedback_received": ("sum(received)", "kpi_feedback where level = 'kind' group by 1, 2"),
    "complaints": ("received", f"kpi_feedback where {COMPLAINT}"),
    "commendations": ("received", "kpi_feedback where level = 'kind' and kind = 'commendation'"),
    "suggestions": ("received", "kpi_feedback where level = 'kind' and kind = 'suggestion'"),
    "enquiries": ("received", "kpi_feedback where level = 'kind' and kind = 'enquiry'"),
    "lost_mail_claims": ("received", "kpi_feedback where level = 'kind' and kind = 'lost_mail_claim'"),
    "complaints_per_million_items": (
        "received_per_million_items", f"kpi_feedback where {COMPLAINT} and period_basis = 'fiscal_year'"
    ),
    "commendations_per_complaint": (
        "commendations_per_complaint", "kpi_feedback where level = 'kind' and kind = 'commendation'"
    ),
    "substantiated_share": ("substantiated_share", f"kpi_feedback where {COMPLAINT}"),
    "reopened_share": (
        "round(sum(received_reopened)::numeric / nullif(sum(received), 0), 12)",
        "kpi_feedback where level = 'kind' group by 1, 2",
    ),
    **{
        f"{step}_within_target_share": (f"{step}_within_target_share", f"kpi_feedback where {COMPLAINT}")
        for step in ("acknowledgement", "first_reply", "substantive_reply")
    },
    **{
        f"substantive_reply_days_{figure}": (
            f"calendar_days_{figure}",
            "kpi_feedback_timeliness where kind = 'complaint' and dimension = 'all' and milestone = 'substantive_reply'",
        )
        for figure in ("average", "median")
    },
    "open_cases": ("sum(open_cases)", "kpi_feedback_backlog where age_band = 'all' group by 1, 2"),
    "open_cases_over_30_days": (
        "sum(open_cases)", "kpi_feedback_backlog where age_band in ('31-90', 'over 90') group by 1, 2"
    ),
    **{name: (name, ANY_CLUB) for name in ("members", "joins", "leaves", "net_growth")},
    "churn_share": ("round(leaves::numeric / nullif(members_at_start, 0), 12)", ANY_CLUB),
    "active_share": ("active_share", "kpi_membership_by_dimension where club_code = 'any' and dimension = 'all'"),
    "newsletter_delivered": ("delivered", ALL_NEWSLETTERS),
    "newsletter_opened_share": ("opened_share", ALL_NEWSLETTERS),
    "newsletter_clicked_share": ("clicked_share", ALL_NEWSLETTERS),
    "newsletter_unsubscribed_share": ("unsubscribed_share", ALL_NEWSLETTERS),
    "late_sends_after_unsubscribe": ("late_sends_after_unsubscribe", ALL_NEWSLETTERS),
    "activities_attended": ("sum(people_attended)", "kpi_engagement_activity group by 1, 2"),
    "turned_up_share": (
        "round(sum(people_attended - people_walked_in)::numeric / nullif(sum(people_checked), 0), 12)",
        "kpi_engagement_activity group by 1, 2",
    ),
    "hotline_calls": ("offered", "kpi_engagement_hotline"),
    "hotline_answered_within_20s_share": ("answered_within_20s_share", "kpi_engagement_hotline"),
    "hotline_abandoned_share": ("abandoned_share", "kpi_engagement_hotline"),
    "hotline_average_wait_seconds": ("average_wait_seconds", "kpi_engagement_hotline"),
    "website_visits": ("visits", "kpi_engagement_website"),
    "campaign_contacts": ("contacted", "kpi_campaign_by_period where kind_code = 'all'"),
    "campaign_response_90_days_share": ("response_90_days_share", "kpi_campaign_by_period where kind_code = 'all'"),
    "campaign_consent_share": ("consent_coverage_share", "kpi_campaign_by_period where kind_code = 'all'"),
    "contacts_without_consent": ("contacts_without_consent", "kpi_campaign_by_period where kind_code = 'all'"),
    "account_coverage_share": ("coverage_share", "kpi_account_management where role = 'all'"),
    "account_interactions": ("account_interactions", "kpi_account_management where role = 'all'"),
    "liaison_groups": ("liaison_groups", ALL_LIAISON),
    "liaison_members": ("members", ALL_LIAISON),
    "liaison_meetings": ("meetings", ALL_LIAISON),
    "liaison_attendance_share": ("attendance_share", ALL_LIAISON),
    "liaison_topics": ("topics", ALL_LIAISON),
    "liaison_actions_raised": ("actions_raised", ALL_LIAISON),
    "liaison_actions_done": ("actions_done", ALL_LIAISON),
    "liaison_actions_overdue": ("actions_overdue", ALL_LIAISON),
    "liaison_days_to_done_average": ("days_to_done_average", ALL_LIAISON),
    **{
        f"satisfaction_{question}": ("top_box_share", f"kpi_satisfaction where question_code = '{question}'")
        for question in ("overall", "counter", "delivery", "hotline", "online", "staff_attitude")
    },
    "survey_response_share": ("max(response_share)", "kpi_satisfaction group by 1, 2"),
    "retention_first_year_share": (
        "retained_share",
        # The cohort of a fiscal year reaches its first anniversary in the next.
        "(select 'fiscal_year' as period_basis, to_char(cohort_start + interval '1 year', 'YYYY') || '/' "
        "|| to_char(cohort_end + interval '1 year', 'YY') as period, retained_share from candidate.kpi_membership_retention "
        "where club_code = 'any' and years_since_joining = 1) as cohort",
    ),
}  # fmt: skip
OF_MONTHS = ("fiscal_year_to_date", "rolling_12_months")


def seed(name: str) -> list[dict[str, str]]:
    with (DBT_PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def built(module_warehouse):
    world.first_nights(module_warehouse)
    world.last_night(module_warehouse)
    module_warehouse.put(
        "feedback", "cases", "2013-04-10", 41,
        world.case("B1", "C-DELAY", "2013-04-02 09:00+08"), world.case("B2", "C-DELAY", "2013-04-03 09:00+08"),
        world.case("B3", "C-DELAY", "2012-11-03 09:00+08"),
    )  # fmt: skip
    module_warehouse.build("2013-04-10")
    return module_warehouse


def of(built, kpi: str, columns: str, basis: str) -> list[tuple]:
    return built.rows(
        f"select {columns} from candidate.kpi_scorecard where kpi = '{kpi}' and period_basis = '{basis}' order by period_end"
    )


@pytest.mark.parametrize("kpi", [row["kpi"] for row in seed("kpi")])
def test_a_figure_is_that_of_its_mart(built, kpi):
    value, mart = IN_MART[kpi]
    relation = mart if mart.startswith("(") else f"candidate.{mart}"
    expected = built.rows(f"select period_basis, period, {value} from {relation} order by 1, 2")
    found = built.rows(
        f"select period_basis, period, value from candidate.kpi_scorecard where kpi = '{kpi}' "
        f"and period_basis not in {OF_MONTHS} order by 1, 2"
    )
    assert found == expected


def test_a_kpi_is_shown_as_the_column_it_is_made_of(built):
    columns = {
        (mart["name"], name): column["config"]["meta"]
        for mart in catalogue.marts_of(built_manifest())
        for name, column in mart["columns"].items()
    }
    lines = {row["kpi"]: row for row in seed("kpi")}
    told = {kpi: (lines[kpi]["unit"], lines[kpi]["number_format"]) for kpi in IN_MART}
    of_column = {}
    for kpi, (value, mart) in IN_MART.items():
        column = re.fullmatch(r"(?:sum|max)\((\w+)\)|(\w+)", value)
        meta = columns.get((re.match(r"\w*", mart)[0], column and (column[1] or column[2])))
        of_column[kpi] = (meta["unit"], meta["format"]) if meta else told[kpi]
    assert told == of_column


def test_every_area_has_figures_and_thirty_kpis_are_told(built):
    rows = built.rows(
        "select area, count(distinct kpi) from candidate.kpi_scorecard where value is not null group by 1"
    )
    assert {area for area, _ in rows} == {row["area"] for row in seed("kpi")}
    assert sum(kpis for _, kpis in rows) >= 30


def test_a_year_to_date_and_twelve_months_are_made_of_months(built):
    months = dict(
        built.rows(
            f"select period, received from candidate.kpi_feedback where {COMPLAINT} and period_basis = 'month' order by 1"
        )
    )
    names = list(months)
    for basis, reach in (("fiscal_year_to_date", None), ("rolling_12_months", 12)):
        rows = of(built, "complaints", "period, to_char(period_end, 'YYYY-MM'), value, is_complete", basis)
        assert len(rows) > 20
        for period, last, value, is_complete in rows:
            length = reach or (int(last[5:]) - 4) % 12 + 1
            at = names.index(last) + 1
            assert value == sum(months[name] for name in names[at - length : at]), period
            assert is_complete == (last < "2013-04")
    # K1 and K3 on the day; K2 came back. What stands at an end is no sum, and churn is over who were there at the start.
    assert (
        of(built, "members", "value", "rolling_12_months")[-1]
        == built.rows(f"select members from candidate.{ANY_CLUB} and period_basis = 'month' and period = '2013-03'")[0]
    )
    assert (
        of(built, "churn_share", "numerator, denominator", "rolling_12_months")[-1]
        == built.rows(
            f"select leaves, members_at_start from candidate.{ANY_CLUB} and period_basis = 'fiscal_year' and period = '2012/13'"
        )[0]
    )


def test_only_whole_periods_are_compared_with_the_same_a_year_before(built):
    columns = "period, value, value_before, change, period_compared"
    # A2 and A8 in 2010/11 (A1 is a commendation now), A3 in 2011/12, A7 and B3 in 2012/13; the year from April 2013 runs.
    assert of(built, "complaints", columns, "fiscal_year") == [
        ("2010/11", 2, None, None, None), ("2011/12", 1, 2, -50, "2010/11"), ("2012/13", 2, 1, 100, "2011/12"),
        ("2013/14", 2, None, None, None),
    ]  # fmt: skip
    to_date = {row[0]: row[1:] for row in of(built, "complaints", columns, "fiscal_year_to_date")}
    assert to_date["2012/13 to 2012-11"] == (2, 1, 100, "2011/12 to 2011-11")
    assert to_date["2013/14 to 2013-04"] == (2, None, None, None)
    rolling = {row[0]: row[1:] for row in of(built, "complaints", columns, "rolling_12_months")}
    assert rolling["12 months to 2012-04"][-1] == "12 months to 2011-04"
    assert "12 months to 2013-04" not in rolling


def test_the_latest_is_the_newest_complete_period(built):
    assert built.rows("select period_basis, period from candidate.kpi_scorecard where kpi = 'complaints' and is_latest order by 1") == [
        ("calendar_year", "2012"), ("fiscal_quarter", "2012/13 Q4"), ("fiscal_year", "2012/13"),
        ("fiscal_year_to_date", "2012/13 to 2013-03"), ("month", "2013-03"), ("rolling_12_months", "12 months to 2013-03"),
    ]  # fmt: skip


def test_a_kpi_has_one_headline_of_the_year_so_far_or_else_of_its_newest_year(built):
    chosen = built.rows("select kpi, period_basis, period from candidate.kpi_scorecard where is_headline order by 1")
    known = "select distinct kpi from candidate.kpi_scorecard where is_complete and value is not null order by 1"
    assert [kpi for kpi, *_ in chosen] == [kpi for (kpi,) in built.rows(known)]
    assert ("complaints", "fiscal_year_to_date", "2012/13 to 2013-03") in chosen
    assert ("satisfaction_overall", "fiscal_year", "2012/13") in chosen


def test_a_wave_stands_under_its_basis_beside_the_wave_before(built):
    columns = "period, period_basis_compared, period_compared, is_latest, n_effective is not null"
    assert of(built, "satisfaction_overall", columns, "calendar_year") == [("2010", None, None, True, True)]
    assert of(built, "satisfaction_overall", columns, "fiscal_year") == [
        ("2012/13", "calendar_year", "2010", True, True)
    ]
    assert of(built, "satisfaction_overall", "change, change_low, change_high, is_change_significant", "fiscal_year") == built.rows(
        "select top_box_change_pp, top_box_change_low_pp, top_box_change_high_pp, is_change_significant "
        "from candidate.kpi_satisfaction where wave_code = '2012-13' and question_code = 'overall'"
    )  # fmt: skip


def test_a_count_has_the_interval_of_a_poisson_count(built):
    rows = built.rows(
        "select distinct value, value_low, value_high from candidate.kpi_scorecard "
        "where interval_method = 'poisson' and unit <> 'per_million' and value is not null"
    )
    assert {row[0] for row in rows} >= {0, 1, 2}
    for value, low, high in rows:
        count = float(value)
        exact = (stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0, stats.chi2.ppf(0.975, 2 * count + 2) / 2)
        assert (float(low), float(high)) == pytest.approx(exact, abs=0.2)


def test_a_share_and_its_change_have_the_intervals_of_wilson_and_newcombe(built):
    rows = built.rows(
        "select now.numerator, now.denominator, before.numerator, before.denominator, now.value_low, now.value_high, "
        "now.change_low, now.change_high, now.is_change_significant from candidate.kpi_scorecard as now "
        "inner join candidate.kpi_scorecard as before on now.kpi = before.kpi and now.period_basis = before.period_basis "
        "and now.period_compared = before.period "
        "where now.interval_method = 'wilson' and now.n_effective is null and now.change is not null"
    )
    assert rows
    for x, n, x_before, n_before, low, high, change_low, change_high, is_significant in rows:
        now = stats.binomtest(int(x), int(n)).proportion_ci(method="wilson")
        before = stats.binomtest(int(x_before), int(n_before)).proportion_ci(method="wilson")
        assert (float(low), float(high)) == pytest.approx((now.low, now.high), abs=1e-4)
        p, q = x / n, x_before / n_before
        expected = (
            float(p - q) - math.hypot(float(p) - now.low, before.high - float(q)),
            float(p - q) + math.hypot(now.high - float(p), float(q) - before.low),
        )
        assert (float(change_low), float(change_high)) == pytest.approx([100 * bound for bound in expected], abs=0.01)
        assert is_significant == (change_low > 0 or change_high < 0)


def test_a_target_is_met_on_its_good_side(built):
    targets = {row["kpi"]: row for row in seed("kpi_target")}
    directions = {row["kpi"]: row["good_direction"] for row in seed("kpi")}
    rows = built.rows(
        "select kpi, period_start, value, target, is_on_target from candidate.kpi_scorecard where value is not null"
    )
    assert any(row[4] for row in rows)
    assert any(row[4] is False for row in rows)
    for kpi, start, value, target, is_on_target in rows:
        line = targets.get(kpi)
        if line is None or start.isoformat() < line["valid_from"]:
            assert (target, is_on_target) == (None, None), kpi
        else:
            at_least = directions[kpi] == "up"
            assert target == Decimal(line["target"])
            assert is_on_target == (value >= target if at_least else value <= target)


def test_print_stands_beside_what_it_speaks_of(built):
    assert built.rows(
        "select kpi, period, published, published_comparator from candidate.kpi_scorecard where published is not null "
        "and period_basis = 'fiscal_year' and kpi in ('members', 'satisfaction_overall') order by 1, 2"
    ) == [
        ("members", "2011/12", 43000, "below"), ("members", "2012/13", 43000, "over"),
        ("satisfaction_overall", "2012/13", Decimal("0.985"), "exact"),
    ]  # fmt: skip


def test_every_code_of_a_mart_has_a_name_in_both_languages(built):
    names = {
        (of, code): name
        for of, code, *name in built.rows("select list, code, name_en, name_zh from candidate.code_name")
    }
    held = {
        (mart["name"], name, of, code)
        for mart in catalogue.marts_of(built_manifest())
        for name, column in mart["columns"].items()
        if (codes := column["config"]["meta"].get("codes"))
        for of, code in built.rows(
            f"select distinct {'dimension' if codes == 'by_row' else repr(codes)}, {name} from candidate.{mart['name']}"
            f" where {name} is not null"
        )
    }
    assert len({codes for _, _, codes, _ in held}) > 25
    # Sources name their offices, groups and industries themselves, in this world in English alone. What is printed is named as in print.
    of_source = {"post_office", "group", "industry"}
    nameless = {
        (mart, column, of, code)
        for mart, column, of, code in held
        if not all(names.get((of, code), [None])[: 1 if of in of_source else 2]) and mart != "published_vs_computed"
    }
    assert nameless == set()


@pytest.fixture
def two_nights(built):
    """What the ledger knows of two nights of a table, one load of which failed, with a row that two rules refused."""
    connection = built.connection
    reasons = [{"rule": rule, "value": "CHAN", "severity": "warning"} for rule in ("kind_known", "type")]
    rules = [
        {"rule": "a", "severity": "critical", "success": True, "unexpected": 0},
        {"rule": "b", "severity": "info", "success": False, "unexpected": 3},
    ]
    load = (
        "insert into audit.load (source, table_name, business_date, run_id, state, interval_start, interval_end, rows_read, "
        "rows_published, rows_unchanged, rows_quarantined, rows_at_source, rows_in_raw, rows_vanished, rows_found_late, "
        "started_at, landed_at, validated_at, published_at) values ('feedback', 'cases', %s, 'r', %s, '2013-01-01', "
        "'2013-04-11', 10, %s, %s, 1, 12, 11, 0, 1, '2013-04-11 01:00+08', "
        "'2013-04-11 01:00:30+08', '2013-04-11 01:01+08', '2013-04-11 01:02+08') returning load_id"
    )
    with connection.transaction(force_rollback=True):
        connection.execute(load, ["2013-03-01", "published", 9, 0])
        (failed,) = connection.execute(load, ["2013-04-10", "failed", 9, 0]).fetchone()
        (published,) = connection.execute(load, ["2013-04-10", "published", 0, 9]).fetchone()
        for load_id, night, row in (
            (published, "2013-03-01", 1),
            (failed, "2013-04-10", 2),
            (published, "2013-04-10", 3),
        ):
            connection.execute(
                "insert into quarantine.record (load_id, source, table_name, business_date, row_no, record, reasons, released_at) "
                "values (%s, 'feedback', 'cases', %s, %s, %s, %s, case when %s then now() end)",
                [load_id, night, row, Jsonb({"name": "CHAN"}), Jsonb(reasons), load_id == failed],
            )
        connection.execute(
            "insert into audit.validation (suite, business_date, success, rules, rules_failed, result) values "
            "('marts/kpi_feedback', '2013-04-10', true, 2, 1, %s)",
            [Jsonb({"rules": rules})],
        )
        connection.execute(
            "insert into audit.publication (business_date, run_id, mart, row_count, published_at) "
            "values ('2013-04-10', 'r', 'kpi_feedback', 7, '2013-04-11 01:05+08')"
        )
        yield built


def test_the_nights_are_told_by_counts_and_never_by_what_a_row_holds(two_nights):
    def told(measure):
        return two_nights.rows(
            "select source, table_name, detail, age_band, value from candidate.data_health "
            f"where is_latest and measure = '{measure}' order by 1, 2, 3, 4"
        )

    cases = ("feedback", "cases")
    assert told("rows_read") == [(*cases, "all", "all", 10)]
    assert told("rows_unchanged") == [(*cases, "all", "all", 9)]
    assert told("loads") == [(*cases, "failed", "all", 1), (*cases, "published", "all", 1)]
    assert told("rows_refused") == [(*cases, "kind_known", "all", 1), (*cases, "type", "all", 1)]
    assert told("rows_waiting") == [
        (*cases, rule, band, 1) for rule in ("kind_known", "type") for band in ("0-7", "31-90")
    ]
    assert told("age") == [(*cases, "last loaded", "all", 0), (*cases, "last new or amended rows", "all", 40)]
    assert told("duration") == [
        (*cases, "extract", "all", 30),
        (*cases, "publish", "all", 60),
        (*cases, "validate", "all", 30),
        ("marts", "all", "build, validate and publish", "all", 180),
    ]
    assert told("night_duration") == [("all", "all", "all", "all", 300)]
    held_against_raw = {"rows_at_source": 12, "rows_in_raw": 11, "rows_vanished": 0, "rows_found_late": 1}
    for measure, rows in held_against_raw.items():
        assert told(measure) == [(*cases, "all", "all", rows)]
    assert told("rows_failing") == [("marts", "kpi_feedback", "b", "all", 3)]
    assert two_nights.rows("select count(*) from candidate.data_health as t where t::text like '%CHAN%'") == [(0,)]


def test_filters_on_the_cube_give_what_the_headline_does(built):
    assert built.rows(
        "select sum(received) from candidate.feedback_cube where fiscal_year = '2012/13' and kind = 'complaint'"
    ) == [(2,)]
    assert built.rows(
        "select period, district_code, language, outcome, received from candidate.feedback_cube "
        "where kind = 'complaint' and service_code = 'counter' and channel_code = 'phone' and period = '2012-11'"
    ) == [("2012-11", "not_stated", "not_stated", "not_stated", 1)]
    columns = {name for (name,) in built.rows(
        "select column_name from information_schema.columns where table_schema = 'candidate' and table_name = 'feedback_cube'"
    )}  # fmt: skip
    assert not {
        name for name in columns if "company" in name or "person" in name or "case_no" in name or "office" in name
    }
