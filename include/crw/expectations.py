"""Great Expectations' classes of this project: a class a kind of rule, each with its severity, its sentence and its condition.

`contract_rules` makes a table's rules of them: what stands in braces is filled in from the contract. A rule about a row is a
condition, because Great Expectations counts all conditions of a suite in one query; only what compares rows with each other,
or a load with earlier ones, is a query of its own. `{interval_end}` and the like stand for the load's own values, which
`suites` writes in.
"""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.compatibility.sqlalchemy import sqlalchemy as sa
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations import UnexpectedRowsExpectation
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    column_condition_partial,
)
from great_expectations.validator.validator import ValidationDependencies


class ColumnValuesRowCondition(ColumnMapMetricProvider):
    """Rows that meet a condition of SQL, in the form that Great Expectations bundles into one query."""

    condition_metric_name = "column_values.row_condition"
    condition_value_keys = ("condition",)
    filter_column_isnull = False

    @column_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column, condition, **_):
        return sa.not_(sa.literal_column(f"coalesce(({condition}), false)"))


class ExpectNoRowWhere(ColumnMapExpectation):
    """No row meets the condition; `column` is what is told of a row that does."""

    unusual: ClassVar = False
    """Whether what fails the rule is unusual and not wrong in itself: where it is critical, a person may let it pass (`crw.held`)."""

    acceptable: ClassVar = False
    """Whether a row that fails it may be right all the same, and core holds it: a person may accept it (`crw.refused`)."""

    condition: str
    map_metric: ClassVar[str] = "column_values.row_condition"
    success_keys: ClassVar[tuple[str, ...]] = ("condition", "mostly")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "condition")

    def _validate(self, metrics: dict[str, Any], *arguments: Any, **named: Any) -> dict[str, Any]:
        """As Great Expectations does, which however lets every rule pass on a column of which each value is null.

        And which takes a rule for broken that more nulls fail than there are values: over 100 % of what is not missing.
        """
        outcome = super()._validate(metrics, *arguments, **named)
        found = outcome.get("result", {})  # none where only the verdict was asked for
        if "unexpected_percent_total" in found:
            found["unexpected_percent"] = found["unexpected_percent_nonmissing"] = found["unexpected_percent_total"]
        return {**outcome, "success": not metrics[f"{self.map_metric}.unexpected_count"]}


class ExpectKeyToBePresent(ExpectNoRowWhere):
    """Each column of the key is there."""

    rule: ClassVar = "{name}_present"
    demanded: ClassVar = "warning"
    sentence: ClassVar = "{name} is part of the key: a row without it cannot be told from another."
    unexpected: ClassVar = "{column} is null"


class ExpectKeyNotToBeBlank(ExpectNoRowWhere):
    """A key that is a text says something."""

    rule: ClassVar = "{name}_not_blank"
    demanded: ClassVar = "warning"
    sentence: ClassVar = "{name} is part of the key: blank, it cannot be told from another that is."
    unexpected: ClassVar = "{trimmed} = ''"


class ExpectNoSuchRows(UnexpectedRowsExpectation):
    """The query gives no rows; they are fetched only where more than the verdict is asked for."""

    unusual: ClassVar = False
    acceptable: ClassVar = False

    def get_validation_dependencies(self, *arguments: Any, **named: Any) -> ValidationDependencies:
        """As Great Expectations says, which however runs the query twice for a verdict: to count its rows, and to show some."""
        dependencies = super().get_validation_dependencies(*arguments, **named)
        if dependencies.result_format["result_format"] == "BOOLEAN_ONLY":
            dependencies.remove_metric_configuration("unexpected_rows_query.table")
        return dependencies

    def _validate(self, metrics: dict[str, Any], *arguments: Any, **named: Any) -> dict[str, Any]:
        return super()._validate({"unexpected_rows_query.table": [], **metrics}, *arguments, **named)


class ExpectKeyToBeUnique(ExpectNoSuchRows):
    """Of the rows of one key the one with the latest watermark is kept."""

    rule: ClassVar = "key_unique"
    demanded: ClassVar = "warning"
    sentence: ClassVar = "repeated key: a later row of the same key is kept"
    unexpected: ClassVar = (
        "select _row_no, {shown} as value from (select _row_no, {shown}, row_number() over (partition by {key} "
        "order by {latest_first}, _row_no desc) as ranked_no from {batch} "
        # To find the repeated keys takes half of what it takes to put all rows in order.
        "where ({key}) in (select {key} from {batch} group by {key} having count(*) > 1)) ranked where ranked_no > 1"
    )


