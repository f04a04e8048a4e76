"""What goes by age: how long each entity is kept says the seed `retention`, and a monthly purge takes away what is older.

A person is kept as long as any table needs the person; then the pseudonym becomes a random one in all rows at once. The rows stay,
so that no figure changes, as of whatever date it is asked.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg import Connection, sql

from crw import contracts, seeds
from crw.contracts import Table
from crw.data_docs import KEPT_NIGHTS
from crw.privacy import rooms
from crw.privacy.erasure import empty_refused
from crw.settings import CLOCK
from crw.sources import scratch
from crw.warehouse import raw_table

UNSUBSCRIBES = "engagement.email_event"
UNSUBSCRIBES_KEPT = 36
"""Months that an unsubscribe request must be kept (Unsolicited Electronic Messages Ordinance)."""

FOR_EVER = ("raw", "core", "candidate", "marts", "landing", "data_docs")
"""What has no age of its own: history and figures, without persons once these are gone; candidate and landing, made
anew each night; pages of Data Docs, which go as those of later nights come."""

OF_RUNS = ("dag_run", "task_instance", "xcom", "rendered_task_instance_fields", "log", "job")
"""Airflow's tables of which what goes is counted."""

LOGS = ("logs", "dbt/logs")


def months() -> dict[str, int]:
    """For how many months each entity is kept, by the seed `retention`; those kept for ever are not in it.

    Raises:
        SeedError: an entity is missing, is none, or is kept for no number of months; unsubscribe requests for less than three years.
    """
    persons = {f"{table.source}.{table.name}" for table in contracts.of_persons()}
    wanted = persons | {"quarantine", "validation", "logs", "airflow_metadata", "scratch", *FOR_EVER}
    kept = {row["entity"]: row["keep_months"] for row in seeds.rows("retention")}
    if problems := sorted(wanted ^ kept.keys()):
        raise seeds.SeedError(f"retention.csv: column entity: {', '.join(problems)} missing, or nothing that is kept")
    for entity, kept_for in kept.items():
        if (entity in FOR_EVER and kept_for) or (
            entity not in FOR_EVER and not (kept_for.isdecimal() and int(kept_for))
        ):
            what = "empty: it has no age of its own" if entity in FOR_EVER else "a number of months"
            raise seeds.SeedError(f"retention.csv: {entity}: column keep_months: {kept_for!r}: it must be {what}")
    if int(kept[UNSUBSCRIBES]) < UNSUBSCRIBES_KEPT:
        raise seeds.SeedError(
            f"retention.csv: {UNSUBSCRIBES}: unsubscribe requests are kept for {UNSUBSCRIBES_KEPT} months at least"
        )
    return {entity: int(kept_for) for entity, kept_for in kept.items() if kept_for}


def purge(warehouse: Connection, transformer: Connection, airflow: str, home: Path) -> dict[str, int]:
    """Take away what is older than its entity is kept, and write down in audit.purge what went.

    The age of rows is counted to the newest business date published, that of files and of Airflow's own rows to now.

    Args:
        warehouse: autocommit, as the loader.
        transformer: autocommit, as the role that owns core and candidate.
        airflow: address of Airflow's database, as SQLAlchemy has it.
        home: the state folder.

    Returns:
        How much went, by entity.

    Raises:
        NightAtWork: clear the run when the night has ended.
        SeedError: as `months`.
    """
    keep = months()
    (known_on,) = warehouse.execute("select max(business_date) from audit.publication").fetchone()
    gone = dict.fromkeys(keep, 0)
    if known_on:
        with rooms.at_rest(warehouse):
            gone |= _purge_persons(
                warehouse, transformer, {entity: _before(known_on, kept) for entity, kept in keep.items()}
            )
            gone["quarantine"] = empty_refused(warehouse, "business_date < %s", [_before(known_on, keep["quarantine"])])
            gone["validation"] = _empty_results(warehouse, _before(known_on, keep["validation"]))
    gone["logs"] = sum(_remove_files(home / folder, keep["logs"]) for folder in LOGS)
    gone["scratch"] = scratch.sweep()
    gone["airflow_metadata"] = _clean_airflow(
        airflow, datetime.now(CLOCK) - timedelta(days=30 * keep["airflow_metadata"])
    )
    with warehouse.cursor() as cursor:
        cursor.executemany(
            "insert into audit.purge (entity, keep_months, rows_purged) values (%s, %s, %s)",
            [(entity, keep[entity], rows) for entity, rows in gone.items()],
        )
    return gone


