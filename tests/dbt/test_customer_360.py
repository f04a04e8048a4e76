"""Each company whole, and what came of service changes, on the small world: what fingers count."""

from decimal import Decimal

import pytest

from tests.dbt import world

WAVE = {"wave_code": "2012", "period_basis": "calendar_year", "period_start": "2012-01-01", "period_end": "2012-12-31"}


@pytest.fixture(scope="module")
def built(module_warehouse):
    world.first_nights(module_warehouse)
    world.last_night(module_warehouse)
    world.survey(module_warehouse, 90, "2013-03-31", "linked", WAVE, [("5", 1), ("1", 1), ("1", 1), ("6", 1), ("1", 1)])
    # r0 and r1 speak for K1, r1 later; r2 did not agree; r3's answer is none; r4's company nobody knows.
    for respondent, company, day in [
        ("r0", "K1", "2012-05-01"), ("r1", " K1", "2012-06-01"), ("r3", "K2", None), ("r4", "K7", None),
    ]:  # fmt: skip
        module_warehouse.connection.execute(
            "update raw.survey__respondent set consented_company_id = %s, interviewed_on = %s "
            "where delivery_id = 'linked' and respondent_id = %s",
            [company, day, respondent],
        )
    # Delay: one complaint in the quarter before the change of 1 October 2012 and none after; damage: one and two.
    category = {"category_code": "C-DAMAGE", "kind": "complaint", "issue_code": "damage"}
    module_warehouse.put("feedback", "category", "2013-03-31", 91, category)
    days = [
        ("C-DELAY", "2012-09-30"),
        ("C-DAMAGE", "2012-07-01"),
        ("C-DAMAGE", "2012-10-01"),
        ("C-DAMAGE", "2012-12-31"),
    ]
    cases = [
        world.case(f"L{number}", category, f"{day} 23:59+08", company_id="K3", status="received")
        for number, (category, day) in enumerate(days)
    ]
    module_warehouse.put("feedback", "cases", "2013-03-31", 92, *cases)
    module_warehouse.build("2013-03-31", "--full-refresh", "--exclude-resource-type", "unit_test")
    return module_warehouse


def test_each_company_on_the_ends_of_three_years_of_which_the_last_is_tonight(built):
    dates = built.rows(
        "select as_of_on::text, is_current, count(*), count(*) filter (where is_member) "
        "from candidate.customer_360 group by 1, 2 order by 1"
    )
    # K2 was away from June 2011 to June 2012; K3 came back on the last day.
    assert dates == [("2011-03-31", False, 5, 3), ("2012-03-31", False, 5, 2), ("2013-03-31", True, 5, 3)]


def test_clubs_tenure_and_who_is_in_charge_are_those_of_the_day(built):
    rows = built.rows(
        "select as_of_on::text, clubs, tenure_days, account_manager_id, relationship_executive_id "
        "from candidate.customer_360 where company_id = 'K2' order by 1"
    )
    assert rows == [
        ("2011-03-31", "eclub", 303, "A1", None),
        ("2012-03-31", None, None, "A1", None),
        ("2013-03-31", "eclub", 303, None, "E1"),
    ]


def test_recency_and_frequency_count_what_was_heard_and_not_what_was_sent(built):
    rows = built.rows(
        "select company_id, contact_days_12_months, last_contact_on::text, campaign_contacts_12_months, segment_code "
        "from candidate.customer_360 where is_current order by 1"
    )
    # K1: a newsletter opened on one day and clicked on the next, two responses to P1, a call, a seminar. K9 was only
    # contacted by a campaign. K3 wrote on four days, was called, and answered a campaign that had not contacted it.
    assert rows == [
        ("K1", 6, "2013-03-14", 2, "close"),
        ("K2", 6, "2013-03-31", 2, "close"),
        ("K3", 6, "2013-03-30", 0, "close"),
        ("K4", 0, "2010-12-01", 0, "dormant"),
        ("K9", 0, "2011-04-01", 1, "dormant"),
    ]


def test_feedback_and_open_cases_at_the_end_of_the_day(built):
    rows = built.rows(
        "select company_id, feedback_12_months, complaints_12_months, open_cases from candidate.customer_360 "
        "where is_current and (feedback_12_months > 0 or open_cases > 0)"
    )
    assert rows == [("K3", 4, 4, 4)]


def test_satisfaction_is_told_of_those_alone_who_agreed_to_be_linked(built):
    rows = built.rows(
        "select company_id, last_satisfaction_on::text, was_satisfied from candidate.customer_360 "
        "where is_current and last_satisfaction_on is not null"
    )
    assert rows == [("K1", "2012-06-01", False)]
    assert built.rows("select count(*) from core.fct_customer_satisfaction") == [(2,)]


def test_complaints_before_and_after_a_change_beside_all_others(built):
    rows = built.rows(
        "select window_months, is_covered, days_before, days_after, complaints_before, complaints_after, rate_ratio, "
        "is_significant, other_complaints_before, other_complaints_after, other_rate_ratio, is_unlike_others "
        "from candidate.kpi_feedback_loop order by window_months"
    )
    # The half year before holds A7 of May, too. The year after is not over.
    assert rows == [
        (3, True, 92, 92, 1, 0, Decimal(0), False, 1, 2, Decimal(2), False),
        (6, True, 183, 182, 2, 0, Decimal(0), False, 1, 2, Decimal("2.010989010989"), False),
        (12, False, 366, 365, None, None, None, None, None, None, None, None),
    ]
