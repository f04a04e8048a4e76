"""What a person does with rows in quarantine: mend one, accept one, send them through the gate again, give them up.

Each of it is a row a record in audit.quarantine_action, in the transaction that does it: who, when, why. A value of a row is in none
of them, and in no message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from crw import contracts, landing, ledger, publish, quality, settings, suites
from crw.contracts import Table
from crw.ledger import LoadError
from crw.sources import Batch
from crw.warehouse import raw_table, same_key

_WAITING = "load.state = 'published' and q.released_at is null"
"""Rows of a load that is held, or was given up, go with their batch."""


@dataclass(frozen=True)
class Waiting:
    """One row that waits in quarantine; of what it holds its key alone is told, but for pseudonyms."""

    record_id: int
    table: Table
    business_date: date
    key: str
    rules: tuple[str, ...]
    done: tuple[str, ...]
    """What a person did with it, `accepted` or `mended`: a replay sends it through the gate."""

    def __str__(self) -> str:
        name = f"{self.table.source}.{self.table.name}"
        said = f"record {self.record_id}: {name} of {self.business_date}, {self.key}: {', '.join(self.rules)}"
        return ", ".join([said, *self.done])


def waiting(connection: Connection, table: Table | None = None, business_date: date | None = None) -> list[Waiting]:
    """The rows that wait, of all tables and dates or of one, in the order in which they came."""
    rows = connection.execute(
        "select q.record_id, q.source, q.table_name, q.business_date, q.record, "
        "(select array_agg(distinct reason ->> 'rule') from jsonb_array_elements(q.reasons) as reason), "
        "array(select distinct action from audit.quarantine_action as a where a.record_id = q.record_id "
        "and a.action in ('accepted', 'mended') order by 1) "
        f"from quarantine.record as q join audit.load using (load_id) where {_WAITING} "
        "and q.source = coalesce(%s, q.source) and q.table_name = coalesce(%s, q.table_name) "
        "and q.business_date = coalesce(%s, q.business_date) order by q.record_id",
        [table and table.source, table and table.name, business_date],
    )
    found = []
    for record_id, source, name, on, record, rules, done in rows:
        of = contracts.table(source, name)
        shown = [key for key in of.key if not of.column(key).pseudonym_of]
        key = ", ".join(f"{column}={record.get(column)}" for column in shown)
        found.append(Waiting(record_id, of, on, key or "a person's", tuple(rules), tuple(done)))
    return found


def mend(connection: Connection, record_id: int, values: dict[str, str | None], reason: str, by: str) -> None:
    """Put other values into a row that waits. It is not published by that: `replay` sends it through the gate again.

    Args:
        connection: autocommit, to the warehouse.
        record_id: of quarantine.record.
        values: by column, written as the source would; None takes a value away.
        reason: why, without personal data.
        by: who says so.

    Raises:
        LoadError: the record does not wait, could not be read as a record, or a column is not to be set or the value none of its type.
    """
    with connection.transaction():
        table = _find(connection, record_id)
        for name, value in values.items():
            column = next((known for known in table.columns if known.name == name), None)
            if column is None or column.pseudonym_of or column.provenance or column.type == "jsonb":
                what = "is no column of the contract" if column is None else "is made by the reader and not typed"
                raise LoadError(f"record {record_id}: {name} {what}")
            if not landing.is_of_type(connection, column, value):
                raise LoadError(f"record {record_id}: what {name} is to be is not of the type {column.type}")
        connection.execute(
            "update quarantine.record set record = record || %s where record_id = %s", [Jsonb(values), record_id]
        )
        _note(connection, "mended", [record_id], reason, by, details=sorted(values))


def accept(connection: Connection, record_ids: list[int], reason: str, by: str) -> None:
    """Let rows that wait pass the rules that refused them, as they stand and no others. `replay` publishes them.

    Args:
        connection: autocommit, to the warehouse.
        record_ids: of quarantine.record.
        reason: why, without personal data.
        by: who says so.

    Raises:
        LoadError: a record does not wait, or a rule that refused it does not say of itself that its rows are acceptable; then none
            is accepted.
    """
    with connection.transaction():
        for record_id in record_ids:
            table = _find(connection, record_id)
            (rules,) = connection.execute(
                "select array_agg(distinct reason ->> 'rule') from quarantine.record, jsonb_array_elements(reasons) as reason "
                "where record_id = %s",
                [record_id],
            ).fetchone()
            suite = suites.of_landing(table, settings.EXPECTATIONS / "landing")
            acceptable = {rule["meta"]["rule"] for rule in suite["expectations"] if rule["meta"].get("acceptable")}
            if wrong := sorted(set(rules) - acceptable):
                raise LoadError(
                    f"record {record_id}: {', '.join(wrong)}: what that refuses is wrong in itself, or has no place in core, and cannot be "
                    "accepted: mend the record, its source, the list or the rule"
                )
            _note(connection, "accepted", [record_id], reason, by, details=rules)


def replay(
    connection: Connection, table: Table, business_date: date, run_id: str, reason: str, by: str
) -> publish.Figures:
    """Load the quarantined rows of one table and date again, and mark them released. Done twice, it changes nothing more.

    What is still bad is quarantined again, by the new load. Left where they are: a line that could not be read as a record at
    all, for it needs a corrected file; and a repetition of a record that the date or one before it did publish, for the one
    published is the later version. Persons who were erased since are landed without, as by any load.

    Raises:
        LoadError: the date was never published: its whole batch has to come first, or the rest of it would never be read. Or a person
            did something with a row meanwhile, or another load of the table came between; nothing was released.
        QualityError: a critical rule failed; nothing was released.
    """
    if not ledger.is_published(connection, table, business_date):
        raise LoadError(
            f"{table.source}.{table.name} was never published for {business_date}: run its ingest DAG first"
        )
    load = ledger.start_load(connection, table, business_date, run_id)
    try:
        with ledger.locked(connection, load):
            # Not before: another load of the date may settle or publish some of them until then.
            rows, acted = _to_replay(connection, table, business_date)
            landing.land(connection, load, Batch("json", rows.values()))
            ledger.lock(connection, load, "landed")
            quality.validate_landing(connection, table, load.load_id, business_date, check_share=False)
            ledger.record(connection, load, "validated")
        publish.ensure_spread_partitions(connection, [load])
        with connection.transaction():
            figures = publish.publish_load(connection, load, releases=list(rows))
            if _acted(connection, list(rows)) != acted:
                raise LoadError(f"{load}: a row was mended, accepted or given up while it was on its way: replay again")
            _note(connection, "replayed", list(rows), reason, by, load_id=load.load_id)
        return figures
    except Exception as error:
        ledger.fail(connection, load, error)
        raise


def _to_replay(connection: Connection, table: Table, business_date: date) -> tuple[dict[int, str], int]:
    """The rows by their record's number, and how often a person did something with one of them until now."""
    # Raw is asked for keys in a query of its own: where it is spread over several nodes it is not joined with quarantine.
    rows = connection.execute(
        sql.SQL(
            'with waiting as (select record_id, record, q.reasons @> \'[{{"rule": "key_unique"}}]\' as is_repetition, '
            "(select count(*) from audit.quarantine_action as a where a.record_id = q.record_id) as acted "
            f"from quarantine.record as q join audit.load using (load_id) where {_WAITING} "
            "and q.source = %(source)s and q.table_name = %(table)s and q.business_date = %(date)s and record ?& %(columns)s), "
            "known as (select distinct {key}, _business_date = %(date)s as is_of_date from {raw} where _business_date <= %(date)s "
            "and to_jsonb({first}) #>> '{{}}' in (select record ->> {name} from waiting)) "
            "select record_id, record::text, acted from waiting where not exists (select from known where {same} "
            # Where nothing was new of the row that was kept, raw has it by an earlier date.
            "and (is_of_date or is_repetition)) order by record_id"
        ).format(
            key=sql.SQL(", ").join(map(sql.Identifier, table.key)),
            first=sql.Identifier(table.key[0]),
            name=sql.Literal(table.key[0]),
            raw=raw_table(table),
            same=same_key(table, "known", "waiting"),
        ),
        {"source": table.source, "table": table.name, "date": business_date, "columns": table.column_names},
    ).fetchall()
    return {record_id: record for record_id, record, _ in rows}, sum(times for *_, times in rows)


