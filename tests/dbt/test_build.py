"""The whole project on a small world: all tests of dbt pass, and the marts say what fingers count."""

from decimal import Decimal

import pytest

from tests.dbt import world

YEARS = "period_basis = 'fiscal_year'"


@pytest.fixture(scope="module")
def built(module_warehouse):
    world.first_nights(module_warehouse)
    world.last_night(module_warehouse)
    module_warehouse.build("2013-03-31", "--full-refresh")
    return module_warehouse


def test_everything_builds_with_its_unit_tests(built):
    assert built.rows("select business_date::text from core.as_of") == [("2013-03-31",)]


def test_a_case_counts_in_the_year_that_ends_that_night_in_hong_kong(built):
    received = built.rows(
        "select period, received from candidate.kpi_feedback "
        f"where {YEARS} and level = 'kind' and kind = 'complaint' order by 1"
    )
    # 2010/11: A2 (23:59 on 31 March) and A8; A1 became a commendation. 2011/12: A3, as A4 is merged. 2012/13: A7.
    assert received == [("2010/11", 2), ("2011/12", 1), ("2012/13", 1)]


def test_an_unknown_company_is_no_customer_until_the_crm_knows_it(built):
    known = built.rows("select case_no, company_id from core.fct_feedback_case where company_id is not null order by 1")
    assert known == [("A1", "K1"), ("A3", "K9"), ("A8", "K4")]


def test_within_target_over_due(built):
    # A1 of 1 April 2010: Easter and Ching Ming until the 6th, so five working days end on the 13th; done on the 12th.
    # A6 of 2 May 2012: five working days end on the 9th; done on the 10th.
    rows = built.rows(
        "select period, kind, acknowledgement_due, acknowledgement_within_target from candidate.kpi_feedback "
        f"where {YEARS} and level = 'kind' and acknowledgement_due > 0 and kind <> 'complaint' order by 1, 2"
    )
    assert rows == [
        ("2010/11", "commendation", 1, 1),
        ("2011/12", "commendation", 1, 0),
        ("2012/13", "lost_mail_claim", 1, 0),
    ]


def test_the_corrected_survey_file_replaces_the_first(built):
    rows = built.rows(
        "select wave_code, valid_answers, not_applicable_answers, top_box_share, n_eff, wave_before "
        "from candidate.kpi_satisfaction order by period_end"
    )
    assert rows == [
        ("2010", 4, 0, Decimal("0.666666666667"), Decimal(3), None),
        ("2012-13", 2, 0, Decimal(1), Decimal(2), "2010"),
    ]


def test_members_are_distinct_companies(built):
    rows = built.rows(
        "select club_code, members_at_start, members, joins, rejoins, leaves from candidate.kpi_membership "
        "where period_basis = 'fiscal_year' and period = '2012/13' order by 1"
    )
    # K3 leaves PostalPlus on 1 June 2012 and joins e-Club on 31 March 2013: a re-joining across clubs.
    assert rows == [("any", 2, 3, 0, 2, 1), ("eclub", 1, 3, 1, 1, 0), ("postalplus", 2, 1, 0, 0, 1)]


def test_every_published_figure_stands_beside_the_computed_one(built):
    rows = built.rows(
        "select kpi, comparator, published, computed, agrees from candidate.published_vs_computed "
        "where fiscal_year = '2012/13' and kpi ~ '^(complaints|members|satisfaction_overall)' order by 1"
    )
    assert rows == [
        ("complaints", "exact", Decimal(304), Decimal(1), False),
        ("complaints_change_pct", "exact", Decimal("-8.4"), Decimal(0), False),
        ("members", "over", Decimal(43000), Decimal(3), False),
        ("satisfaction_overall", "exact", Decimal("98.5"), Decimal(100), False),
    ]


def test_incident_date_in_chinese_numerals(built):
    assert built.rows("select incident_on::text from core.fct_feedback_case where case_no = 'A5'") == [("2011-04-30",)]


def test_descriptions_reach_the_database(built):
    assert built.rows("select obj_description('candidate.kpi_feedback'::regclass) like 'Feedback of each period%'") == [
        (True,)
    ]
