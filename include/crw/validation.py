"""Great Expectations on one table of the warehouse: a suite is run, and each rule says how it came out.

This module knows GX and nothing of quarantine; `quality` decides what a failed rule means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from psycopg import Connection, OperationalError, sql
from sqlalchemy import URL, event
from sqlalchemy.exc import OperationalError as NoConnection

from crw import session
from crw.suites import IN_SQL, QualityError, import_gx, is_row_rule, literal

EXAMPLES = 5


@dataclass(frozen=True)
class RuleResult:
    """How one rule came out."""

    rule: str
    severity: str
    success: bool
    notes: str
    """What the rule demands and why, from the suite."""
    unexpected: int = 0
    column: str | None = None
    value_of: str = "value"
    """Column of `rows_query` that holds the offending value."""
    rows_query: str | None = None
    """SQL that selects `_row_no` of every bad row; None for a rule about the table as a whole."""
    examples: tuple[str, ...] = ()
    is_unusual: bool = False
    """Whether what fails the rule is unusual and not wrong in itself."""
    error: str | None = None
    """Why the rule could not be evaluated: a broken rule, not bad data."""


def run(
    connection: Connection, suite: dict[str, Any], relation: tuple[str, str], parameters: dict[str, Any]
) -> tuple[list[RuleResult], dict[str, Any]]:
    """Run a suite on a table: all rules cheaply first, then those that failed again for their rows.

    Args:
        connection: says which database; GX opens a connection of its own, so the batch must be committed.
        suite: as `of_landing` or `of_mart` gave it.
        relation: schema and table.
        parameters: values for `{name}` in SQL and for `{"$PARAMETER": name}` in all others.

    Returns:
        One result a rule in the order of the suite, and GX's own validation result as JSON, for Data Docs.

    Raises:
        QualityError: the table does not exist.
        OperationalError: there is no connection for GX.
    """
    rules = [_prepare(rule, parameters) for rule in suite["expectations"]]
    validate = _batch_of(connection, relation, parameters)
    report = validate({**suite, "expectations": rules}, "BOOLEAN_ONLY")
    failed = {_name(result) for result in report["results"] if not result["success"]}
    again = [rule for rule in rules if rule["meta"]["rule"] in failed]
    complete = {"result_format": "COMPLETE", "return_unexpected_index_query": True}
    if relation[0] == "landing":
        complete["unexpected_index_column_names"] = ["_row_no"]
    details = validate({**suite, "expectations": again}, complete)["results"] if again else []
    by_name = {_name(result): result for result in report["results"]} | {_name(detail): detail for detail in details}
    report["results"] = [_shortened(by_name[rule["meta"]["rule"]]) for rule in rules]
    return [_result(rule, by_name[rule["meta"]["rule"]], relation) for rule in rules], report


def _batch_of(
    connection: Connection, relation: tuple[str, str], parameters: dict[str, Any]
) -> Callable[..., dict[str, Any]]:
    """A function that validates the table by a suite, in a result format, and gives GX's result as JSON."""
    gx = import_gx()
    from great_expectations.core import ExpectationSuite

    unreachable = gx.datasource.fluent.interfaces.TestConnectionError
    schema, table = relation
    try:
        source = _source(_url(connection))
        source.assets = []
        asset = source.add_table_asset(table, schema_name=schema, table_name=table)
    except unreachable as error:
        if isinstance(error.__cause__, NoConnection):
            raise OperationalError(str(error)) from error  # may pass, as with any other connection
        raise QualityError(f"{schema}.{table} could not be read: {error}") from error
    batch = asset.add_batch_definition_whole_table("all").get_batch()

    def validate(suite: dict[str, Any], result_format: str | dict[str, Any]) -> dict[str, Any]:
        result = batch.validate(
            ExpectationSuite(**suite), result_format=result_format, expectation_parameters=parameters
        )
        for each in result.results:
            each.result = _without_decimals(each.result)
        return result.to_json_dict()

    return validate


_SOURCES: dict[str, Any] = {}
"""The database that this process validates in, by URL: one at a time."""


def _source(url: str) -> Any:
    """The database as GX knows it, made once: each new one makes three connections, a third of what small tables cost."""
    from great_expectations.data_context.types.base import ProgressBarsConfig

    if url not in _SOURCES:
        while _SOURCES:
            _, last = _SOURCES.popitem()
            last.get_engine().dispose()
            last.get_execution_engine().close()
        context = import_gx().get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        source = context.data_sources.add_postgres("warehouse", connection_string=url, kwargs={"pool_pre_ping": True})
        engine = source.get_execution_engine().engine
        engine.dispose()
        event.listen(engine, "connect", lambda opened, _: session.fix(opened))
        _SOURCES[url] = source
    return _SOURCES[url]


