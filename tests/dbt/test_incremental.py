"""Nights one after the other, run again, run late or built anew: the same tables."""

import itertools
from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crw.warehouse import install
from tests.dbt import references, world
from tests.dbt.conftest import built_manifest, copy_of
from tests.dbt.world_engagement import email_event

BUILT = ("core", "candidate")
MODELS = ("--resource-type", "model", "--resource-type", "seed")


def test_nights_in_turn_equal_one_straight_run(server, march_30, march_31, tmp_path_factory):
    with copy_of(server, march_30, tmp_path_factory) as first_nights:
        as_then = first_nights.contents(*BUILT)
    with copy_of(server, march_31, tmp_path_factory) as small_world:
        in_turn = small_world.contents(*BUILT)
        assert in_turn != as_then
        # A diagram finds every key, also of the tables that outlive those which they refer to; and none of them lies.
        keys = references.declared(built_manifest())
        assert references.drawn(small_world.rows) == keys
        assert len([key for key in keys if key[0] != key[2]]) > 40
        assert references.without_partner(small_world.rows, keys) == {}

        # Nothing new: nothing changes. Built anew: the same.
        small_world.build("2013-03-31", *MODELS, "--full-refresh")
        assert small_world.contents(*BUILT) == in_turn

        # As it was known a night before, although raw holds more by now.
        small_world.build("2013-03-30", *MODELS)
        assert small_world.contents(*BUILT) == as_then
        small_world.build("2013-03-31", *MODELS)
        assert small_world.contents(*BUILT) == in_turn


def test_a_re_run_that_takes_a_version_back_is_followed(first_nights):
    before = first_nights.contents(*BUILT)
    wrong = world.case("A1", "L-LOST", "2010-04-02 09:00+08", status="merged")
    first_nights.put("feedback", "cases", "2013-03-30", 20, wrong)
    first_nights.put("feedback", "case_event", "2013-03-30", 21, world.event(1, "A1", "closed", "2010-04-03 09:00+08"))
    first_nights.build("2013-03-30", *MODELS)
    assert first_nights.contents(*BUILT) != before

    # The next run of that night reads the keys again, finds them as they were, and stores nothing in their place.
    first_nights.take_back("feedback__cases", "case_no", "_load_id = 20")
    first_nights.take_back("feedback__case_event", "event_id", "_load_id = 21")
    first_nights.build("2013-03-30", *MODELS)
    assert first_nights.contents(*BUILT) == before


def test_what_is_erased_from_raw_leaves_the_facts(first_nights):
    first_nights.take_back("feedback__cases", "case_no", "case_no = 'A2'")
    first_nights.take_back("feedback__case_event", "event_id", "event_id = 3")
    first_nights.take_back("survey__delivery", "delivery_id", "true")
    first_nights.build("2013-03-30", *MODELS)
    assert first_nights.rows("select count(*) from core.fct_feedback_case where case_no = 'A2'") == [(0,)]
    assert first_nights.rows("select count(*) from core.fct_feedback_event where event_id = 3") == [(0,)]
    assert first_nights.rows("select count(*) from candidate.kpi_satisfaction") == [(0,)]


def test_what_vanished_at_its_source_leaves_the_facts_and_comes_back(empty_warehouse):
    world.first_nights(empty_warehouse)
    typed_twice = world.case("A6 ", "L-LOST", "2012-05-02 09:00+08")
    empty_warehouse.put("feedback", "cases", "2013-03-29", 30, typed_twice)
    empty_warehouse.build("2013-03-30", *MODELS)
    for load_id, (source, table, key) in enumerate(
        [
            ("feedback", "cases", "A3"),
            ("feedback", "cases", "A6 "),
            ("feedback", "case_event", "2"),
            ("feedback", "category", "P-STAFF"),
            ("feedback", "post_office", "GPO"),
            ("membership", "company", "K1"),
            ("membership", "membership", "m3"),
            ("membership", "contact", "c-p1"),
            ("campaign", "campaign", "P1"),
        ],
        start=40,
    ):
        empty_warehouse.end_date(source, table, "2013-03-31", load_id, key)
    empty_warehouse.build(
        "2013-03-31"
    )  # with its tests: what refers to a record that is gone stands as if it came before it
    gone_on = empty_warehouse.contents(*BUILT)
    assert empty_warehouse.rows("select case_no from core.fct_feedback_case where case_no in ('A3', 'A6')") == [("A6",)]
    assert empty_warehouse.rows("select count(*) from core.fct_feedback_event where event_id = 2") == [(0,)]
    assert empty_warehouse.rows("select count(*) from core.fct_membership_record where membership_id = 'm3'") == [(0,)]
    empty_warehouse.build("2013-03-31", *MODELS, "--full-refresh")
    assert empty_warehouse.contents(*BUILT) == gone_on

    empty_warehouse.put("feedback", "cases", "2013-04-01", 60, world.case("A3", "C-DELAY", "2011-04-01 00:00+08"))
    empty_warehouse.build("2013-04-01", *MODELS)
    assert empty_warehouse.rows("select count(*) from core.fct_feedback_case where case_no = 'A3'") == [(1,)]
    empty_warehouse.build("2013-03-31", *MODELS)
    assert empty_warehouse.contents(*BUILT) == gone_on


