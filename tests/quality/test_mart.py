"""The gate on a mart."""

import pytest

from crw import quality
from tests.quality.rules import NIGHT, kind_is_complaint, rule, sql_rule


@pytest.fixture
def mart(database):
    database.execute("create table candidate.kpi as select '2012/13' as period, 98.5::numeric as share, 304 as cases")
    return database


def test_a_warning_is_reported_and_stops_nothing(mart, write_suite):
    share = rule("share", "warning", "expect_column_values_to_be_between", column="share", max_value=98)
    write_suite(share, rule("rows", "warning", "expect_table_row_count_to_equal", value=2), name="marts/kpi")
    outcome = quality.validate_mart(mart, "kpi", NIGHT)
    assert (
        outcome.message
        == "2 rules, 2 failed, 0 rows in quarantine; share (warning, 1 rows); rows (warning, whole table) [observed 1]"
    )
    assert mart.execute("select load_id, success, rules_failed from audit.validation").fetchall() == [(None, True, 2)]
    assert mart.execute("select count(*) from candidate.kpi").fetchone() == (1,)


@pytest.mark.parametrize(
    ("critical", "message"),
    [
        (
            rule("share", "critical", "expect_column_values_to_be_between", column="share", max_value=98),
            r"rule share failed \(1 rows\): why share \[98.5\]",
        ),
        (
            rule("rows", "critical", "expect_table_row_count_to_equal", value=2),
            r"rule rows failed \(whole table\): why rows \[observed 1\]",
        ),
        (
            sql_rule("sum", "critical", "select period, cases from {batch} where cases > 300"),
            r"rule sum failed .* \[period=2012/13, cases=304\]",
        ),
        (sql_rule("bad", "info", "select 1 / 0 from {batch}"), "rule bad could not be evaluated"),
    ],
)
def test_a_critical_or_broken_rule_raises(mart, write_suite, critical, message):
    write_suite(critical, name="marts/kpi")
    with pytest.raises(quality.QualityError, match=r"candidate\.kpi: " + message):
        quality.validate_mart(mart, "kpi", NIGHT)
    assert mart.execute("select success from audit.validation").fetchall() == [(False,)]


def test_a_figure_that_breaks_a_rule_is_made_json_of_without_walking_the_stack(mart, write_suite, monkeypatch):
    """As Great Expectations does for each Decimal: minutes, where every row of a mart is wrong."""
    monkeypatch.setattr("great_expectations.util.convert_decimal_to_float", None)
    share = rule("share", "warning", "expect_column_values_to_be_between", column="share", max_value=98)
    write_suite(share, sql_rule("sum", "warning", "select share from {batch}"), name="marts/kpi")
    assert (
        "share (warning, 1 rows); sum (warning, whole table) [share=98.5]"
        in quality.validate_mart(mart, "kpi", NIGHT).message
    )


def test_a_mart_that_was_not_built_is_named(database, write_suite):
    write_suite(kind_is_complaint("info"), name="marts/kpi")
    with pytest.raises(quality.QualityError, match=r"candidate\.kpi could not be read"):
        quality.validate_mart(database, "kpi", NIGHT)
