"""Engagement on the small world: what fingers count, and the unsubscribe rule in the mart and in its suite."""

from datetime import date
from decimal import Decimal

import pytest

from crw import quality
from tests.dbt import world_engagement

NIGHT = date(2013, 3, 31)


@pytest.fixture(scope="module")
def built(small_world):
    return small_world


def test_no_send_later_than_ten_working_days_after_an_unsubscribe(built):
    rows = built.rows(
        "select person_key, unsubscribe_standing_since::text, last_send_allowed_on::text, is_late_after_unsubscribe "
        "from core.fct_newsletter_recipient where last_send_allowed_on is not null order by 1"
    )
    # Three general holidays lie between: 20 December is ten working days before 8 January, not thirteen.
    assert rows == [("p6", "2012-12-20", "2013-01-08", False), ("p7", "2012-12-19", "2013-01-07", True)]


def test_the_mart_and_the_suite_name_the_newsletter_and_not_the_person(built):
    late = built.rows(
        "select period, newsletter_code, late_sends_after_unsubscribe from candidate.kpi_engagement_newsletter "
        "where period_basis = 'month' and late_sends_after_unsubscribe > 0 order by 2"
    )
    assert late == [("2013-01", "all", 1), ("2013-01", "enews-2013-01", 1)]
    outcome = quality.validate_mart(built.connection, "kpi_engagement_newsletter", NIGHT)
    (said,) = [result for result in outcome.results if not result.success]
    assert (said.rule, said.severity, outcome.success) == ("no_send_after_unsubscribe", "warning", True)
    assert said.examples == ("period=2013-01, newsletter_code=enews-2013-01, late_sends=1",)
    assert (
        "no_send_after_unsubscribe (warning, whole table) [period=2013-01, newsletter_code=enews-2013-01"
        in outcome.message
    )
    kept = built.rows("select result::text from audit.validation order by validation_id desc limit 1")[0][0]
    assert "enews-2013-01" in kept
    assert not any(f'"{person}"' in kept for person in (*world_engagement.PEOPLE, *world_engagement.REQUESTED))


@pytest.mark.parametrize("mart", ["newsletter", "activity", "hotline", "website"])
def test_the_suites_pass_on_what_dbt_built(built, mart):
    outcome = quality.validate_mart(built.connection, f"kpi_engagement_{mart}", NIGHT)
    assert [result.rule for result in outcome.results if not result.success and result.severity == "critical"] == []


def test_a_newsletter_by_its_recipients(built):
    rows = built.rows(
        "select newsletter_code, sent, delivered, bounced, opened, machine_opened, clicked, unsubscribed, opened_share "
        "from candidate.kpi_engagement_newsletter where period_basis = 'fiscal_year' order by 1"
    )
    # p4 opened issue a: told a night later.
    assert rows == [
        ("all", 13, 12, 1, 3, 1, 1, 2, Decimal("0.25")),
        ("enews-2012-12", 7, 7, 0, 2, 1, 1, 2, Decimal("0.285714285714")),
        ("enews-2013-01", 6, 5, 1, 1, 0, 0, 0, Decimal("0.2")),
    ]


def test_activities_that_took_place(built):
    rows = built.rows(
        "select kind, activities, lists_expected, lists_there, small_activities, seats, registrations, people_registered, "
        "people_attended, people_walked_in, turned_up_share "
        "from candidate.kpi_engagement_activity where period_basis = 'fiscal_year' order by 1"
    )
    assert rows == [
        ("expo", 1, 0, 0, 1, None, None, None, None, None, None),
        ("seminar", 1, 1, 1, 0, 8, 8, 6, 5, 1, Decimal("0.666666666667")),
    ]


def test_hotline_and_website(built):
    where = "where period_basis = 'month' and period = '2013-03'"
    assert built.rows(
        "select days_expected, days_there, intervals, offered, average_wait_seconds, answered_within_20s_share "
        f"from candidate.kpi_engagement_hotline {where}"
    ) == [(4, 1, 2, 5, Decimal("12.5"), Decimal("0.6"))]
    assert built.rows(
        f"select days_expected, days_there, visits, page_views, login_share from candidate.kpi_engagement_website {where}"
    ) == [(31, 1, 10, 30, Decimal("0.4"))]


def test_engagement_of_a_company(built):
    rows = built.rows("select company_id, engaged_on::text, kind from core.fct_engagement order by 2, 1, 3")
    assert rows == [
        ("K2", "2012-11-08", "activity_attended"),
        ("K1", "2012-12-11", "newsletter_open"),
        ("K1", "2012-12-12", "newsletter_click"),
        ("K2", "2012-12-31", "newsletter_open"),
        ("K2", "2013-01-09", "newsletter_open"),
        ("K1", "2013-03-14", "activity_attended"),
    ]


def test_a_recipient_whom_the_crm_came_to_know_is_of_his_company(built):
    rows = built.rows(
        "select distinct person_key, company_id from core.fct_email_event where person_key > 'p5' order by 1"
    )
    assert rows == [("p6", "K3"), ("p7", None)]