def test_only_a_finished_build_of_the_same_project_is_gone_on_from(first_nights, monkeypatch):
    def goes_on(*options):
        first_nights.build("2013-03-30", *options)
        return first_nights.rows("select goes_on, is_finished from core.build")

    assert first_nights.rows("select goes_on, is_finished from core.build") == [(False, True)]
    assert goes_on(*MODELS, "--exclude", "kpi_feedback") == [(True, False)]
    assert goes_on(*MODELS) == [(False, True)]
    monkeypatch.setenv("CRW_PROJECT_VERSION", "another")
    assert goes_on("--select", "build") == [(False, False)]


def at(first, last):
    return st.datetimes(datetime.fromisoformat(first), datetime.fromisoformat(last)).map("{:%Y-%m-%d %H:%M}+08".format)


CASES = st.sampled_from([f"A{number}" for number in range(1, 10)])
COMPANIES = st.sampled_from(["K1", "K2", "K3", "K4", "K9"])
PERSONS = st.sampled_from(["p1", "p3", "p7"])
CLUBS = st.sampled_from(["eclub", "postalplus"])
CATEGORIES = st.sampled_from([*(category["category_code"] for category in world.CATEGORIES), "UNKNOWN"])
PAST = at("2010-04-01", "2013-03-30")


@st.composite
def case_rows(draw, number=CASES, status=None):
    """A new version of a case, or a case that comes late."""
    others = {
        "service_code": draw(st.sampled_from(["counter", "delivery", "moon"])),
        "post_office_code": draw(st.sampled_from([None, "GPO", "P9"])),
        "company_id": draw(st.none() | COMPANIES),
        "closed_at": draw(st.none() | PAST),
        "status": status or draw(st.sampled_from(["received", "closed", "merged"])),
    }
    return [("feedback", "cases", world.case(draw(number), draw(CATEGORIES), draw(PAST), **others))]


@st.composite
def event_rows(draw):
    """Events, new or amended, also of cases that nobody knows yet."""
    types = st.sampled_from(["acknowledged", "interim_reply", "replied", "reopened"])
    rows = draw(st.lists(st.builds(world.event, st.integers(1, 9), CASES, types, PAST), min_size=1, max_size=4))
    return [("feedback", "case_event", row) for row in {row["event_id"]: row for row in rows}.values()]


@st.composite
def membership_rows(draw, number, leaves):
    joined = draw(st.dates(date(2009, 1, 1), date(2012, 12, 31)))
    left = draw(st.dates(joined, date(2013, 3, 30))).isoformat() if leaves else None
    row = world.membership(draw(st.sampled_from(number)), draw(COMPANIES), draw(CLUBS), joined.isoformat(), left)
    return [("membership", "membership", row)]


@st.composite
def email_event_rows(draw):
    """Events of a newsletter, late or told anew, also requests not to get any more."""
    types = st.sampled_from(["delivered", "bounce", "open", "click", "unsubscribe", "resubscribe"])
    mailing = st.sampled_from(['"enews-2012-12"', '["enews-2013-02"]'])
    moment = at("2012-12-01", "2013-03-30")
    events = st.builds(email_event, st.integers(1, 99), PERSONS, mailing, types, moment)
    rows = draw(st.lists(events, min_size=1, max_size=4))
    return [("engagement", "email_event", row) for row in {row["event_id"]: row for row in rows}.values()]