class ExpectRequiredToBePresent(ExpectNoRowWhere):
    """What the contract requires is there."""

    rule: ClassVar = "{name}_present"
    demanded: ClassVar = "warning"
    sentence: ClassVar = "{name} is required by the contract: {description}"
    unexpected: ClassVar = "{is_absent}"


class ExpectExpectedToBePresent(ExpectNoRowWhere):
    """What the contract expects, but does not require, is there."""

    rule: ClassVar = "{name}_present"
    demanded: ClassVar = "info"
    sentence: ClassVar = "{name} is expected by the contract: {description}"
    unexpected: ClassVar = "{is_absent}"


class ExpectWatermarkBeforeIntervalEnd(ExpectNoRowWhere):
    """The reader keeps the end of its interval."""

    rule: ClassVar = "watermark_before_interval_end"
    demanded: ClassVar = "warning"
    sentence: ClassVar = (
        "{name} of a later interval: the row would count in the wrong night and come again tomorrow, for the reader does "
        "not keep its interval."
    )
    unexpected: ClassVar = "{column} >= {interval_end} and {column} < now()"


class ExpectWatermarkNotAhead(ExpectNoRowWhere):
    """No row is dated after today, where no night would ever read it again."""

    rule: ClassVar = "watermark_not_ahead"
    demanded: ClassVar = "warning"
    sentence: ClassVar = (
        "{name} lies ahead of today: no amendment of the row would be seen before that day. It was found by comparing the source "
        "with what is known of it, and is not read again as it stands."
    )
    unexpected: ClassVar = "{column} >= {interval_end} and {column} >= now()"


class ExpectWatermarkAfterIntervalStart(ExpectNoRowWhere):
    """The reader keeps the start of its interval, or what came is known."""

    rule: ClassVar = "watermark_after_interval_start"
    demanded: ClassVar = "info"
    sentence: ClassVar = (
        "{name} before the interval: the row was read before, is a replay, or was delivered with an old time. It counts "
        "all the same, and an unchanged row is not stored twice."
    )
    unexpected: ClassVar = "{column} < {interval_start}"


class ExpectCodeToBeListed(ExpectNoRowWhere):
    """A code is of the list that the contract names; the list says what becomes of one that is not."""

    rule: ClassVar = "{stem}_known"
    unusual: ClassVar = True
    sentence: ClassVar = "{name} is no code of the list {codes} ({listed}){consequence}"
    # As most spell it first: to trim and to lower costs three times as much.
    unexpected: ClassVar = "{column} not in ({spelled}) and lower({trimmed}) not in ({known})"
    consequence: ClassVar = {"warning": ".", "info": ": it is published as not_stated."}


class ExpectReferenceToExist(ExpectNoSuchRows):
    """What the row refers to has come, tonight or before; a blank refers to nothing.

    No condition, though it is about one row: PostgreSQL counts conditions in several processes, unless one of them is a subquery.
    """

    rule: ClassVar = "{stem}_exists"
    sentence: ClassVar = "{name} refers to no row of {targets}{consequence}"
    unexpected: ClassVar = "select _row_no, {column} as value from {batch} where {trimmed} <> '' and {is_orphan}"
    consequence: ClassVar = {
        "warning": ": without it the row counts nowhere.",
        "info": " (yet): the row is kept, and refers to nothing until that one comes.",
    }


class ExpectReferenceToExistAnywhere(ExpectReferenceToExist):
    """The same of a table whose rows may be spread over several nodes: they are asked once, for all that the batch refers to."""

    unexpected: ClassVar = (
        "select _row_no, {column} as value from {batch} left join ({known}) known on known.referred = {trimmed} "
        "where {trimmed} <> '' and known.referred is null"
    )


