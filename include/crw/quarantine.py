"""Bad rows of a landed batch: named by their keys, moved to quarantine with their reasons, and too many of them told.

Knows landing and quarantine and nothing of suites; `quality` decides which rows are bad.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from typing import Any

import psycopg
from psycopg import Connection, sql

from crw import seeds
from crw.contracts import Column, Table
from crw.held import QUARANTINE_SHARE
from crw.suites import HeldError, QualityError
from crw.validation import EXAMPLES, RuleResult
from crw.warehouse import landing_table

CODE = re.compile(r"[^\s@]{1,30}")


def keys_of(connection: Connection, table: Table, result: RuleResult) -> tuple[str, ...]:
    """The keys of the first rows in landing that a rule names: what an operator can look up at the source."""
    keys = sql.SQL(" || ', ' || ").join(
        sql.SQL("{} || coalesce({}::text, 'null')").format(sql.Literal(f"{key}="), sql.Identifier(key))
        for key in table.key
    )
    rows = _execute(
        connection,
        table,
        sql.SQL("select {} from {} where _row_no in (select _row_no from ({}) found) order by _row_no limit {}").format(
            keys, landing_table(table), sql.SQL(result.rows_query), sql.Literal(EXAMPLES)
        ),
    )
    return tuple(key for (key,) in rows)


def move(connection: Connection, table: Table, load_id: int, business_date: date, warnings: list[RuleResult]) -> int:
    """Move every row that a warning names from landing to quarantine, with all its reasons. Returns how many.

    A row that a person accepted passes the rules that it was accepted for.

    Raises:
        QualityError: a rule names other rows than it counted, or its rows cannot be selected.
    """
    if not warnings:
        return 0
    found = sql.SQL(" union all ").join(_found(position, result) for position, result in enumerate(warnings))
    accepted = _accepted(connection, table, found)
    statement = sql.SQL(
        "with accepted as (select * from unnest({rows}::bigint[], {rules}::text[]) as accepted (_row_no, rule)), "
        "bad as (select _row_no, jsonb_agg(reason order by position) as reasons from ({found}) found "
        "where (_row_no, reason ->> 'rule') not in (table accepted) group by _row_no), "
        "inserted as (insert into quarantine.record "
        "(load_id, source, table_name, business_date, row_no, record, reasons) "
        "select {load_id}, {source}, {table}, {business_date}, _row_no, to_jsonb(landed) - '_row_no', reasons "
        "from bad join {landing} landed using (_row_no) returning row_no, reasons), "
        "deleted as (delete from {landing} using inserted where _row_no = row_no returning _row_no) "
        "select reason ->> 'rule', count(*), (select count(*) from deleted) "
        "from inserted, jsonb_array_elements(reasons) reason group by 1"
    ).format(
        rows=sql.Literal([row_no for row_no, _ in accepted]),
        rules=sql.Literal([rule for _, rule in accepted]),
        found=found,
        load_id=sql.Literal(load_id),
        source=sql.Literal(table.source),
        table=sql.Literal(table.name),
        business_date=sql.Literal(business_date),
        landing=landing_table(table),
    )
    moved = _execute(connection, table, statement)
    counts = Counter({rule: count for rule, count, _ in moved})
    counts.update(rule for _, rule in accepted)
    for result in warnings:
        # GX counted the same rule by another query: if the two disagree, rows would be lost or wrongly refused.
        if counts[result.rule] != result.unexpected:
            raise QualityError(
                f"landing.{table.identifier}: rule {result.rule} could not be evaluated: it counts {result.unexpected} "
                f"rows but names {counts[result.rule]}"
            )
    return moved[0][2] if moved else 0


def _accepted(connection: Connection, table: Table, found: sql.Composed) -> list[tuple[int, str]]:
    """Of the bad rows in landing those that a person accepted just as they stand, each with a rule that it may break."""
    of_table = [table.source, table.name]
    if not connection.execute(
        "select true from audit.quarantine_action as a join quarantine.record as q using (record_id) "
        "where a.action = 'accepted' and q.source = %s and q.table_name = %s limit 1",
        of_table,
    ).fetchone():
        return []
    statement = sql.SQL(
        "select distinct found._row_no, found.reason ->> 'rule' from ({found}) found join {landing} landed using (_row_no) "
        "join quarantine.record as q on q.source = {source} and q.table_name = {table} and q.record = to_jsonb(landed) - '_row_no' "
        "join audit.quarantine_action as a on a.record_id = q.record_id and a.action = 'accepted' "
        "and found.reason ->> 'rule' = any (a.details)"
    )
    source, name = map(sql.Literal, of_table)
    return _execute(
        connection, table, statement.format(found=found, landing=landing_table(table), source=source, table=name)
    )


def _found(position: int, result: RuleResult) -> sql.Composed:
    """The bad rows of one rule, each with the reason as quarantine keeps it."""
    return sql.SQL(
        "select _row_no, {position} as position, jsonb_build_object('rule', {rule}::text, 'column', {column}::text, "
        "'value', min(to_jsonb(found) ->> {value_of}), 'message', {notes}::text, 'severity', 'warning') as reason "
        "from ({rows}) found group by _row_no"
    ).format(
        position=sql.Literal(position),
        rule=sql.Literal(result.rule),
        column=sql.Literal(result.column),
        value_of=sql.Literal(result.value_of),
        notes=sql.Literal(result.notes),
        rows=sql.SQL(result.rows_query),
    )


def _execute(connection: Connection, table: Table, statement: sql.Composed) -> list[tuple]:
    """Run a statement that holds rules' own SQL: without parameters, so that a `%` in a rule stays one."""
    try:
        return connection.execute(statement).fetchall()
    except (psycopg.ProgrammingError, psycopg.DataError) as error:
        raise QualityError(f"landing.{table.identifier}: a rule could not be evaluated: {error}") from error


