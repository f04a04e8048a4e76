"""What each severity does to the rows and to the load."""

import pytest

from crw import quality
from tests.quality.rules import NIGHT, kind_is_complaint, landed, last_validation, quarantined, rule, sql_rule, validate


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
    assert outcome.message == "1 rules, 1 failed, 1 rows in quarantine; kind (warning, 1 rows)"


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


def test_info_only_reports(database, write_suite, land):
    write_suite(kind_is_complaint("info"))
    outcome = validate(database, land("complaint", "gossip"))
    assert landed(database) == ["C1", "C2"]
    assert (outcome.success, outcome.quarantined, quarantined(database)) == (True, 0, [])
    success, rules, failed, [entry] = last_validation(database)
    assert (success, rules, failed) == (True, 1, 1)
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
    assert last_validation(database)[:3] == (False, 2, 2)


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


def test_too_large_a_share_fails_the_load_and_moves_nothing(database, write_suite, land):
    write_suite(kind_is_complaint("warning"), threshold=0.1)
    load_id = land(*["complaint"] * 8, "gossip", "rumour")
    with pytest.raises(quality.QualityError, match=r"2 of 10 rows are bad; the suite tolerates 10.0%, or 0 rows"):
        validate(database, load_id)
    assert (len(landed(database)), quarantined(database)) == (10, [])
    assert last_validation(database)[0] is False


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
