"""Campaigns and account management on the small world: what fingers count."""

from datetime import date
from decimal import Decimal

import pytest

from crw import quality
from tests.dbt import world_campaign


@pytest.fixture(scope="module")
def built(small_world):
    return small_world


def test_a_campaign_from_audience_to_response(built):
    rows = built.rows(
        "select campaign_id, campaign_name, audience, contacted, with_consent, responded, responses_without_contact, "
        "opted_out, contacted_90_days_ago, responded_within_90_days from candidate.kpi_campaign order by 1"
    )
    # K3 was selected and never contacted, and answered all the same; K2 answered P1 after eleven months.
    assert rows == [("P1", "Spring 2012", 4, 3, 2, 2, 1, 0, 3, 1), ("P2", "Exporters", 2, 2, 1, 0, 0, 1, 0, 0)]


def test_days_to_response_and_the_interval_of_the_rate(built):
    rows = built.rows(
        "select days_to_response_median, days_to_response_p90, round(response_share, 4), round(response_low, 4), "
        "round(response_high, 4), response_90_days_share from candidate.kpi_campaign order by campaign_id"
    )
    # P1: 10 days (a response at 23:59 is of that day) and 333. Wilson's interval of 2 of 3 and of 0 of 2.
    p1 = (Decimal("171.5"), Decimal("300.7"), *map(Decimal, ("0.6667", "0.2077", "0.9385", "0.333333333333")))
    assert rows == [p1, (None, None, Decimal(0), Decimal(0), Decimal("0.6576"), None)]


def test_contacts_of_a_year_by_kind(built):
    rows = built.rows(
        "select kind_code, companies_contacted, contacted, responded, consent_required from candidate.kpi_campaign_by_period "
        "where period_basis = 'fiscal_year' and period = '2012/13' order by 1"
    )
    assert rows == [("all", 3, 5, 2, 0), ("campaign", 3, 3, 2, 0), ("targeted_promotion", 2, 2, 0, 0)]


def test_accounts_of_the_night(built):
    rows = built.rows(
        "select role, accounts, accounts_with_interaction_90_days, coverage_share, staff, accounts_per_staff, interactions, "
        "account_interactions, interactions_per_account from candidate.kpi_account_management "
        "where period_basis = 'fiscal_year' and period = '2012/13' order by 1"
    )
    # K1 is A1's, K2 and (from today) K9 are E1's; K9 was never met, and K3 is nobody's account.
    third = Decimal("0.333333333333")
    assert rows == [
        ("all", 3, 2, 2 * third + Decimal("1e-12"), 2, Decimal("1.5"), 4, 3, 1),
        ("executive", 2, 1, Decimal("0.5"), 1, 2, 2, 2, 1),
        ("manager", 1, 1, 1, 1, 1, 2, 1, 1),
    ]


def test_who_was_in_charge_at_the_end_of_an_earlier_year(built):
    rows = built.rows(
        "select role, accounts from candidate.kpi_account_management where period = '2010/11' and accounts > 0 order by 1"
    )
    assert rows == [("all", 2), ("manager", 2)]


def test_the_suites_pass_and_name_the_campaign_that_contacts_without_consent(built):
    """After the other tests: the night of 1 April, from when consent is needed."""
    world_campaign.first_of_april(built)
    built.build("2013-04-01", "--resource-type", "model", "--resource-type", "seed")
    marts = ("kpi_campaign", "kpi_campaign_by_period", "kpi_account_management")
    outcomes = {mart: quality.validate_mart(built.connection, mart, date(2013, 4, 1)) for mart in marts}
    failed = {
        (mart, r.rule): tuple(sorted(r.examples))
        for mart, outcome in outcomes.items()
        for r in outcome.results
        if not r.success
    }
    assert failed == {
        ("kpi_campaign", "contacts_have_consent"): ("campaign_id=P3, contacts_without_consent=1",),
        ("kpi_campaign", "requests_to_stop_are_heeded"): ("campaign_id=P3, contacted_after_opt_out=1",),
        ("kpi_campaign_by_period", "contacts_have_consent"): (
            "period=2013-04, kind_code=all, contacts_without_consent=1",
            "period=2013-04, kind_code=campaign, contacts_without_consent=1",
        ),
    }