def count(connection: Connection, load_id: int) -> int:
    """Rows of a load in quarantine, those rejected while landing included."""
    return connection.execute("select count(*) from quarantine.record where load_id = %s", [load_id]).fetchone()[0]


def check_share(connection: Connection, table: Table, load_id: int, rows_read: int, tolerated: dict[str, Any]) -> None:
    """Hold a load of which more rows are in quarantine than its suite tolerates.

    `quarantine_allowance` rows are tolerated whatever their share: a night of three rows, one of them bad, is no alarm.

    Raises:
        HeldError: with each rule, its count and examples.
    """
    threshold, allowance = tolerated["quarantine_threshold"], tolerated["quarantine_allowance"]
    quarantined = count(connection, load_id)
    if quarantined <= allowance or quarantined <= threshold * rows_read:
        return
    rules = connection.execute(
        "select reason ->> 'rule', reason ->> 'column', count(*) from quarantine.record, "
        "jsonb_array_elements(reasons) as reason where load_id = %s group by 1, 2 order by 3 desc, 1",
        [load_id],
    ).fetchall()
    told = [
        f"{rule} {rows} rows [{_examples(connection, table, load_id, rule, column)}]" for rule, column, rows in rules
    ]
    raise HeldError(
        f"landing.{table.identifier}: {quarantined} of {rows_read} rows are bad; the suite tolerates {threshold:.1%}, or "
        f"{allowance} rows: {'; '.join(told)}. They are in quarantine.record, load_id {load_id}",
        [QUARANTINE_SHARE],
    )


def is_code(column: Column, value: str) -> bool:
    """Whether a value that the column's list lacks looks like a code, and may be told; else it may be what somebody wrote.

    Of a list that holds phrases no value may: what it lacks may be a name.
    """
    holds_phrases = any(" " in code for code in seeds.code_list(column.codes).codes)
    return not holds_phrases and CODE.fullmatch(value) is not None


def _examples(connection: Connection, table: Table, load_id: int, rule: str, column: str | None) -> str:
    """Of a column of codes the most frequent ones, else the keys of the first rows."""
    coded = next((known for known in table.columns if known.name == column and known.codes), None)
    refused = (
        "from quarantine.record, jsonb_array_elements(reasons) as reason where load_id = %s and reason ->> 'rule' = %s "
    )
    if coded is None:
        records = connection.execute(f"select record {refused} order by row_no limit %s", [load_id, rule, EXAMPLES])
        return " | ".join(", ".join(f"{key}={record.get(key)}" for key in table.key) for (record,) in records)
    codes = connection.execute(
        f"select reason ->> 'value', count(*) {refused} group by 1 order by 2 desc, 1 limit %s",
        [load_id, rule, EXAMPLES],
    )
    return ", ".join(f"{code if is_code(coded, code or '') else 'another text'} {rows}" for code, rows in codes)
