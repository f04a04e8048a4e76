"""A rule or suite that is broken is never bad data; what reaches the rules, and empty batches."""

import psycopg
import pytest

from crw import quality, suites
from tests.quality.rules import (
    TABLE,
    kind_is_complaint,
    landed,
    last_validation,
    made,
    particular,
    quarantined,
    rule,
    sql_rule,
    validate,
)


@pytest.mark.parametrize(
    "broken",
    [
        sql_rule("zero", "info", "select _row_no, 1 / (_row_no - _row_no) as value from {batch}"),
        sql_rule("zero", "warning", "select _row_no, no_such_column as value from {batch}"),
        rule("zero", "warning", "expect_column_values_to_be_in_set", column="no_such_column", value_set=["a"]),
    ],
)
def test_a_broken_rule_is_no_bad_data(database, write_suite, land, broken):
    write_suite(kind_is_complaint("warning"), broken)
    load_id = land("complaint", "gossip")
    with pytest.raises(
        quality.QualityError, match=r"rule zero could not be evaluated: .*(division by zero|no_such_column)"
    ):
        validate(database, load_id)
    assert (len(landed(database)), quarantined(database)) == (2, [])
    success, _, _, entries = last_validation(database)
    assert success is False
    assert entries[-2]["error"] is None
    assert entries[-1]["error"]


def test_a_rule_whose_rows_cannot_be_selected_is_broken_too(database, write_suite, land):
    # GX writes this value into its query of the rows as "it's": it counts the rows rightly and names none.
    write_suite(rule("quoted", "warning", "expect_column_values_to_be_in_set", column="kind", value_set=["it's"]))
    with pytest.raises(quality.QualityError, match="a rule could not be evaluated"):
        validate(database, land("complaint"))
    assert landed(database) == ["C1"]


def test_a_rule_that_counts_other_rows_than_it_names_is_broken(database, write_suite, land):
    write_suite(sql_rule("twice", "warning", "select _row_no from {batch}, generate_series(1, 2)"), threshold=1)
    with pytest.raises(quality.QualityError, match=r"rule twice could not be evaluated: it counts 2 rows but names 1"):
        validate(database, land("complaint"))
    assert landed(database) == ["C1"]


def test_an_empty_batch_passes_row_rules_and_still_meets_table_rules(database, write_suite, land):
    write_suite(
        kind_is_complaint("critical"),
        sql_rule(
            "any",
            "info",
            "select 1 as seen from audit.load where load_id = {load_id} and (select count(*) from {batch}) = 0",
        ),
    )
    outcome = validate(database, land())
    assert [(result.rule, result.success) for result in particular(outcome)] == [("kind", True), ("any", False)]


def test_parameters_reach_sql_and_every_other_rule(database, write_suite, land):
    late = "updated_at < {day_end} - interval '1 day' or {business_date} <> date '2013-03-31'"
    start = {"$PARAMETER": "interval_start"}
    write_suite(
        sql_rule("late", "info", f"select _row_no from {{batch}} where {late}"),
        rule(
            "early", "info", "expect_column_values_to_be_between", column="updated_at", max_value=start, strict_max=True
        ),
    )
    outcome = validate(database, land("complaint"))
    assert [(result.rule, result.unexpected) for result in particular(outcome)] == [("late", 0), ("early", 1)]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([kind_is_complaint("severe")], "severity of critical, warning, info"),
        ([kind_is_complaint("info"), kind_is_complaint("info")], "no meta.rule of its own: kind"),
        ([{"type": "expect_column_to_exist", "kwargs": {"column": "kind"}, "severity": "info"}], "no meta.rule"),
        ([sql_rule("rows", "warning", "select category_code from {batch}")], r"selects no _row_no"),
        ([rule("count", "warning", "expect_table_row_count_to_be_between", min_value=1)], r"selects no _row_no"),
    ],
)
def test_a_suite_that_could_not_gate_is_refused(write_suite, rules, message):
    with pytest.raises(quality.QualityError, match=message):
        suites.of_landing(TABLE, write_suite(*rules).parents[1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"no_such_rule": {"severity": "info", "reason": "why"}}, "changes no_such_rule, which does not follow"),
        ({"key_unique": {"severity": "info"}}, "a change of key_unique has a reason"),
        ({"key_unique": {"kwargs": {}, "reason": "why"}}, "a change of key_unique has a reason"),
        (
            {"volume_extreme": {"limits": {"nigths": 9}, "reason": "why"}},
            r"category\.json: volume_extreme has no limit nigths, but nights, usual, times, plus",
        ),
        ({"volume_extreme": {"limits": {"usual": "mean"}, "reason": "why"}}, "usual is median or busiest, not mean"),
        ({"volume_extreme": {"limits": {"times": "20"}, "reason": "why"}}, "times is a number, not '20'"),
        ({"volume_unusual": {"limits": ["nights"], "reason": "why"}}, "volume_unusual: limits must be given by name"),
        ({"key_unique": {"limits": {"times": 3}, "reason": "why"}}, "key_unique has no limits to change"),
        (
            {"volume_extreme": {"severity": "warning", "reason": "why"}},
            "volume_extreme is a warning but selects no _row_no",
        ),
    ],
)
def test_a_change_that_would_not_be_one_is_refused(write_suite, changes, message):
    with pytest.raises(quality.QualityError, match=message):
        suites.of_landing(TABLE, write_suite(changes=changes).parents[1])


def test_a_table_with_nothing_particular_needs_no_file(tmp_path):
    suite = suites.of_landing(TABLE, tmp_path)
    assert {rule["meta"]["rule"] for rule in suite["expectations"]} == made()


def test_a_changed_rule_keeps_its_condition_and_says_why(write_suite):
    change = {"key_unique": {"severity": "critical", "reason": "It must not be."}}
    suite = suites.of_landing(TABLE, write_suite(changes=change).parents[1])
    [changed] = [rule for rule in suite["expectations"] if rule["meta"]["rule"] == "key_unique"]
    assert (changed["severity"], changed["meta"]["notes"].endswith("It must not be.")) == ("critical", True)
    assert "unexpected_rows_query" in changed["kwargs"]


def test_values_are_fetched_on_hong_kongs_clock_whatever_the_warehouse_is_set_to(database, write_suite, land):
    write_suite()
    load_id = land("complaint")
    database.execute("update landing.feedback__category set updated_at = '0001-01-01 00:00+00'")
    database.execute(f"alter database {database.info.dbname} set timezone = 'America/New_York'")
    outcome = validate(database, load_id)
    assert [(result.rule, result.error) for result in outcome.results if not result.success] == [
        ("watermark_after_interval_start", None)
    ]


def test_a_missing_load_is_named(database):
    with pytest.raises(quality.QualityError, match=r"load 99 is not in audit\.load"):
        validate(database, 99)


def test_a_password_with_signs_of_a_url_and_of_a_gx_variable_reaches_the_server(
    database, warehouse_dsn, write_suite, land
):
    write_suite(kind_is_complaint("critical"))
    load_id = land("complaint")
    database.execute("create role odd superuser login password 'p$HOME@/%:'")
    try:
        with psycopg.connect(warehouse_dsn, user="odd", password="p$HOME@/%:", autocommit=True) as connection:
            assert validate(connection, load_id).success
    finally:
        database.execute("drop owned by odd")
        database.execute("drop role odd")
