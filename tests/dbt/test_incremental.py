"""Nights one after the other, run again, run late or built anew: the same tables."""

from tests.dbt import world

BUILT = ("core", "candidate")


def test_nights_in_turn_equal_one_straight_run(empty_warehouse):
    world.first_nights(empty_warehouse)
    empty_warehouse.build("2013-03-30")
    as_then = empty_warehouse.contents(*BUILT)
    world.last_night(empty_warehouse)
    empty_warehouse.build("2013-03-31")
    in_turn = empty_warehouse.contents(*BUILT)
    assert in_turn != as_then

    # Nothing new: nothing changes. Built anew: the same.
    empty_warehouse.build("2013-03-31", "--full-refresh", "--exclude-resource-type", "unit_test")
    assert empty_warehouse.contents(*BUILT) == in_turn

    # As it was known a night before, although raw holds more by now.
    empty_warehouse.build("2013-03-30")
    assert empty_warehouse.contents(*BUILT) == as_then
    empty_warehouse.build("2013-03-31")
    assert empty_warehouse.contents(*BUILT) == in_turn


def test_a_re_run_that_takes_a_version_back_is_followed(empty_warehouse):
    world.first_nights(empty_warehouse)
    empty_warehouse.build("2013-03-30")
    before = empty_warehouse.contents(*BUILT)
    wrong = world.case("A1", "L-LOST", "2010-04-02 09:00+08", status="merged")
    empty_warehouse.put("feedback", "cases", "2013-03-30", 20, wrong)
    empty_warehouse.put(
        "feedback", "case_event", "2013-03-30", 21, world.event(1, "A1", "closed", "2010-04-03 09:00+08")
    )
    empty_warehouse.build("2013-03-30")
    assert empty_warehouse.contents(*BUILT) != before

    # The next run of that night reads the keys again, finds them as they were, and stores nothing in their place.
    empty_warehouse.connection.execute("delete from raw.feedback__cases where _load_id = 20")
    empty_warehouse.connection.execute("delete from raw.feedback__case_event where _load_id = 21")
    empty_warehouse.build("2013-03-30")
    assert empty_warehouse.contents(*BUILT) == before


def test_what_is_erased_from_raw_leaves_the_facts(empty_warehouse):
    world.first_nights(empty_warehouse)
    empty_warehouse.build("2013-03-30")
    empty_warehouse.connection.execute("delete from raw.feedback__cases where case_no = 'A2'")
    empty_warehouse.connection.execute("delete from raw.feedback__case_event where event_id = 3")
    empty_warehouse.connection.execute("delete from raw.survey__delivery")
    empty_warehouse.build("2013-03-30")
    assert empty_warehouse.rows("select count(*) from core.fct_feedback_case where case_no = 'A2'") == [(0,)]
    assert empty_warehouse.rows("select count(*) from core.fct_feedback_event where event_id = 3") == [(0,)]
    assert empty_warehouse.rows("select count(*) from candidate.kpi_satisfaction") == [(0,)]


def test_an_empty_warehouse_builds(empty_warehouse):
    empty_warehouse.build("2013-03-31")
    assert empty_warehouse.rows("select count(*) from candidate.kpi_feedback") == [(0,)]
    assert empty_warehouse.rows(
        "select count(*), count(computed), count(agrees) from candidate.published_vs_computed"
    ) == [(24, 0, 0)]
