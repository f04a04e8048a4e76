"""What a check found in a table, and how it is shown: counts, keys and codes, and no other value of the source."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection
from rich.console import Console
from rich.padding import Padding

from crw import quarantine, seeds
from crw.contracts import Column, Table
from crw.sources.respondents import MAPPED
from crw.suites import QualityError

EXAMPLES = 5
WORDS = {"critical": "stops", "warning": "refused", "info": "reported"}
"""What becomes of the rows that fail a rule, by its severity."""

ANSWER = re.compile(r"-?\d{1,5}(\.\d+)?|[A-Za-z]{1,2}")
"""What is shown of an answer that no code book has. Anything else may be what somebody wrote, in the wrong column."""

WRITTEN = {"date": "date as 2013-03-31", "timestamptz": "time as 2013-03-31T09:00+08:00"}


@dataclass
class FailedRule:
    """One rule that rows, or the whole table, failed."""

    rule: str
    severity: str
    rows: int
    notes: str
    codes: list[str] = field(default_factory=list)
    """Codes that no list has, each with its count, the most frequent first."""
    unread: str | None = None
    """The table that the rule looks at, and that was not read: then it says nothing."""


@dataclass
class Finding:
    """What was found in one table."""

    table: Table
    problem: str | None = None
    """Why a night would not publish it."""
    load_id: int | None = None
    rows: int = 0
    files: dict[str, str] = field(default_factory=dict)
    """Names of the files read, by the id of the delivery."""
    refused: int = 0
    rules: list[FailedRule] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    """The first rows that would be refused: key and reasons."""


def landed(connection: Connection, table: Table, load_id: int) -> Finding:
    """What can be said of a table once its batch is in landing."""
    rows, files = connection.execute(
        "select rows_read, deliveries from audit.load where load_id = %s", [load_id]
    ).fetchone()
    return Finding(table, load_id=load_id, rows=rows, files=files)


def judged(connection: Connection, finding: Finding, refusal: Exception | None, unread: set[str]) -> None:
    """Add what the gate found.

    Args:
        connection: to the warehouse in which it ran.
        finding: of a table whose batch was in landing.
        refusal: what the gate raised.
        unread: tables, as `<source>__<table>`, that a night would have filled and the check has not read.
    """
    validation = connection.execute(
        "select result from audit.validation where load_id = %s order by validation_id desc limit 1", [finding.load_id]
    ).fetchone()
    rules, report = (validation[0]["rules"], validation[0]["gx"]["results"]) if validation else ([], [])
    finding.rules = _type_faults(connection, finding) + [
        _failed(finding.table, rule, result, unread)
        for rule, result in zip(rules, report, strict=True)
        if not rule["success"]
    ]
    quarantined = connection.execute(
        "select count(*) over (), row_no, record, told from quarantine.record, lateral (select jsonb_agg(reason) as told "
        "from jsonb_array_elements(reasons) as reason where reason ->> 'rule' <> all (%s)) as reasons "
        "where load_id = %s and told is not null order by row_no limit %s",
        [[rule.rule for rule in finding.rules if rule.unread], finding.load_id, EXAMPLES],
    ).fetchall()
    finding.refused = quarantined[0][0] if quarantined else 0
    finding.first = [_refused_row(finding, *row[1:]) for row in quarantined]
    if refusal is not None:
        finding.problem = _problem(finding, rules, refusal)


def _failed(table: Table, rule: dict[str, Any], result: dict[str, Any], unread: set[str]) -> FailedRule:
    config = result["expectation_config"]
    column = _column(table, config["meta"].get("column") or config["kwargs"].get("column"))
    others = set(re.findall(r"\blanding\.(\w+__\w+)", json.dumps(config["kwargs"]))) & unread
    return FailedRule(
        rule["rule"],
        rule["severity"],
        rule["unexpected"],
        config["meta"]["notes"],
        _codes(column, result["result"].get("partial_unexpected_counts") or []) if column else [],
        ", ".join(sorted(others)).replace("__", ".") or None,
    )


def _column(table: Table, name: str | None) -> Column | None:
    return next((column for column in table.columns if column.name == name), None)


def _codes(column: Column, counts: list[dict[str, Any]]) -> list[str]:
    """Codes that the column's list lacks."""
    if column.codes is None:
        return []
    return _counted(counts, lambda value: quarantine.is_code(column, value))


def _answers(counts: list[dict[str, Any]]) -> list[str]:
    return _counted(counts, lambda value: ANSWER.fullmatch(value) is not None)


