"""Lawful worlds through dbt and every suite of the marts: each is published, and what nobody knows is empty. And the reverse:
what a rule was loosened for passes, what it is there for is stopped."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from psycopg.types.json import Jsonb

from crw import contracts, held, publish, quality, suites
from crw.settings import EXPECTATIONS
from tests.dbt import world, world_odd

FIRST_NIGHT = "2013-03-31"


def night(warehouse, business_date: str, *options: str) -> set[str]:
    """Build a night and judge its marts. Returns the rules that warn; a critical one raises."""
    warehouse.build(business_date, *options, "--exclude-resource-type", "unit_test")
    outcomes = quality.validate_marts(warehouse.connection, date.fromisoformat(business_date))
    return {result.rule for outcome in outcomes for result in outcome.results if not result.success}


def first_night(warehouse, business_date: str, *sources: str) -> set[str]:
    """`night` of nothing but what raw holds now of the sources named."""
    for source in contracts.sources().keys() - sources:
        for table in contracts.sources()[source]:
            warehouse.connection.execute(f"truncate raw.{table.identifier}")
    return night(warehouse, business_date, "--full-refresh")


def fill_all(warehouse) -> None:
    for table in contracts.tables().values():
        warehouse.connection.execute(f"truncate raw.{table.identifier}")
    world.first_nights(warehouse)
    world.last_night(warehouse)


def told(warehouse) -> set[str]:
    """Of each mart with rows the figures that are not empty anywhere: ratios, times, scores and verdicts."""
    columns = warehouse.rows(
        "select table_name, column_name from information_schema.columns where table_schema = 'candidate' and column_name ~ "
        "'_(share|pct|pp|average|median|p90|ratio|score|low|high)$|^(agrees|computed|n_eff)$|significant'"
    )
    return {
        f"{mart}.{column}"
        for mart, column in columns
        if warehouse.rows(f"select exists (select from candidate.{mart} where {column} is not null)") == [(True,)]
    }


def test_a_warehouse_of_empty_sources_is_published_and_knows_nothing(module_warehouse):
    assert first_night(module_warehouse, FIRST_NIGHT) == set()
    assert told(module_warehouse) == set()
    assert module_warehouse.rows("select count(*) from candidate.kpi_feedback") == [(0,)]
    assert module_warehouse.rows(
        "select count(*), count(computed), count(agrees) from candidate.published_vs_computed"
    ) == [(28, 0, 0)]
    assert publish.publish_marts(module_warehouse.connection, date.fromisoformat(FIRST_NIGHT), "first")


PASSED = {"known": "mislaid", "decoded": "Caf\u00e9 \ufffd", "days": "2031-01-01", "day": "2031-01-01"}
"""By the last word of the name of a rule that a person may let a row break, a value that breaks it."""


def test_whatever_row_a_person_may_let_pass_is_built_and_passes_every_mart(module_warehouse):
    fill_all(module_warehouse)
    passed = set()
    for table in contracts.tables().values():
        for rule in suites.of_landing(table, EXPECTATIONS / "landing")["expectations"]:
            meta = rule["meta"]
            may_pass = meta.get("acceptable") if rule["severity"] == "warning" else meta.get("unusual")
            if rule["severity"] == "info" or not may_pass or meta["rule"] == "volume_extreme":
                continue
            column = meta.get("column") or rule["kwargs"]["column"]
            changed = {column: PASSED[meta["rule"].rpartition("_")[2]]}
            raw = f"raw.{table.identifier}"
            row = f"(select * from {raw} where not _is_vanished limit 1) as r"
            copied = module_warehouse.connection.execute(
                f"insert into {raw} select (jsonb_populate_record(null::{raw}, to_jsonb(r) || %s)).* from {row}",
                [Jsonb(changed | {table.key[0]: "987654"})],
            )
            assert copied.rowcount == 1, (raw, column)
            passed.add(meta["rule"])
    assert {"kind_known", "name_zh_decoded", "joined_on_within_366_days", "registered_by_the_day"} <= passed
    night(module_warehouse, FIRST_NIGHT, "--full-refresh")


@pytest.fixture(scope="module")
def odd(module_warehouse):
    for table in contracts.tables().values():
        module_warehouse.connection.execute(f"truncate raw.{table.identifier}")
    world_odd.fill(module_warehouse)
    warned = first_night(module_warehouse, world_odd.NIGHT, *contracts.sources())
    return module_warehouse, warned


def test_what_is_only_odd_is_published_and_told(odd):
    _, warned = odd
    assert warned == {
        "agrees_with_print", "calendar_days_median_plausible", "every_wave_has_answers", "response_share_plausible",
        "share_between_0_and_1",
    }  # fmt: skip


def test_what_nobody_knows_is_empty(odd):
    warehouse, _ = odd
    shares = "select wave_code, top_box_share, net_promoter_score, response_share from candidate.kpi_satisfaction"
    assert warehouse.rows(shares) == [("equal", 1, None, Decimal("1.5"))]
    assert warehouse.rows(
        "select count(*) > 0, count(average_wait_seconds), count(answered_share) from candidate.kpi_engagement_hotline"
    ) == [(True, 0, 0)]
    assert warehouse.rows(
        "select count(*) from candidate.kpi_liaison where num_nonnulls(attendance_share, days_to_done_average) > 0"
    ) == [(0,)]


@pytest.fixture
def damaged(odd):
    """A function that damages a mart and says what its suite says then; the mart is mended at the end."""
    connection = odd[0].connection
    marts = []

    def damage(mart: str, statement: str) -> str:
        marts.append(mart)
        connection.execute(f"create table public.kept as table candidate.{mart}")
        changed = connection.execute(statement.format(mart=f"candidate.{mart}")).rowcount
        assert changed > 0
        try:
            return quality.validate_mart(connection, mart, date.fromisoformat(world_odd.NIGHT)).message
        except quality.QualityError as error:
            return f"stopped: {error}"

    yield damage
    for mart in marts:
        connection.execute(
            f"truncate candidate.{mart}; insert into candidate.{mart} table public.kept; drop table public.kept"
        )


MONTH = "delete from {mart} where period_basis = 'month'"


@pytest.mark.parametrize(
    ("mart", "rule", "statement"),
    [
        ("kpi_feedback_by_dimension", "no_missing_month", MONTH + " and period = '2012-02'"),
        ("kpi_feedback_timeliness", "no_missing_month", MONTH + " and period = '2011-09'"),
        ("kpi_feedback_timeliness", "covers_the_night", "delete from {mart} where period_end >= '2012-01-01'"),
        ("kpi_feedback_timeliness", "calendar_days_median_in_range", "update {mart} set calendar_days_median = -1"),
        ("kpi_membership_retention", "covers_the_night", "delete from {mart}"),
        ("kpi_satisfaction", "no_missing_wave", "delete from {mart}"),
        ("kpi_satisfaction", "response_share_in_range", "update {mart} set response_share = -0.1"),
        ("kpi_campaign_by_period", "consent_required_from_its_day",
         "update {mart} set consent_required = 0 where period_basis = 'month' and period = '2013-07'"),
        ("customer_360", "segment_code_known", "update {mart} set segment_code = 'warm'"),
        ("customer_360", "segment_agrees", "update {mart} set segment_code = 'never' where last_contact_on is not null"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_itself_is_still_stopped(damaged, mart, rule, statement):
    said = damaged(mart, statement)
    assert said.startswith("stopped") and f"rule {rule} failed" in said


def test_a_mart_that_lost_half_its_rows_waits_once(odd):
    connection = odd[0].connection

    def publish(rows):
        statement = "insert into audit.publication (business_date, run_id, mart, row_count) values ('2016-02-28', 'r', 'kpi_feedback', %s)"
        connection.execute(statement, [rows])

    def judge():
        return quality.validate_mart(connection, "kpi_feedback", date.fromisoformat(world_odd.NIGHT)).message

    (rows,) = connection.execute("select count(*) from candidate.kpi_feedback").fetchone()
    for published in (3 * rows, 5 * rows):
        publish(published)
        with pytest.raises(quality.QualityError, match=rf"not_halved failed .*row_count={published}, rows={rows}"):
            judge()
        assert "not_shrunk (warning" in judge()
    connection.execute("delete from audit.publication where business_date = '2016-02-28'")


MOVED = (
    "update candidate.kpi_scorecard set value = value {}, value_low = null, value_high = null "
    "where kpi = 'complaints' and period_basis = 'month' and is_complete"
)


def test_a_closed_figure_that_moved_far_waits_once_and_the_night_after_is_published(odd):
    """Known is what readers have: 100 and 104 are near, 100 and 140 are not."""
    connection, night = odd[0].connection, date.fromisoformat(world_odd.NIGHT)
    connection.execute("create table public.kept as table candidate.kpi_scorecard")
    rejected = ("a wrong list", "Officer 7")

    def judge():
        return quality.validate_mart(connection, "kpi_scorecard", night).message

    try:
        connection.execute(MOVED.format("+ 100"))
        judge()  # nothing is published
        publish.publish_marts(connection, night, "first")
        connection.execute(MOVED.format("+ 4"))
        assert "closed_figures_stand" not in judge()
        connection.execute(MOVED.format("+ 40"))
        for _ in range(2):
            with pytest.raises(
                quality.HeldError, match=r"closed_figures_stand failed .*kpi=complaints, .*was=10\d\S*, now=14"
            ):
                judge()
            held.reject(connection, "marts.kpi_scorecard", night, "closed_figures_stand", *rejected)
        with pytest.raises(quality.HeldError):
            judge()
        assert "closed_figures_stand" not in judge()  # it came again, and nobody rejected it
        connection.execute("alter table marts.kpi_scorecard drop column unit")
        judge()  # its columns changed: there is nothing to compare
    finally:
        connection.execute(
            "truncate candidate.kpi_scorecard; insert into candidate.kpi_scorecard table public.kept; drop table public.kept;"
            "delete from audit.publication; delete from audit.validation; drop table if exists marts.kpi_scorecard"
        )


LATER = {
    "2013-04-01": "the first day of a fiscal year",
    "2014-06-15": "a quiet year",
    "2028-01-03": "beyond the known holidays",
}


@pytest.mark.long
@pytest.mark.parametrize("business_date", LATER, ids=LATER.get)
def test_nothing_new_is_no_fault_of_a_night(module_warehouse, business_date):
    fill_all(module_warehouse)
    warned = first_night(module_warehouse, business_date, *contracts.sources())
    ends = {"holidays_known_for_180_days"} if business_date > "2027" else set()
    assert warned == {"agrees_with_print", "no_send_after_unsubscribe"} | ends


@pytest.mark.long
@pytest.mark.parametrize("absent", contracts.sources())
def test_an_operator_may_lack_any_source(module_warehouse, absent):
    fill_all(module_warehouse)
    warned = first_night(module_warehouse, FIRST_NIGHT, *contracts.sources().keys() - {absent})
    assert warned <= {"agrees_with_print", "no_send_after_unsubscribe"}


@pytest.mark.long
def test_a_first_night_of_one_open_case_and_a_second_of_fifty(module_warehouse):
    put, case = module_warehouse.put, world.case
    fill_all(module_warehouse)
    for table in contracts.sources()["feedback"]:
        module_warehouse.connection.execute(f"truncate raw.{table.identifier}")
    put("feedback", "category", "2015-03-31", 1, *world.CATEGORIES)
    put("feedback", "cases", "2015-03-31", 2, case("F0", "C-DELAY", "2015-03-31 09:00+08", status="open"))
    assert first_night(module_warehouse, "2015-03-31", "feedback") == set()
    publish.publish_marts(module_warehouse.connection, date(2015, 3, 31), "first")
    cases = [case(f"F{number}", "C-DELAY", "2015-04-01 09:00+08", status="open") for number in range(1, 51)]
    put("feedback", "cases", "2015-04-01", 3, *cases)
    assert night(module_warehouse, "2015-04-01") == set()
    assert module_warehouse.rows(
        "select received, received_change_pct from candidate.kpi_feedback "
        "where period = '2015/16' and level = 'kind' and kind = 'complaint'"
    ) == [(50, None)]
