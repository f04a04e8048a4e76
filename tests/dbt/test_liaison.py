"""The liaison groups on the small world: what the corrected workbook took out is gone, and fingers count the rest."""

from decimal import Decimal

import pytest

from tests.dbt import world_liaison

YEAR = "period_basis = 'calendar_year' and period = '2012' and group_code = 'all' and constituency = 'all'"

CHOSEN = ("+kpi_liaison", "+dim_service_change", "--resource-type", "seed", "--resource-type", "model")


@pytest.fixture(scope="module")
def night_before(module_warehouse):
    """What the mart said before the correction came; the warehouse is then brought to the night after."""
    world_liaison.first_nights(module_warehouse)
    world_liaison.last_night(module_warehouse)
    module_warehouse.build("2013-03-30", "--select", *CHOSEN)
    before = module_warehouse.rows(
        f"select meetings, seats_due, seats_attended, actions_overdue from candidate.kpi_liaison where {YEAR}"
    )
    module_warehouse.build("2013-03-31", "--select", *CHOSEN)
    return before


def test_before_the_correction_the_meeting_counts(night_before):
    # m1 with seven seats, m2 with six, as the councillor's term ended on the day of m1; A1 was due on 7 December.
    assert night_before == [(2, 13, 4, 1)]


def test_what_the_corrected_workbook_took_out_is_gone(night_before, module_warehouse):
    assert module_warehouse.rows(
        "select meetings, meetings_chaired_by_postmaster_general, topics, seats_due, seats_attended, attendance_share, "
        f"actions_raised, actions_done, actions_overdue from candidate.kpi_liaison where {YEAR}"
    ) == [(1, 1, 1, 7, 2, Decimal("0.285714285714"), 1, 0, 1)]
    assert module_warehouse.rows("select action_no, done_on::text, days_to_done from core.fct_liaison_action") == [
        ("A1", "2013-01-06", 60)
    ]


def test_the_roll_knows_a_member_by_the_second_spelling(night_before, module_warehouse):
    assert module_warehouse.rows(
        "select member_no, is_attended, sent_apologies from core.fct_liaison_attendance where member_no in ('M1', 'M2', 'M7') order by 1"
    ) == [("M1", True, False), ("M2", False, True), ("M7", True, False)]


def test_a_constituency_of_one_is_not_told_nor_the_next(night_before, module_warehouse):
    assert module_warehouse.rows(
        "select constituency, is_suppressed, members, seats_due from candidate.kpi_liaison "
        "where period_basis = 'month' and period = '2012-11' and constituency <> 'all' order by 1"
    ) == [("district_council", True, None, None), ("public", True, None, None)]


def test_the_register_of_changes(night_before, module_warehouse):
    assert module_warehouse.rows(
        "select change_no, changed_on::text, origin_kind, origin_no from core.dim_service_change"
    ) == [("S1", "2012-10-01", "liaison_action", "A1")]