CONTACT = ("contact_id", "company_id", "marketing_consent", "person_key")
ANSWERS = st.lists(st.tuples(st.sampled_from("0123456"), st.sampled_from([0.5, 1, 2])), min_size=1, max_size=6)
KINDS = {
    "an amended case": case_rows(),
    "a late case": case_rows(number=st.sampled_from(["N1", "N2"])),
    "a withdrawn case": case_rows(status="withdrawn"),
    "events": event_rows(),
    "a re-classification": CATEGORIES.map(
        lambda code: [("feedback", "category", {"category_code": code, "kind": "suggestion", "issue_code": "other"})]
    ),
    "a leaving": membership_rows(["m1", "m2", "m4"], leaves=True),
    "a re-joining": membership_rows(["m6", "m7"], leaves=False),
    "a company": st.tuples(COMPANIES, st.sampled_from(["1-9", "10-49"])).map(
        lambda company: [("membership", "company", {"company_id": company[0], "size_band": company[1]})]
    ),
    "a contact": st.tuples(st.sampled_from(["c1", "c-p3"]), COMPANIES, st.booleans(), PERSONS).map(
        lambda row: [("membership", "contact", dict(zip(CONTACT, row, strict=True)))]
    ),
    "a post office": st.just([("feedback", "post_office", {"post_office_code": "P9", "district_code": "CW"})]),
    "e-mail events": email_event_rows(),
    "a survey file": st.tuples(st.sampled_from([world.WAVE_2010, world.WAVE_2012]), ANSWERS),
    "a re-run of an older night": case_rows(),
    "a version taken back": st.none(),
    "a deletion at the source": CASES,
}
NIGHTS = ("2013-03-30", "2013-03-31", "2013-04-02")


@st.composite
def stories(draw):
    """Nights in any order, one of them twice, and what comes in each: every kind of change once."""
    story = [(night, []) for night in draw(st.permutations([*NIGHTS, draw(st.sampled_from(NIGHTS))]))]
    for kind in draw(st.permutations(sorted(KINDS))):
        draw(st.sampled_from(story))[1].append((kind, draw(KINDS[kind])))
    return story


def arrive(warehouse, night, load_id, kind, change):
    if kind == "a survey file":
        world.survey(warehouse, load_id, night, f"delivery {load_id}", *change)
    elif kind == "a version taken back":
        for relation, key in {"feedback__cases": "case_no", "feedback__case_event": "event_id"}.items():
            warehouse.take_back(relation, key, f"_load_id = (select max(_load_id) from raw.{relation})")
    elif kind == "a deletion at the source":
        known = warehouse.rows(f"select from raw.feedback__cases where case_no = '{change}'")
        if known:
            warehouse.end_date("feedback", "cases", night, load_id, change)
    else:
        for source, table, row in change:
            warehouse.put(source, table, NIGHTS[0] if kind == "a re-run of an older night" else night, load_id, row)


def forget_everything(warehouse):
    warehouse.connection.execute("drop schema raw, staging, core, candidate cascade")
    install(warehouse.connection)


# A story costs six dbt builds, so there are few, the same ones in each run.


@pytest.mark.long
@settings(max_examples=3, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(story=stories())
def test_any_story_told_night_by_night_equals_one_built_anew(module_warehouse, story):
    forget_everything(module_warehouse)
    world.first_nights(module_warehouse)
    load_ids, latest = itertools.count(100), None
    for night, changes in story:
        for kind, change in changes:
            arrive(module_warehouse, night, next(load_ids), kind, change)
        # As crw.transform does: a night that is run late builds the latest date.
        goes_on, latest = latest is not None, max(latest or night, night)
        module_warehouse.build(latest, *MODELS)
        assert module_warehouse.rows("select goes_on from core.build") == [(goes_on,)]
    in_turn = module_warehouse.contents(*BUILT)
    module_warehouse.build(NIGHTS[-1], *MODELS, "--full-refresh")
    anew = module_warehouse.contents(*BUILT)
    assert in_turn.keys() == anew.keys()
    for table in anew:
        assert in_turn[table] == anew[table], table