def _counted(counts: list[dict[str, Any]], is_shown: Callable[[str], bool]) -> list[str]:
    """The most frequent values, each with its count; one that is not to be shown by its length."""
    texts = [(str(entry["value"]), entry["count"]) for entry in counts]
    told = [f"{text if is_shown(text) else f'a text of {len(text)} characters'} ({rows:,})" for text, rows in texts]
    return told[:EXAMPLES] + ["and others"] * (len(told) > EXAMPLES)


def _type_faults(connection: Connection, finding: Finding) -> list[FailedRule]:
    """Rows that could not be typed, or read at all, by column."""
    coded = MAPPED if finding.table.reader == "files" else ()
    faults = connection.execute(
        "select name, sum(rows)::bigint, jsonb_agg(jsonb_build_object('value', value, 'count', rows) order by rows desc, value) "
        "from (select reason ->> 'column' as name, case when reason ->> 'column' = any (%s) then reason ->> 'value' end as value, "
        "count(*) as rows from quarantine.record, jsonb_array_elements(reasons) as reason "
        "where load_id = %s and reason ->> 'rule' = 'type' group by 1, 2) as counted group by 1 order by 1",
        [list(coded), finding.load_id],
    )
    return [
        FailedRule("type", "warning", rows, _untyped(finding.table, name), _answers(counts) if name in coded else [])
        for name, rows, counts in faults
    ]


def _untyped(table: Table, name: str | None) -> str:
    column = _column(table, name)
    if column is None:
        return "the row could not be read as a record"
    if column.type == "text":
        return f"{name} cannot be made of what the row holds"
    return f"{name} is no {column.type if table.reader == 'files' else WRITTEN.get(column.type, column.type)}"


def _refused_row(finding: Finding, row_no: int, record: dict[str, Any], reasons: list[dict[str, Any]]) -> str:
    record = record | {"delivery_id": finding.files.get(record.get("delivery_id"))}
    names = ["delivery_id", *finding.table.key, "place"] if finding.files else finding.table.key
    key = ", ".join(
        f"{'file' if name == 'delivery_id' else name}={record[name]}"
        for name in dict.fromkeys(names)
        if record.get(name) is not None
    )
    return f"{key or f'row {row_no}'}: {'; '.join(_reason(finding.table, reason) for reason in reasons)}"


def _reason(table: Table, reason: dict[str, Any]) -> str:
    if reason["rule"] != "type":
        return reason["rule"]
    if reason["value"] is None:
        return reason["message"]
    # Landing's message may quote a part of the value. A survey's ends with it, and says what the file calls the column.
    ending = f": {reason['value']!r}"
    if table.reader == "files" and reason["message"].endswith(ending):
        return reason["message"].removesuffix(ending)
    return _untyped(table, reason["column"])


def _problem(finding: Finding, rules: list[dict[str, Any]], refusal: Exception) -> str:
    """Why the gate would not let the table in. Its own words where they name keys alone: of a critical rule."""
    message = str(refusal).removeprefix(f"landing.{finding.table.identifier}: ")
    if not isinstance(refusal, QualityError | seeds.SeedError):
        return f"{type(refusal).__name__}, whose message may quote a value: a night's log has it"
    if not rules:  # the suite itself, before any row was looked at
        return message
    if broken := [rule["rule"] for rule in rules if rule["error"]]:
        return f"rule {', '.join(broken)} could not be evaluated: see the suite"
    if any(rule["severity"] == "critical" and not rule["success"] for rule in rules):
        return message
    if share := re.match(r"(\d+) of \d+ rows are bad; the suite tolerates [\d.]+%, or \d+ rows", message):
        if blind := [rule for rule in finding.rules if rule.unread and rule.severity == "warning"]:
            return f"how many rows are bad is not known without {', '.join(sorted({rule.unread for rule in blind}))}"
        finding.refused = int(share[1])
        return share[0]
    return "a rule could not be evaluated: see the suite"


def show_source(console: Console, found: list[Finding]) -> None:
    """The heading of a source, with what is wrong with all of it."""
    table = found[0].table
    console.print(f"\n[bold]{table.source}[/]  (connection {table.connection})", highlight=False)
    if problem := all_alike(found):
        _line(console, 2, f"✗ {problem}", "red")


def show_unread(console: Console, connection: Connection, source: str) -> None:
    """The files of a drop folder that a night would not read."""
    for file_name, reason in connection.execute(
        "select file_name, reason from audit.unread_file where source = %s order by 1", [source]
    ):
        _line(console, 2, f"not read: {file_name}: {reason}", "yellow")


