"""The marts that break feedback, satisfaction and membership down, on the small world: what fingers count."""

from decimal import Decimal

import pytest

from tests.dbt import world


@pytest.fixture(scope="module")
def built(module_warehouse):
    world.first_nights(module_warehouse)
    world.last_night(module_warehouse)
    module_warehouse.build("2013-03-31")
    return module_warehouse


def test_every_dimension_holds_every_case(built):
    rows = built.rows(
        "select dimension, sum(received) from candidate.kpi_feedback_by_dimension "
        "where period_basis = 'fiscal_year' group by 1 order by 1"
    )
    # A1-A3 and A5-A8: A4 is merged.
    assert rows == [(name, 7) for name in ("channel", "district", "language", "post_office", "segment")]


def test_nothing_of_a_service_is_zero_and_not_unknown(built):
    rows = built.rows(
        "select received, received_year_before, received_change_pct, received_change_high_pct, is_change_significant "
        "from candidate.kpi_feedback where period_basis = 'fiscal_year' and period = '2012/13' "
        "and kind = 'commendation' and level = 'service' and service_code in ('delivery', 'hotline') order by service_code"
    )
    # A5 alone was of delivery in 2011/12; one after none is noise.
    assert [row[:3] for row in rows] == [(0, 1, Decimal(-100)), (0, 0, None)]
    assert rows[0][3] > 1000
    assert [row[4] for row in rows] == [False, False]


def test_acknowledgement_time_of_the_cases_due(built):
    rows = built.rows(
        "select period, cases, measured_cases, calendar_days_median, working_days_median "
        "from candidate.kpi_feedback_timeliness where period_basis = 'fiscal_year' and dimension = 'all' "
        "and kind in ('commendation', 'lost_mail_claim') and milestone = 'acknowledgement' order by 1"
    )
    # A1: 1 to 12 April 2010, Easter and Ching Ming between; A5 never; A6: 2 to 10 May 2012.
    assert rows == [("2010/11", 1, 1, 11, 4), ("2011/12", 1, 0, None, None), ("2012/13", 1, 1, 8, 6)]


def test_a_case_whose_status_is_closed_is_in_no_backlog(built):
    assert built.rows("select sum(open_cases) from candidate.kpi_feedback_backlog where as_of_date = '2013-03-31'") == [
        (0,)
    ]


def test_small_cells_are_not_shown(built):
    for mart, figure in (("kpi_satisfaction_by_dimension", "valid_answers"), ("kpi_membership_retention", "joined")):
        assert built.rows(f"select bool_and(is_suppressed), count({figure}), count(*) > 0 from candidate.{mart}") == [
            (True, 0, True)
        ]
    assert built.rows(
        "select bool_and(is_suppressed), count(members) from candidate.kpi_membership_by_dimension where dimension <> 'all'"
    ) == [(True, 0)]


def test_members_tenure_and_activity(built):
    rows = built.rows(
        "select members, tenure_days_sum, active_members from candidate.kpi_membership_by_dimension "
        "where period = '2010/11' and club_code = 'any' and dimension = 'all'"
    )
    # On 31 March 2011: K1 since 1 January 2009, K2 since 1 June 2010, K3 since 1 January 2009. K1 wrote A1.
    assert rows == [(3, 819 + 303 + 819, 1)]