class ExpectMomentNotBefore(ExpectNoRowWhere):
    """A date or time is not earlier than the operator can know of."""

    rule: ClassVar = "{name}_not_before_{earliest.year}"
    demanded: ClassVar = "warning"
    sentence: ClassVar = "{name} is before {earliest}: nothing is kept of that time, so that it is a typing error."
    unexpected: ClassVar = "{moment} < {earliest_literal}"


class ExpectMomentNotInFuture(ExpectNoRowWhere):
    """A date or time is not later than the night."""

    rule: ClassVar = "{name}_not_in_future"
    demanded: ClassVar = "warning"
    sentence: ClassVar = "{name} is after the business date."
    unexpected: ClassVar = "{is_after_night}"


class ExpectMomentWithinDays(ExpectMomentNotInFuture):
    """A date or time is later than the night by so many days at most."""

    acceptable: ClassVar = True
    rule: ClassVar = "{name}_within_{days_ahead}_days"
    sentence: ClassVar = "{name} is more than {days_ahead} days after the business date."


class ExpectTypedDateToBeReadable(ExpectNoSuchRows):
    """A date kept as it was typed can be read, as staging reads it.

    No condition, though it is about one row: each text is read once, and a million rows have some thousand of them.
    """

    rule: ClassVar = "{stem}_readable"
    demanded: ClassVar = "warning"
    sentence: ClassVar = "{name} is no date in any style that can be read (such as 30/02/2012)."
    unexpected: ClassVar = (
        "select _row_no, {column} as value from {batch} where {column} in (select {column} from "
        # Without the offset PostgreSQL would read each row's text before it looks for those that differ.
        "(select distinct {column} from {batch} offset 0) typed where {moment} is null and not {is_absent})"
    )


class ExpectPseudonym(ExpectNoRowWhere):
    """A keyed pseudonym is one."""

    rule: ClassVar = "{name}_pseudonymous"
    demanded: ClassVar = "critical"
    sentence: ClassVar = (
        "{name} is a keyed pseudonym: 64 hexadecimal digits. Anything else may be the personal data itself, which must not "
        "be stored."
    )
    unexpected: ClassVar = "octet_length({column}) <> 64 or {column} !~ '^[0-9a-f]*$'"


class ExpectTextNotTooLong(ExpectNoRowWhere):
    """A text is not longer than the contract says."""

    rule: ClassVar = "{name}_not_too_long"
    demanded: ClassVar = "warning"
    sentence: ClassVar = "{name} is longer than {longest} characters."
    unexpected: ClassVar = "length({column}) > {longest}"


class ExpectNumberNotBelow(ExpectNoRowWhere):
    """A number is not lower than the contract says."""

    rule: ClassVar = "{name}_not_below_{lowest}"
    demanded: ClassVar = "warning"
    sentence: ClassVar = "{name} is below {lowest}, which it cannot be."
    unexpected: ClassVar = "{column} < {lowest}"


class ExpectVolumeNotExtreme(ExpectNoSuchRows):
    """A night brings not many times what nights bring, unless it was refused for that before."""

    rule: ClassVar = "volume_extreme"
    unusual: ClassVar = True
    demanded: ClassVar = "critical"
    limits: ClassVar = {"nights": 7, "usual": "median", "times": 20, "plus": 1000}
    sentence: ClassVar = (
        "More than {times} times the {usual} of the last {nights} published nights that brought rows, and of the last of them, for each "
        "night read, plus {plus}: the source or the interval may be wrong. Approve or reject it; what comes a second time is "
        "believed, unless it was rejected. A first load has no nights before it and passes."
    )
    unexpected: ClassVar = "{history} where rows_read > {times} * days * greatest(usual, latest, refused) + {plus}"


class ExpectVolumeAsUsual(ExpectNoSuchRows):
    """A night brings about what nights bring."""

    rule: ClassVar = "volume_unusual"
    demanded: ClassVar = "info"
    limits: ClassVar = {"nights": 7, "usual": "median", "times": 4, "plus": 100, "share": 0.25}
    sentence: ClassVar = (
        "More than {times} times the {usual} of the last {nights} published nights that brought rows, plus {plus}, or "
        "less than {share} of it. Many tables bring nothing on most nights, so nobody is stopped."
    )
    unexpected: ClassVar = (
        "{history} where nights >= 3 and (rows_read > {times} * usual + {plus} or rows_read < {share} * usual - 1)"
    )
