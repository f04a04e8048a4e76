"""What each severity does to the rows and to the load."""

from dataclasses import replace

import pytest

from crw import quality
from tests.quality.rules import (
    CATEGORY,
    NIGHT,
    TABLE,
    kind_is_complaint,
    landed,
    last_validation,
    made,
    quarantined,
    rule,
    sql_rule,
    validate,
)

COLUMNS = tuple(replace(column, codes="kind" if column.name == "kind" else None) for column in TABLE.columns)


def test_a_warning_moves_the_whole_row_with_its_reason(database, write_suite, land):
    write_suite(kind_is_complaint("warning"))
    outcome = validate(database, land("complaint", "gossip", "complaint"))
    assert landed(database) == ["C1", "C3"]
    assert quarantined(database) == [
        (
            2,
            {"category_code": "C2", "kind": "gossip", "issue_code": None, "name_en": None, "name_zh": None,
             "updated_at": "2013-03-31T00:00:00+08:00"},
            [{"rule": "kind", "column": "kind", "value": "gossip", "message": "why kind", "severity": "warning"}],
        )
    ]  # fmt: skip
    assert (outcome.success, outcome.quarantined) == (True, 1)
    assert outcome.message == f"{len(made()) + 1} rules, 1 failed, 1 rows in quarantine; kind (warning, 1 rows)"


def test_a_row_that_fails_several_rules_is_one_record_with_all_reasons(database, write_suite, land):
    write_suite(
        kind_is_complaint("warning"),
        sql_rule("odd", "warning", "select _row_no, category_code as value from {batch} where category_code = 'C1'"),
        rule("named", "info", "expect_column_values_to_not_be_null", column="name_en"),
    )
    outcome = validate(database, land("gossip", "complaint"))
    [(row_no, _, reasons)] = quarantined(database)
    assert (row_no, [(reason["rule"], reason["value"]) for reason in reasons]) == (
        1,
        [("kind", "gossip"), ("odd", "C1")],
    )
    assert outcome.quarantined == 1


def test_a_condition_holds_of_a_column_that_is_null_throughout(database, write_suite, land):
    write_suite(
        rule("named", "warning", "expect_no_row_where", column="name_en", condition="name_en is null"), threshold=1
    )
    outcome = validate(database, land("complaint", "complaint"))
    assert (outcome.quarantined, len(quarantined(database))) == (2, 2)


def test_a_condition_may_hold_of_more_nulls_than_there_are_values(database, write_suite, land):
    write_suite(
        rule("named", "warning", "expect_no_row_where", column="name_en", condition="name_en is null"), threshold=1
    )
    load_id = land("complaint", "complaint", "complaint")
    database.execute("update landing.feedback__category set name_en = 'a' where category_code = 'C3'")
    assert validate(database, load_id).quarantined == 2


def test_only_a_rule_that_failed_is_asked_for_more_than_its_verdict(database, write_suite, land):
    write_suite(
        kind_is_complaint("info"),
        rule("coded", "warning", "expect_no_row_where", column="category_code", condition="category_code = ''"),
        sql_rule("odd", "info", "select _row_no from {batch} where kind = 'complaint'"),
    )
    validate(database, land("complaint", "gossip", "complaint"))
    (asked,) = database.execute(
        "select array_agg(rule -> 'expectation_config' -> 'meta' ->> 'rule') from audit.validation, "
        "jsonb_array_elements(result -> 'gx' -> 'results') as rule where rule -> 'result' <> '{}'"
    ).fetchone()
    assert asked == ["kind", "odd"]


def test_info_only_reports(database, write_suite, land):
    write_suite(kind_is_complaint("info"))
    outcome = validate(database, land("complaint", "gossip"))
    assert landed(database) == ["C1", "C2"]
    assert (outcome.success, outcome.quarantined, quarantined(database)) == (True, 0, [])
    success, rules, failed, [*_, entry] = last_validation(database)
    assert (success, rules, failed) == (True, len(made()) + 1, 1)
    assert entry == {
        "rule": "kind",
        "severity": "info",
        "success": False,
        "unexpected": 1,
        "percent": 50,
        "error": None,
    }


