"""The gate: run a table's suite, send the bad rows to quarantine, and stop what must not be published.

Severity decides. `critical` fails the load and nothing is published, or holds it for a person where all that failed is unusual;
`warning` moves the rows to quarantine and goes on while their share stays under the suite's threshold; `info` only reports.
(docs: expectations/README.md)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from crw import held, publish, quarantine, suites, validation
from crw.contracts import Table
from crw.settings import CLOCK, EXPECTATIONS
from crw.suites import HeldError, QualityError
from crw.validation import RuleResult
from crw.warehouse import landing_table

SHOWN_OF_ROWS = {"partial_unexpected_list", "partial_unexpected_counts", "partial_unexpected_index_list", "details"}
"""Where GX's result of a rule repeats values of rows."""


@dataclass(frozen=True)
class Outcome:
    """What a suite said of a batch or a mart."""

    success: bool
    quarantined: int
    """Rows of the load in quarantine, those rejected while landing included; 0 for a mart."""
    message: str
    results: list[RuleResult]


@dataclass(frozen=True)
class _Run:
    """One run of a suite, as it goes into the ledger."""

    suite: str
    business_date: date
    load_id: int | None
    rows: int
    results: list[RuleResult]
    report: dict[str, Any]


def validate_landing(
    connection: Connection, table: Table, load_id: int, business_date: date, *, check_share: bool = True
) -> Outcome:
    """Run the suite of the table on the landed batch and move its bad rows to quarantine.

    May run again for the same load: the rows it moved are gone from landing, so it finds nothing new.

    Args:
        connection: autocommit, to the warehouse; the batch in landing must be committed.
        table: the contract.
        load_id: the load in `audit.load` that the batch belongs to.
        business_date: the night.
        check_share: whether too large a share of bad rows holds the load; not for a replay, whose rows were bad before.

    Raises:
        HeldError: all that failed is unusual: a rule that says so of itself, or too large a share of bad rows; and nobody approved.
        QualityError: another critical rule failed, or a rule could not be evaluated.
            The row in `audit.validation` is written all the same. Where too many rows are bad they are in quarantine,
            else landing and quarantine are as before.
    """
    load = connection.execute(
        "select interval_start, interval_end, rows_read from audit.load where load_id = %s", [load_id]
    ).fetchone()
    if load is None:
        raise QualityError(f"{table.source}.{table.name}: load {load_id} is not in audit.load")
    interval_start, interval_end, rows_read = load
    suite = suites.of_landing(table, EXPECTATIONS / "landing")
    parameters = _parameters(business_date) | {
        "load_id": load_id,
        "interval_start": interval_start.astimezone(CLOCK),
        "interval_end": interval_end.astimezone(CLOCK),
    }
    results, report = validation.run(connection, suite, ("landing", table.identifier), parameters)
    rows = _count_rows(connection, landing_table(table))
    run = _Run(suite["name"], business_date, load_id, rows, results, _without_texts(table, report))
    approved = held.approved(connection, table.source, table.name, business_date)
    try:
        _refuse(f"landing.{table.identifier}", [_with_keys(connection, table, result) for result in results], approved)
        with connection.transaction():
            warnings = [result for result in results if result.severity == "warning" and not result.success]
            quarantine.move(connection, table, load_id, business_date, warnings)
        # After they are kept: whoever is told that too many rows are bad wants to look at them.
        if check_share and held.QUARANTINE_SHARE not in approved:
            quarantine.check_share(connection, table, load_id, rows_read, suite["meta"])
    except QualityError as error:
        _record(connection, run, error)
        raise
    _record(connection, run)
    quarantined = quarantine.count(connection, load_id)
    return Outcome(True, quarantined, _summary(results, quarantined), results)


def validate_mart(connection: Connection, mart: str, business_date: date) -> Outcome:
    """Run `expectations/marts/<mart>.json` on `candidate.<mart>`; warnings are reported and stop nothing.

    Raises:
        HeldError: all that failed is unusual, and nobody approved.
        QualityError: another critical rule failed or a rule could not be evaluated; the row in `audit.validation` is written.
    """
    name = f"marts/{mart}"
    suite = suites.of_mart(EXPECTATIONS / f"{name}.json", _to_compare_with(connection, mart))
    results, report = validation.run(connection, suite, ("candidate", mart), _parameters(business_date))
    rows = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier("candidate", mart))).fetchone()[
        0
    ]
    run = _Run(name, business_date, None, rows, results, report)
    try:
        _refuse(f"candidate.{mart}", results, held.approved(connection, held.MARTS, mart, business_date))
    except QualityError as error:
        _record(connection, run, error)
        raise
    _record(connection, run)
    return Outcome(True, 0, _summary(results, 0), results)


def validate_marts(connection: Connection, business_date: date) -> list[Outcome]:
    """Run the suite of every mart in `candidate`, all of them before the verdict.

    Raises:
        HeldError: marts are held, and none failed.
        QualityError: a mart failed, or has no suite; the message holds what each mart says.
    """
    marts = connection.execute(
        "select table_name from information_schema.tables where table_schema = 'candidate' order by 1"
    ).fetchall()
    outcomes, refusals = [], []
    for (mart,) in marts:
        try:
            outcomes.append(validate_mart(connection, mart, business_date))
        except (QualityError, FileNotFoundError) as error:
            refusals.append(error)
    if refusals:
        said = "\n".join(map(str, refusals))
        if all(isinstance(error, HeldError) for error in refusals):
            raise HeldError(said, [rule for error in refusals for rule in error.rules])
        raise QualityError(said)
    return outcomes


