"""The ledger: what was loaded, over which interval, with what outcome. Tables audit.load and audit.publication.

The watermark lives here, in the transaction that publishes, and not in Airflow.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Literal

from psycopg import Connection, sql
from psycopg.types.json import Jsonb

from crw import contracts
from crw.contracts import Table
from crw.settings import CLOCK
from crw.sources import Interval

OVERLAP = timedelta(hours=1)
"""How far an interval reaches back behind the watermark, for rows committed late; unchanged rows are not stored twice."""

BEGINNING = datetime(1970, 1, 1, tzinfo=CLOCK)
"""Where the first load of a table starts. Not earlier: old offsets of Hong Kong have seconds, which RFC 3339 cannot say."""


class LoadError(RuntimeError):
    """A load cannot go on. The message names the table, the date and the reason."""


@dataclass(frozen=True)
class Load:
    """One attempt to load one table for one business date."""

    load_id: int
    table: Table
    business_date: date
    interval: Interval

    def __str__(self) -> str:
        return f"load {self.load_id} of {self.table.source}.{self.table.name} for {self.business_date}"


def start_load(connection: Connection, table: Table, business_date: date, run_id: str) -> Load:
    """Open a load and store its interval before anything is read.

    The interval is half-open: from the end of the last published load of an earlier date, less the overlap, to the end
    of the business date on the operator's clock. A re-run of a date reads the interval of its first attempt. What an earlier attempt
    left unfinished fails, unless a process is at work on the table.
    """
    with connection.transaction():
        interval = _interval(connection, table, business_date)
        (load_id,) = connection.execute(
            "insert into audit.load (source, table_name, business_date, run_id, interval_start, interval_end) "
            "values (%s, %s, %s, %s, %s, %s) returning load_id",
            [table.source, table.name, business_date, run_id, interval.start, interval.end],
        ).fetchone()
        load = Load(load_id, table, business_date, interval)
        _fail_unfinished(connection, load)
    return load


def find_load(connection: Connection, table: Table, load_id: int) -> Load:
    """The load with this number. Raises LoadError if the ledger has none, or it is another table's."""
    row = connection.execute(
        "select business_date, interval_start, interval_end from audit.load "
        "where load_id = %s and source = %s and table_name = %s",
        [load_id, table.source, table.name],
    ).fetchone()
    if row is None:
        raise LoadError(f"no load {load_id} of {table.source}.{table.name} in audit.load")
    return Load(load_id, table, row[0], Interval(row[1], row[2]))


def landed_by(connection: Connection, table: Table, business_date: date, run_id: str) -> int | None:
    """The number of the table's newest load for the date, if it is this run's and its batch is in landing and no further.

    A PostgreSQL that crashed has emptied landing, whatever the ledger says.
    """
    row = connection.execute(
        sql.SQL(
            "select case when run_id = %s and state = 'landed' and (rows_read = 0 or exists (select from {})) then load_id end "
            "from audit.load where source = %s and table_name = %s and business_date = %s order by load_id desc limit 1"
        ).format(sql.Identifier("landing", table.identifier)),
        [run_id, table.source, table.name, business_date],
    ).fetchone()
    return row and row[0]


def state(connection: Connection, load: Load) -> str:
    """How far the load has come: `started`, `landed`, `validated`, `published`; or `held`, `rejected`, `superseded`, `failed`."""
    return connection.execute("select state from audit.load where load_id = %s", [load.load_id]).fetchone()[0]


def rows_read(connection: Connection, load_id: int) -> int:
    """How many rows of its source a landed load has read."""
    return connection.execute("select rows_read from audit.load where load_id = %s", [load_id]).fetchone()[0]


def newest_load(connection: Connection, table: Table, business_date: date) -> Load:
    """The newest load of a table for a date. Raises LoadError if there is none."""
    (load_id,) = connection.execute(
        "select max(load_id) from audit.load where source = %s and table_name = %s and business_date = %s",
        [table.source, table.name, business_date],
    ).fetchone()
    if load_id is None:
        raise LoadError(f"{table.source}.{table.name} was never loaded for {business_date}")
    return find_load(connection, table, load_id)