def all_alike(found: list[Finding]) -> str | None:
    """The one problem that all tables of a source have, as when it cannot be reached."""
    problems = {finding.problem for finding in found if finding.load_id is None}
    return problems.pop() if len(problems) == 1 and not any(finding.load_id for finding in found) else None


def show(console: Console, finding: Finding) -> None:
    """One table: what was read, what failed, and the first rows that would be refused."""
    if finding.load_id is None:
        return _line(console, 2, f"{finding.table.name}: ✗ {finding.problem}", "red")
    files = f" of {len(finding.files)} files" if finding.table.layout or finding.table.reader == "files" else ""
    columns = f"{len(finding.table.columns)} columns as in the contract"
    _line(console, 2, f"{finding.table.name}: {finding.rows:,} rows{files}, {columns}; {finding.refused:,} refused")
    for rule in finding.rules:
        _line(console, 6, _rule(rule), {"critical": "red", "warning": "yellow"}.get(rule.severity))
    for row in finding.first:
        _line(console, 6, f"would be refused: {row}")
    if finding.problem:
        _line(console, 6, f"✗ {finding.problem}", "red")


def _rule(rule: FailedRule) -> str:
    if rule.unread:
        return f"not checked: {rule.rule}, which looks at {rule.unread}; that was not read"
    codes = f"; codes that are not listed: {', '.join(rule.codes)}" if rule.codes else ""
    return f"{WORDS[rule.severity]} {rule.rows:,}: {rule.rule}: {rule.notes.rstrip('.')}{codes}"


def show_survey(console: Console, connection: Connection) -> None:
    """Each delivery of the survey: its questions, and the answers that its code book has not."""
    for delivery, wave, name, respondents in connection.execute(
        "select delivery_id, wave_code, file_name, (select count(*) from landing.survey__respondent as r "
        "where r.delivery_id = d.delivery_id) from landing.survey__delivery as d order by delivered_at, file_name"
    ).fetchall():
        questions = connection.execute(
            "select question_code, column_name, question_no, valid_codes || not_applicable_codes || blank_codes "
            "from landing.survey__question where delivery_id = %s order by question_no",
            [delivery],
        ).fetchall()
        named = ", ".join(f"{code} ({column})" for code, column, *_ in questions)
        _line(console, 2, f"{name}: wave {wave}, {respondents:,} respondents, {len(questions)} questions: {named}")
        for code, column, number, known in questions:
            answers = _unknown_answers(connection, delivery, number, known)
            if answers:
                _line(console, 6, f"{code} ({column}) has codes that the code book lacks: {answers}", "yellow")


def _unknown_answers(connection: Connection, delivery: str, number: int, known: list[str]) -> str:
    counts = connection.execute(
        "select btrim((answers::text[])[%s]) as value, count(*) from landing.survey__respondent "
        "where delivery_id = %s and btrim((answers::text[])[%s]) <> all (%s) group by 1 order by 2 desc, 1",
        [number, delivery, number, ["", *known]],
    ).fetchall()
    return ", ".join(_answers([{"value": value, "count": rows} for value, rows in counts]))


def show_verdict(
    console: Console, connection: Connection, by_source: dict[str, list[Finding]], *, is_of_one_file: bool
) -> bool:
    """The last lines: whether a night would publish, and how many files it would leave, and else which tables stop it.

    A file that was named to be checked is to be read.
    """
    console.print()
    stopping: dict[str, str] = {}
    for source, found in by_source.items():
        if problem := all_alike(found):
            stopping[source] = problem
        else:
            stopping |= {f"{source}.{finding.table.name}": finding.problem for finding in found if finding.problem}
    for where, problem in stopping.items():
        _line(console, 0, f"a night would not publish: {where}: {problem}", "red")
    (left,) = connection.execute("select count(*) from audit.unread_file").fetchone()
    if not stopping and left and is_of_one_file:
        _line(console, 0, "a night would not read it", "red")
        return False
    if not stopping:
        without = f"; files not read: {left:,}" if left else ""
        _line(console, 0, f"a night would publish{without}", "yellow" if left else "green")
    return not stopping


def progress(console: Console, text: str) -> None:
    """What the check is at."""
    _line(console, 0, f"… {text}", "dim")


def _line(console: Console, indent: int, text: str, style: str | None = None) -> None:
    # Neither markup nor highlighting: the text holds keys and messages of the source.
    console.print(
        Padding(console.render_str(text, markup=False, highlight=False), (0, 0, 0, indent), expand=False), style=style
    )