def _acted(connection: Connection, record_ids: list[int]) -> int:
    return connection.execute(
        "select count(*) from audit.quarantine_action where record_id = any (%s)", [record_ids]
    ).fetchone()[0]


def expire(connection: Connection, table: Table, before: date, reason: str, by: str) -> int:
    """Give up the rows of a table that were refused on dates before one: they wait no more, and are not published. Returns how many.

    A row that its source still has is not read again for that; amended there, it comes as any other.
    """
    with connection.transaction():
        rows = connection.execute(
            "update quarantine.record as q set released_at = clock_timestamp(), released_by_load_id = q.load_id "
            f"from audit.load where load.load_id = q.load_id and {_WAITING} "
            "and q.source = %s and q.table_name = %s and q.business_date < %s returning record_id",
            [table.source, table.name, before],
        ).fetchall()
        _note(connection, "expired", [record_id for (record_id,) in rows], reason, by)
    return len(rows)


def _find(connection: Connection, record_id: int) -> Table:
    row = connection.execute(
        "select q.source, q.table_name, q.record from quarantine.record as q join audit.load using (load_id) "
        f"where record_id = %s and {_WAITING} for update of q",
        [record_id],
    ).fetchone()
    if row is None:
        raise LoadError(f"record {record_id} does not wait in quarantine: it is settled, or its batch is not published")
    table = contracts.table(*row[:2])
    if not row[2].keys() >= set(table.column_names):
        raise LoadError(f"record {record_id} could not be read as a record: it needs a corrected file")
    return table


def _note(
    connection: Connection,
    action: str,
    record_ids: list[int],
    reason: str,
    by: str,
    *,
    details: list[str] | None = None,
    load_id: int | None = None,
) -> None:
    if not (reason.strip() and by.strip()):
        raise LoadError(f"rows are not {action} without a reason and a name")
    connection.execute(
        "insert into audit.quarantine_action (record_id, action, details, load_id, reason, done_by) "
        "select record_id, %s, %s, %s, %s, %s from unnest(%s::bigint[]) as record_id",
        [action, details, load_id, reason, by, record_ids],
    )