def lock(connection: Connection, load: Load, wanted: Literal["started", "landed", "validated", "held"]) -> None:
    """Take the table for the rest of the transaction, and make sure that the load may take its next step.

    Two runs never mix: the landing table belongs to the load that filled it last.

    Raises:
        LoadError: the load is not in the state `wanted`, or another load has filled the landing table since.
    """
    connection.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"crw.load.{load.table.identifier}"])
    if (found := state(connection, load)) != wanted:
        raise LoadError(f"{load} is {found}, not {wanted}: start the night's extraction again")
    newest = connection.execute(
        "select load_id from audit.load where source = %s and table_name = %s and landed_at is not null "
        "order by landed_at desc limit 1",
        [load.table.source, load.table.name],
    ).fetchone()
    if wanted != "started" and newest != (load.load_id,):
        raise LoadError(f"landing.{load.table.identifier} was filled by load {newest[0]} since; {load} is overtaken")


@contextmanager
def locked(connection: Connection, load: Load) -> Iterator[None]:
    """Keep other loads off the landing table for longer than a transaction: the suite reads it on connections of its own."""
    name = f"crw.load.{load.table.identifier}"
    connection.execute("select pg_advisory_lock(hashtext(%s))", [name])
    try:
        yield
    finally:
        connection.execute("select pg_advisory_unlock(hashtext(%s))", [name])


def record(connection: Connection, load: Load, state: str, **figures: int | Jsonb) -> None:
    """Set the load's state, the time it was reached, and figures such as rows_read."""
    assignments = [sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in figures.items()]
    assignments.append(sql.SQL("{} = clock_timestamp()").format(sql.Identifier(f"{state}_at")))
    connection.execute(
        sql.SQL("update audit.load set state = {}, {} where load_id = {}").format(
            sql.Literal(state), sql.SQL(", ").join(assignments), sql.Literal(load.load_id)
        )
    )


def fail(connection: Connection, load: Load, error: BaseException) -> None:
    """Write down that the load failed and why."""
    drop(connection, load, "failed", f"{type(error).__name__}: {error}")


def drop(connection: Connection, load: Load, state: Literal["failed", "rejected", "superseded"], message: str) -> None:
    """Write down that the load's batch is given up, and why. What it had refused is settled: the whole batch has to come again.

    Why it was held stays in the message. What is published stays so: a validation done a second time by hand fails, and takes
    nothing back.
    """
    connection.execute(
        "with dropped as (update audit.load set state = %s, message = %s || case when state = 'held' then '; it was held: ' "
        "|| message else '' end where load_id = %s and state <> 'published' returning load_id) "
        "update quarantine.record as q set released_at = clock_timestamp(), released_by_load_id = q.load_id "
        "from dropped where q.load_id = dropped.load_id and q.released_at is null",
        [state, message, load.load_id],
    )


def hold(connection: Connection, load: Load, error: Exception) -> None:
    """Write down that the load waits for a person, and why. Its batch stays in landing, what it refused in quarantine."""
    connection.execute(
        "update audit.load set state = 'held', message = %s where load_id = %s and state <> 'published'",
        [f"{type(error).__name__}: {error}", load.load_id],
    )


def supersede(connection: Connection, load: Load) -> None:
    """Write down that the batch of the load takes the place of one that was held, of whatever date."""
    held_loads = connection.execute(
        "select load_id from audit.load where source = %s and table_name = %s and state = 'held' and load_id <> %s",
        [load.table.source, load.table.name, load.load_id],
    ).fetchall()
    for (load_id,) in held_loads:
        drop(connection, replace(load, load_id=load_id), "superseded", f"{load} has taken its place")


