"""The liaison groups on the small world: what the corrected workbook took out is gone, and fingers count the rest."""

from decimal import Decimal

YEAR = "period_basis = 'calendar_year' and period = '2012' and group_code = 'all' and constituency = 'all'"


def test_before_the_correction_the_meeting_counts(first_nights):
    # m1 with seven seats, m2 with six, as the councillor's term ended on the day of m1; A1 was due on 7 December.
    assert first_nights.rows(
        f"select meetings, seats_due, seats_attended, actions_overdue from candidate.kpi_liaison where {YEAR}"
    ) == [(2, 13, 4, 1)]


def test_what_the_corrected_workbook_took_out_is_gone(small_world):
    assert small_world.rows(
        "select meetings, meetings_chaired_by_postmaster_general, topics, seats_due, seats_attended, attendance_share, "
        f"actions_raised, actions_done, actions_overdue from candidate.kpi_liaison where {YEAR}"
    ) == [(1, 1, 1, 7, 2, Decimal("0.285714285714"), 1, 0, 1)]
    assert small_world.rows("select action_no, done_on::text, days_to_done from core.fct_liaison_action") == [
        ("A1", "2013-01-06", 60)
    ]


def test_the_roll_knows_a_member_by_the_second_spelling(small_world):
    assert small_world.rows(
        "select member_no, is_attended, sent_apologies from core.fct_liaison_attendance where member_no in ('M1', 'M2', 'M7') order by 1"
    ) == [("M1", True, False), ("M2", False, True), ("M7", True, False)]


def test_a_constituency_of_one_is_not_told_nor_the_next(small_world):
    assert small_world.rows(
        "select constituency, is_suppressed, members, seats_due from candidate.kpi_liaison "
        "where period_basis = 'month' and period = '2012-11' and constituency <> 'all' order by 1"
    ) == [("district_council", True, None, None), ("public", True, None, None)]


def test_the_register_of_changes(small_world):
    assert small_world.rows(
        "select change_no, changed_on::text, origin_kind, origin_no from core.dim_service_change"
    ) == [("S1", "2012-10-01", "liaison_action", "A1")]