def _without_decimals(value: Any) -> Any:
    """The value with a float for each Decimal: GX makes the same of it, and walks the whole stack for each, 20 ms and more."""
    if isinstance(value, dict):
        return {name: _without_decimals(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_decimals(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


def _url(connection: Connection) -> str:
    """SQLAlchemy's URL of the same database; quoted, so that GX takes no `$` of a password for a variable."""
    info = connection.info
    known = {"user", "dbname", "host", "port"}
    options = {name: value for name, value in info.get_parameters().items() if name not in known}
    url = URL.create("postgresql+psycopg", info.user, info.password, info.host, info.port, info.dbname, options)
    return url.render_as_string(hide_password=False)


def _prepare(rule: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """The rule as GX gets it: parameters written into its SQL (GX cannot), and the description that Data Docs show."""
    meta = rule["meta"]
    prepared = {**rule, "description": f"{meta['rule']} ({rule['severity']}): {meta['notes']}"}
    prepared["kwargs"] = {
        key: _written(value, parameters) if key in IN_SQL else value for key, value in rule["kwargs"].items()
    }
    return prepared


def _written(statement: str, parameters: dict[str, Any]) -> str:
    for name, value in parameters.items():
        statement = statement.replace(f"{{{name}}}", literal(value))
    return statement


def _result(rule: dict[str, Any], outcome: dict[str, Any], relation: tuple[str, str]) -> RuleResult:
    meta, kwargs, found = rule["meta"], rule["kwargs"], outcome["result"]
    column = meta.get("column") or kwargs.get("column") or kwargs.get("column_A")
    return RuleResult(
        rule=meta["rule"],
        severity=rule["severity"],
        success=outcome["success"],
        notes=meta["notes"],
        unexpected=_count(outcome),
        column=column,
        value_of="value" if "unexpected_rows_query" in kwargs else column or "value",
        rows_query=_rows_query(rule, found, relation),
        examples=tuple(_examples(found)),
        is_unusual=meta.get("unusual", False),
        error=_error(outcome.get("exception_info") or {}),
    )


def _rows_query(rule: dict[str, Any], found: dict[str, Any], relation: tuple[str, str]) -> str | None:
    """SQL of the rows that a rule names; GX's own has no condition of ours in a form that PostgreSQL runs as it stands."""
    kwargs, target = rule["kwargs"], sql.Identifier(*relation).as_string()
    if "unexpected_rows_query" in kwargs:
        return kwargs["unexpected_rows_query"].format(batch=target) if is_row_rule(rule) else None
    if "condition" in kwargs:
        row = "_row_no, " if relation[0] == "landing" else ""
        return f"select {row}{sql.Identifier(kwargs['column']).as_string()} from {target} where {kwargs['condition']}"
    return (found.get("unexpected_index_query") or "").rstrip(";") or None


def _count(outcome: dict[str, Any]) -> int:
    found = outcome["result"]
    if "unexpected_count" in found:
        return found["unexpected_count"] or 0
    if "unexpected_rows_query" in outcome["expectation_config"]["kwargs"]:
        return found.get("observed_value", 0)
    return int(not outcome["success"])  # what a rule on an aggregate observed (a maximum, say) is no number of rows


def _examples(found: dict[str, Any]) -> Iterable[str]:
    rows = found.get("details", {}).get("unexpected_rows") or found.get("partial_unexpected_list") or []
    for row in rows[:EXAMPLES]:
        yield ", ".join(f"{name}={value}" for name, value in row.items()) if isinstance(row, dict) else str(row)
    if not rows and found.get("observed_value") is not None:
        yield f"observed {found['observed_value']}"


def _error(info: dict[str, Any]) -> str | None:
    """The message of a rule that raised; GX nests it below the id of the metric for most failures."""
    for entry in (info, *(value for value in info.values() if isinstance(value, dict))):
        if entry.get("raised_exception"):
            return entry.get("exception_message") or "unknown error"
    return None


def _name(result: dict[str, Any]) -> str:
    return result["expectation_config"]["meta"]["rule"]


def _shortened(result: dict[str, Any]) -> dict[str, Any]:
    """A result without the lists and tracebacks that would swell the ledger; the partial lists stay."""
    found = {name: value for name, value in result["result"].items() if not name.startswith("unexpected_index_list")}
    found.pop("unexpected_list", None)
    if "details" in found:
        found["details"] = {"unexpected_rows": found["details"].get("unexpected_rows", [])[:20]}
    error = _error(result.get("exception_info") or {})
    info = {"raised_exception": error is not None, "exception_message": error, "exception_traceback": None}
    return {**result, "result": found, "exception_info": info}