def _to_compare_with(connection: Connection, mart: str) -> sql.Identifier:
    """The mart as readers have it, where it is published with all columns of the candidate; else the candidate, which is as itself."""
    columns = "select array_agg(column_name::text) from information_schema.columns where table_schema = %s and table_name = %s"
    (comparable,) = connection.execute(
        f"select ({columns}) @> ({columns})", [publish.SCHEMA.get(mart, "marts"), mart, "candidate", mart]
    ).fetchone()
    return sql.Identifier(publish.SCHEMA.get(mart, "marts") if comparable else "candidate", mart)


def _parameters(business_date: date) -> dict[str, Any]:
    return {
        "business_date": business_date,
        "day_end": datetime.combine(business_date + timedelta(days=1), time(), CLOCK),
    }


def _refuse(target: str, results: list[RuleResult], approved: frozenset[str]) -> None:
    """Raise QualityError for rules that broke, or else for critical rules that failed; HeldError where these are all unusual.

    All of them in one message, but for unusual ones that a person approved.
    """
    if broken := [result for result in results if result.error]:
        reasons = "; ".join(f"rule {result.rule} could not be evaluated: {result.error}" for result in broken)
        raise QualityError(f"{target}: {reasons}")
    critical = [result for result in results if result.severity == "critical" and not result.success]
    if failed := [result for result in critical if not (result.is_unusual and result.rule in approved)]:
        reasons = "; ".join(
            f"rule {result.rule} failed ({_extent(result)}): {result.notes}"
            + (f" [{' | '.join(result.examples)}]" if result.examples else "")
            for result in failed
        )
        if all(result.is_unusual for result in failed):
            raise HeldError(f"{target}: {reasons}", [result.rule for result in failed])
        raise QualityError(f"{target}: {reasons}")


def _with_keys(connection: Connection, table: Table, result: RuleResult) -> RuleResult:
    if result.success or result.error or result.severity != "critical" or not result.rows_query:
        return result
    return replace(result, examples=quarantine.keys_of(connection, table, result))


def _count_rows(connection: Connection, relation: sql.Identifier) -> int:
    return connection.execute(sql.SQL("select count(*) from {}").format(relation)).fetchone()[0]


def _record(connection: Connection, run: _Run, refusal: QualityError | None = None) -> None:
    rules = [
        {
            "rule": result.rule,
            "severity": result.severity,
            "success": result.success,
            "unexpected": result.unexpected,
            "percent": round(100 * result.unexpected / run.rows, 3) if run.rows else None,
            "error": result.error,
        }
        for result in run.results
    ]
    connection.execute(
        "insert into audit.validation (load_id, suite, business_date, success, rules, rules_failed, result, held, message) "
        "values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            run.load_id,
            run.suite,
            run.business_date,
            refusal is None,
            len(run.results),
            sum(not result.success for result in run.results),
            Jsonb({"rows": run.rows, "rules": rules, "gx": run.report}),
            refusal.rules if isinstance(refusal, HeldError) else None,
            refusal and str(refusal),
        ],
    )


def _without_texts(table: Table, report: dict[str, Any]) -> dict[str, Any]:
    """GX's result as the ledger and Data Docs may keep it: of what somebody may have written, only keys and codes are shown."""
    columns = {column.name: column for column in table.columns}

    def shown(name: str | None, value: Any) -> Any:
        if isinstance(value, dict):
            value_of = name if value.keys() == {"value", "count"} else None
            return {key: shown(value_of if key == "value" else key, entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [shown(name, entry) for entry in value]
        column = columns.get(name)
        if not isinstance(value, str) or (column and (name in table.key or column.type not in ("text", "jsonb"))):
            return value
        is_code = (
            quarantine.is_code(column, value)
            if column and column.codes
            else not column and quarantine.CODE.fullmatch(value)
        )
        return value if is_code else "another text"

    for result in report["results"]:
        of = result["expectation_config"]["kwargs"].get("column")
        for name in result["result"].keys() & SHOWN_OF_ROWS:
            result["result"][name] = shown(of, result["result"][name])
    return report


def _extent(result: RuleResult) -> str:
    return f"{result.unexpected} rows" if result.rows_query else "whole table"


def _summary(results: list[RuleResult], quarantined: int) -> str:
    """What the suite said. A rule about a whole table, as all of a mart are, names what it found; rows are in quarantine."""
    failed = [result for result in results if not result.success]
    found = [f" [{' | '.join(result.examples)}]" if not result.rows_query else "" for result in failed]
    named = "".join(
        f"; {result.rule} ({result.severity}, {_extent(result)}){said}"
        for result, said in zip(failed, found, strict=True)
    )
    return f"{len(results)} rules, {len(failed)} failed, {quarantined} rows in quarantine{named}"