def test_a_critical_rule_stops_the_load_moves_nothing_and_names_rows(database, write_suite, land):
    write_suite(kind_is_complaint("critical"), sql_rule("all", "warning", "select _row_no from {batch}"))
    load_id = land("complaint", "gossip", "rumour")
    with pytest.raises(quality.QualityError) as failure:
        validate(database, load_id)
    assert str(failure.value) == (
        "landing.feedback__category: rule kind failed (2 rows): why kind [category_code=C2 | category_code=C3]"
    )
    assert (len(landed(database)), quarantined(database)) == (3, [])
    assert last_validation(database)[:3] == (False, len(made()) + 2, 2)


def test_a_critical_rule_on_the_table_says_what_it_saw(database, write_suite, land):
    write_suite(
        sql_rule("few", "critical", "select * from (select count(*) as rows from {batch}) counted where rows > 1")
    )
    with pytest.raises(quality.QualityError, match=r"rule few failed \(whole table\): why few \[rows=2\]"):
        validate(database, land("complaint", "complaint"))


def test_more_than_200_bad_rows_all_reach_quarantine(database, write_suite, land):
    write_suite(
        kind_is_complaint("warning"),
        sql_rule("late", "warning", "select _row_no from {batch} where kind <> 'complaint'"),
    )
    outcome = validate(database, land(*["gossip"] * 450, *["complaint"] * 600))
    assert (outcome.quarantined, len(landed(database))) == (450, 600)
    assert all(len(reasons) == 2 for _, _, reasons in quarantined(database))


def test_too_large_a_share_fails_the_load_names_rules_and_keys_and_keeps_the_rows(database, write_suite, land):
    write_suite(kind_is_complaint("warning"), threshold=0.1)
    load_id = land(*["complaint"] * 8, "gossip", "rumour")
    said = r"2 of 10 rows are bad; the suite tolerates 10.0%, or 0 rows: kind 2 rows \[category_code=C9 \| category_code=C10\]"
    for _ in range(2):
        with pytest.raises(quality.QualityError, match=said + rf"\. They are in quarantine\.record, load_id {load_id}"):
            validate(database, load_id)
        assert [row_no for row_no, _, _ in quarantined(database)] == [9, 10]
        assert (len(landed(database)), last_validation(database)[0]) == (8, False)


def test_codes_that_no_list_has_are_told_with_their_counts(database, write_suite, land):
    write_suite(threshold=0.1)
    load_id = land(*["complaint"] * 8, "gossip", "Chan Tai Man", "gossip")
    with pytest.raises(quality.QualityError, match=r"kind_known 3 rows \[gossip 2, another text 1\]"):
        quality.validate_landing(database, replace(CATEGORY, columns=COLUMNS), load_id, NIGHT)


def test_a_share_at_the_threshold_passes(database, write_suite, land):
    write_suite(kind_is_complaint("warning"), threshold=0.1)
    assert validate(database, land(*["complaint"] * 9, "gossip")).quarantined == 1


def test_rows_refused_while_landing_count_towards_the_share(database, write_suite, land):
    write_suite(kind_is_complaint("warning"), threshold=0.1)
    load_id = land(*["complaint"] * 9, "gossip", rows_read=11)
    database.execute(
        "insert into quarantine.record (load_id, source, table_name, business_date, row_no, record, reasons) "
        "values (%s, 'feedback', 'category', %s, 11, '{}', '[]')",
        [load_id, NIGHT],
    )
    with pytest.raises(quality.QualityError, match="2 of 11 rows are bad"):
        validate(database, load_id)


def test_a_few_rows_are_tolerated_whatever_their_share(database, write_suite, land):
    write_suite(kind_is_complaint("warning"), threshold=0.1, allowance=2)
    assert validate(database, land("gossip", "rumour", "complaint")).quarantined == 2


def test_validating_again_finds_the_same_state(database, write_suite, land):
    write_suite(kind_is_complaint("warning"))
    load_id = land("complaint", "gossip", "complaint")
    first = validate(database, load_id)
    before = quarantined(database)
    again = validate(database, load_id)
    assert (again.success, again.quarantined) == (first.success, first.quarantined)
    assert (quarantined(database), landed(database)) == (before, ["C1", "C3"])
