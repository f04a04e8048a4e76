"""The gate on small suites of its own: what each severity does, and what happens when a rule itself is broken."""

import json
from datetime import date

import psycopg
import pytest

from crw import contracts, quality, suites

NIGHT = date(2013, 3, 31)
TABLE = contracts.table("feedback", "category")


def rule(name, severity, type, **kwargs):
    return {"type": type, "kwargs": kwargs, "severity": severity, "meta": {"rule": name, "notes": f"why {name}"}}


def sql_rule(name, severity, query):
    return rule(name, severity, "unexpected_rows_expectation", unexpected_rows_query=query)


def kind_is_complaint(severity):
    return rule("kind", severity, "expect_column_values_to_be_in_set", column="kind", value_set=["complaint"])


@pytest.fixture
def write_suite(tmp_path, monkeypatch):
    """Write a suite for the category table, or for a mart, in place of the project's."""
    monkeypatch.setattr(quality, "EXPECTATIONS", tmp_path)

    def write(*rules, threshold=0.5, allowance=0, name="landing/feedback/category"):
        path = tmp_path / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        meta = {"description": "test", "quarantine_threshold": threshold, "quarantine_allowance": allowance}
        path.write_text(json.dumps({"name": name, "meta": meta, "expectations": rules}))
        return path

    return write


@pytest.fixture
def land(database):
    """Land categories of the given kinds, codes A, B, ... and return the number of their load."""

    def land(*kinds, rows_read=None):
        (load_id,) = database.execute(
            "insert into audit.load "
            "(source, table_name, business_date, run_id, interval_start, interval_end, rows_read) "
            "values ('feedback', 'category', %s, 'r', '2013-03-31', '2013-04-01', %s) returning load_id",
            [NIGHT, len(kinds) if rows_read is None else rows_read],
        ).fetchone()
        with database.cursor() as cursor:
            cursor.executemany(
                "insert into landing.feedback__category (category_code, kind, updated_at) "
                "values (%s, %s, '2013-03-31')",
                [(f"C{i}", kind) for i, kind in enumerate(kinds, start=1)],
            )
        return load_id

    return land


def validate(database, load_id):
    return quality.validate_landing(database, TABLE, load_id, NIGHT)


def landed(database):
    return [
        code for (code,) in database.execute("select category_code from landing.feedback__category order by _row_no")
    ]


def quarantined(database):
    return database.execute("select row_no, record, reasons from quarantine.record order by row_no").fetchall()


def last_validation(database):
    return database.execute(
        "select success, rules, rules_failed, result -> 'rules' from audit.validation "
        "order by validation_id desc limit 1"
    ).fetchone()


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
    assert entries[0]["error"] is None
    assert entries[1]["error"]


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
    assert [(result.rule, result.success) for result in outcome.results] == [("kind", True), ("any", False)]


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
    assert [(result.rule, result.unexpected) for result in outcome.results] == [("late", 0), ("early", 1)]


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
        suites.load(write_suite(*rules))


def test_a_missing_suite_or_load_is_named(database, write_suite, land):
    with pytest.raises(quality.QualityError, match=r"load 99 is not in audit\.load"):
        validate(database, 99)
    with pytest.raises(quality.QualityError, match=r"landing/feedback/category\.json"):
        validate(database, land("complaint"))


def test_a_password_with_signs_of_a_url_and_of_a_gx_variable_reaches_the_server(
    database, empty_database, write_suite, land
):
    write_suite(kind_is_complaint("critical"))
    load_id = land("complaint")
    database.execute("create role odd superuser login password 'p$HOME@/%:'")
    try:
        with psycopg.connect(empty_database, user="odd", password="p$HOME@/%:", autocommit=True) as connection:
            assert validate(connection, load_id).success
    finally:
        database.execute("drop owned by odd")
        database.execute("drop role odd")


class TestMart:
    @pytest.fixture
    def mart(self, database):
        database.execute(
            "create table candidate.kpi as select '2012/13' as period, 98.5::numeric as share, 304 as cases"
        )
        return database

    def test_a_warning_is_reported_and_stops_nothing(self, mart, write_suite):
        share = rule("share", "warning", "expect_column_values_to_be_between", column="share", max_value=98)
        write_suite(share, rule("rows", "warning", "expect_table_row_count_to_equal", value=2), name="marts/kpi")
        outcome = quality.validate_mart(mart, "kpi", NIGHT)
        assert (
            outcome.message
            == "2 rules, 2 failed, 0 rows in quarantine; share (warning, 1 rows); rows (warning, whole table)"
        )
        assert mart.execute("select load_id, success, rules_failed from audit.validation").fetchall() == [
            (None, True, 2)
        ]
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
    def test_a_critical_or_broken_rule_raises(self, mart, write_suite, critical, message):
        write_suite(critical, name="marts/kpi")
        with pytest.raises(quality.QualityError, match=r"candidate\.kpi: " + message):
            quality.validate_mart(mart, "kpi", NIGHT)
        assert mart.execute("select success from audit.validation").fetchall() == [(False,)]

    def test_a_mart_that_was_not_built_is_named(self, database, write_suite):
        write_suite(kind_is_complaint("info"), name="marts/kpi")
        with pytest.raises(quality.QualityError, match=r"candidate\.kpi could not be read"):
            quality.validate_mart(database, "kpi", NIGHT)