def _before(known_on: date, months: int) -> date:
    """The first day that is kept: whole months back from the first of the month."""
    count = known_on.year * 12 + known_on.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def _purge_persons(warehouse: Connection, transformer: Connection, before: dict[str, date]) -> dict[str, int]:
    """Give random pseudonyms to who is older in every table than it keeps persons. Returns how many were in each."""
    seen = sql.SQL(" union all ").join(
        _last_seen(table, column.name, before[f"{table.source}.{table.name}"])
        for table in contracts.of_persons()
        for column in table.columns
        if column.pseudonym_of
    )
    warehouse.execute(
        sql.SQL(
            "create temporary table expired on commit drop as select person, array_agg(distinct entity) as entities, "
            "encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex') as stranger "
            "from ({}) as seen where person not in (select pseudonym from audit.nobody) group by person having bool_and(is_old)"
        ).format(seen)
    )
    renewed = dict(warehouse.execute("select person, stranger from expired").fetchall())
    told = warehouse.execute("select entity, count(*) from expired, unnest(entities) as entity group by 1").fetchall()
    if renewed:
        warehouse.execute("insert into audit.nobody select stranger from expired on conflict do nothing")
        with transformer.transaction():
            rooms.renew(transformer, renewed)
            rooms.renew(warehouse, renewed, keep=[rooms.SUPPRESSION])
    return dict(told)


def _last_seen(table: Table, column: str, before: date) -> sql.Composed:
    """A row a person: whether the table's newest row of the person is older. Where keys vanish, only who has vanished grows old."""
    entity = f"{table.source}.{table.name}"
    age = sql.SQL("max(({} at time zone {})::date) < {}").format(
        sql.Identifier(table.watermark), sql.Literal(CLOCK.key), sql.Literal(before)
    )
    if table.source in STATES:
        age = sql.SQL(
            "bool_and(exists (select from {raw} as v where {same} and v._is_vanished and v._business_date < {before}))"
        ).format(
            raw=raw_table(table),
            same=sql.SQL(" and ").join(sql.SQL("v.{0} = r.{0}").format(sql.Identifier(name)) for name in table.key),
            before=sql.Literal(before),
        )
    return sql.SQL(
        "select r.{0} as person, {1} as entity, {2} as is_old from {3} as r where r.{0} is not null group by 1"
    ).format(sql.Identifier(column), sql.Literal(entity), age, raw_table(table))


STATES = ("membership",)
"""Sources of which a row stands for as long as the source has it, however long ago it was amended."""


def _empty_results(connection: Connection, before: date) -> int:
    """Take from the results of suites, and from what was said of a refusal, what they show of rows; which rule found how many stays."""
    old = (
        "business_date < %s and business_date not in "
        "(select distinct business_date from audit.validation order by 1 desc limit %s)"
    )
    connection.execute(
        f"update audit.load set message = null where message is not null and {old}", [before, KEPT_NIGHTS]
    )
    return connection.execute(
        "update audit.validation set result = result - 'gx', message = null "
        f"where (result ? 'gx' or message is not null) and {old}",
        [before, KEPT_NIGHTS],
    ).rowcount


def _remove_files(folder: Path, months: int) -> int:
    """Remove the files not written for so many months of 30 days; returns how many."""
    oldest = time.time() - months * 30 * 86400
    old = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_mtime < oldest]
    for path in old:
        path.unlink()
    return len(old)


def _clean_airflow(address: str, before: datetime) -> int:
    """What `airflow db clean` takes from all tables, nothing archived; returns how many rows went of those that grow with each run.

    By Airflow's own command, as a process of its own: a task's process is kept from the database, whatever address it is given.
    """
    counted = "select " + " + ".join(f"(select count(*) from {table})" for table in OF_RUNS)
    command = ["airflow", "db", "clean", "--clean-before-timestamp", before.isoformat(), "--skip-archive", "--yes"]
    environment = os.environ | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": address}
    with psycopg.connect(address.replace("+psycopg2", ""), autocommit=True) as metadata:
        (rows,) = metadata.execute(counted).fetchone()
        subprocess.run(
            [sys.executable, "-m", *command, "--error-on-cleanup-failure"],
            env=environment,
            check=True,
            stdout=sys.stderr,
        )
        return max(0, rows - metadata.execute(counted).fetchone()[0])  # who else writes meanwhile counts too
