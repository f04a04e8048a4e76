"""Rules for small suites of a test's own, and the gate run with them on the category table."""

from dataclasses import replace
from datetime import date

from crw import contract_rules, contracts, quality
from crw.contracts import Column

NIGHT = date(2013, 3, 31)
CATEGORY = contracts.table("feedback", "category")
# Of its columns only the names and types, so that few rules follow from the contract, and all of them pass here.
TABLE = replace(CATEGORY, columns=tuple(Column(column.name, column.type) for column in CATEGORY.columns))


def made():
    """Names of the rules that follow from the contract."""
    return {rule["meta"]["rule"] for rule in contract_rules.of(TABLE)}


def particular(outcome):
    """The results of the rules that the suite's file holds."""
    return [result for result in outcome.results if result.rule not in made()]


def rule(name, severity, type, **kwargs):
    return {"type": type, "kwargs": kwargs, "severity": severity, "meta": {"rule": name, "notes": f"why {name}"}}


def sql_rule(name, severity, query):
    return rule(name, severity, "expect_no_such_rows", unexpected_rows_query=query)


def kind_is_complaint(severity):
    return rule("kind", severity, "expect_column_values_to_be_in_set", column="kind", value_set=["complaint"])


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