def take_up(connection: Connection, table: Table, business_date: date) -> int | None:
    """The number of the table's newest load for the date, if it need not be read again: something of its source was approved since.

    It is what the person saw: held, or not published because another table was. Its batch is still whole, in landing and
    quarantine; it is to be validated again.
    """
    row = connection.execute(
        sql.SQL(
            "update audit.load as l set state = 'landed' where l.load_id = (select max(load_id) from audit.load "
            "where source = %(source)s and table_name = %(table)s and business_date = %(date)s) "
            "and l.state in ('landed', 'validated', 'held') "
            "and l.rows_read = (select count(*) from {}) + (select count(*) from quarantine.record as q where q.load_id = l.load_id) "
            "and not exists (select from audit.load as later where later.source = l.source and later.table_name = l.table_name "
            "and later.landed_at > l.landed_at) "
            "and exists (select from audit.approval as a where a.source = l.source and a.business_date = l.business_date "
            "and a.rule <> 'vanished' and a.decision = 'approved' and a.approved_at > l.landed_at) returning l.load_id"
        ).format(sql.Identifier("landing", table.identifier)),
        {"source": table.source, "table": table.name, "date": business_date},
    ).fetchone()
    return row and row[0]


def is_published(connection: Connection, table: Table, business_date: date) -> bool:
    """Whether a load of this table was ever published for the date."""
    (found,) = connection.execute(
        "select exists (select from audit.load where source = %s and table_name = %s and business_date = %s "
        "and state = 'published')",
        [table.source, table.name, business_date],
    ).fetchone()
    return found


def outstanding(connection: Connection, business_date: date) -> set[str]:
    """The sources taking part of which a table's newest load for the date is not published, or which have none.

    A source that publishes a date anew is outstanding from its first extract on, whatever earlier attempts published.
    """
    published = connection.execute(
        "select source, table_name from (select distinct on (source, table_name) source, table_name, state "
        "from audit.load where business_date = %s order by source, table_name, load_id desc) as newest "
        "where state = 'published'",
        [business_date],
    ).fetchall()
    taking_part = contracts.taking_part().items()
    return {source for source, tables in taking_part if not {(source, table.name) for table in tables} <= {*published}}


def published_rows(connection: Connection, load: Load) -> tuple[int, ...] | None:
    """What was read, published, unchanged and quarantined, vanished and held, if the load is published."""
    return connection.execute(
        "select rows_read, rows_published, rows_unchanged, rows_quarantined, "
        "coalesce(case when not vanished_are_held then rows_vanished end, 0), "
        "coalesce(case when vanished_are_held then rows_vanished end, 0) from audit.load "
        "where load_id = %s and state = 'published'",
        [load.load_id],
    ).fetchone()


def published_deliveries(connection: Connection, table: Table, business_date: date) -> frozenset[str]:
    """Ids of the files that a load of another business date has published, so that a file sent again is skipped."""
    rows = connection.execute(
        "select distinct jsonb_object_keys(deliveries) from audit.load "
        "where source = %s and table_name = %s and business_date <> %s and state = 'published'",
        [table.source, table.name, business_date],
    )
    return frozenset(delivery_id for (delivery_id,) in rows)


def _fail_unfinished(connection: Connection, load: Load) -> None:
    """Fail the earlier loads of the table and date that no process ends any more: it was killed and could not say so."""
    name = f"crw.load.{load.table.identifier}"
    if connection.execute("select pg_try_advisory_xact_lock(hashtext(%s))", [name]).fetchone() == (False,):
        return
    unfinished = connection.execute(
        "select load_id from audit.load where source = %s and table_name = %s and business_date = %s and load_id < %s "
        "and state in ('started', 'landed', 'validated')",
        [load.table.source, load.table.name, load.business_date, load.load_id],
    ).fetchall()
    for (load_id,) in unfinished:
        fail(
            connection,
            replace(load, load_id=load_id),
            LoadError(f"left unfinished; load {load.load_id} takes its place"),
        )


def _interval(connection: Connection, table: Table, business_date: date) -> Interval:
    first_attempt = connection.execute(
        "select interval_start, interval_end from audit.load "
        "where source = %s and table_name = %s and business_date = %s order by load_id limit 1",
        [table.source, table.name, business_date],
    ).fetchone()
    if first_attempt:
        return Interval(*first_attempt)
    (watermark,) = connection.execute(
        "select max(interval_end) from audit.load "
        "where source = %s and table_name = %s and business_date < %s and state = 'published'",
        [table.source, table.name, business_date],
    ).fetchone()
    end = datetime.combine(business_date + timedelta(days=1), time(), CLOCK)
    return Interval(watermark - OVERLAP if watermark else BEGINNING, end)
