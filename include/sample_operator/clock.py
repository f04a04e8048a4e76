"""The clock of a sample database: rows are amended in place, so what a reader sees depends on the simulated time.

Schema `simulation`, which no extraction reads, holds every version that each row ever has, with the moment it becomes
visible. `advance` brings the visible tables to the state just before a moment. A source system cannot go back: neither
can its clock.

Inside the sample generators a moment is a naive datetime on the Hong Kong clock, which has no daylight saving.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import psycopg
from psycopg import Connection, sql

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
"""The clock of its systems."""

FIRST_DAY = date(2010, 4, 1)
LAST_DAY = date(2013, 4, 30)
OPENING = datetime(2013, 4, 1)
"""End of FY2012/13: the published figures come out of the state just before it."""
OPENING_HKT = OPENING.replace(tzinfo=HONG_KONG)
END = datetime.combine(LAST_DAY + timedelta(days=1), time())
QUIET_DAYS = (date(2013, 4, 6), date(2013, 4, 7))
"""Days on which nothing changes in any table, so that a night without rows happens too."""


@dataclass(frozen=True)
class SampleTable:
    """A visible table: `key` is its primary key, `watermark` its indexed column of amendments."""

    schema: str
    name: str
    columns: dict[str, str]
    key: str
    watermark: str

    @property
    def visible(self) -> sql.Identifier:
        """The table that a reader sees."""
        return sql.Identifier(self.schema, self.name)

    @property
    def versions(self) -> sql.Identifier:
        """The table of all versions, with `visible_at` as its last column."""
        return sql.Identifier("simulation", self.name)


def hong_kong(moment: datetime) -> datetime:
    """The naive moment as an aware one."""
    return moment.replace(tzinfo=HONG_KONG)


def recordable(moment: datetime) -> datetime:
    """The moment itself, or the Monday morning after it where it falls on a quiet day. Keeps the order of moments."""
    start = datetime.combine(QUIET_DAYS[0], time())
    end = datetime.combine(QUIET_DAYS[-1] + timedelta(days=1), time())
    if start <= moment < end:
        return (end + timedelta(hours=9) + (moment - start) / 8).replace(microsecond=0)
    return moment


def office_time(day: datetime, rng: Random) -> datetime:
    """Some moment between 9:00 and 18:00 of the day, or of the Monday after a weekend."""
    day += timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
    return day.replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(seconds=int(rng.random() * 32400))


def arrive(path: Path, moment: datetime) -> None:
    """Let a delivered file have arrived at the moment: a drop folder tells that by the modification time."""
    seconds = hong_kong(moment).timestamp()
    os.utime(path, (seconds, seconds))


def is_built(dsn: str) -> bool:
    """Whether the database holds a complete sample: a build is one transaction."""
    with psycopg.connect(dsn) as connection:
        return connection.execute("select to_regclass('simulation.clock') is not null").fetchone()[0]


def install(connection: Connection, tables: Sequence[SampleTable]) -> None:
    """Create the visible tables, their versions and the clock, which stands before everything, in an empty database."""
    connection.execute("set local timezone to 'Asia/Hong_Kong'")
    connection.execute("create schema simulation")
    connection.execute("create table simulation.clock (now timestamptz not null)")
    connection.execute("insert into simulation.clock values ('-infinity')")
    connection.execute(
        "create table simulation.registry (place int primary key, visible_schema text, name text, key text)"
    )
    for place, table in enumerate(tables):
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in table.columns.items()
        )
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(table.schema)))
        connection.execute(
            sql.SQL("create table {} ({}, primary key ({}))").format(table.visible, columns, sql.Identifier(table.key))
        )
        connection.execute(
            sql.SQL("create index on {} ({}, {})").format(
                table.visible, sql.Identifier(table.watermark), sql.Identifier(table.key)
            )
        )
        connection.execute(sql.SQL("create table {} ({}, visible_at timestamptz)").format(table.versions, columns))
        connection.execute(
            "insert into simulation.registry values (%s, %s, %s, %s)", [place, table.schema, table.name, table.key]
        )


def store(connection: Connection, table: SampleTable, versions: Iterable[tuple]) -> int:
    """Copy versions in: each a tuple of the table's columns and `visible_at`. Returns how many."""
    with connection.cursor() as cursor:
        with cursor.copy(sql.SQL("copy {} from stdin").format(table.versions)) as copy:
            for version in versions:
                copy.write_row(version)
        stored = cursor.rowcount
    connection.execute(sql.SQL("create index on {} (visible_at)").format(table.versions))
    connection.execute(sql.SQL("analyze {}").format(table.versions))
    return stored


def advance(dsn: str, to: datetime) -> datetime:
    """Bring the visible tables to their state just before `to`, and return the time the clock shows then.

    Args:
        dsn: the sample database.
        to: aware datetime. One that is not ahead of the clock changes nothing.

    Raises:
        ValueError: `to` is naive.
    """
    if to.tzinfo is None:
        raise ValueError(f"the clock needs an aware datetime, not {to}")
    with psycopg.connect(dsn) as connection:
        return advance_within(connection, to)


def advance_within(connection: Connection, to: datetime) -> datetime:
    """`advance`, within a transaction of the caller."""
    # '-infinity' has no Python datetime, so the comparison is left to PostgreSQL.
    moved = connection.execute(
        "update simulation.clock as new set now = %s from (select now from simulation.clock for update) as old "
        "where old.now < %s returning old.now::text",
        [to, to],
    ).fetchone()
    if moved is None:
        return connection.execute("select now from simulation.clock").fetchone()[0].astimezone(HONG_KONG)
    registry = connection.execute("select visible_schema, name, key from simulation.registry order by place")
    for schema, name, key in registry.fetchall():
        _apply(connection, schema, name, key, moved[0], to)
    return to.astimezone(HONG_KONG)


def _apply(connection: Connection, schema: str, name: str, key: str, since: str, to: datetime) -> None:
    names = connection.execute(
        "select attname from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 order by attnum",
        [f"{schema}.{name}"],
    )
    columns = [sql.Identifier(column) for (column,) in names]
    updates = sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(column) for column in columns)
    cursor = connection.execute(
        sql.SQL(
            "insert into {visible} ({columns}) select distinct on ({key}) {columns} from {versions} "
            "where visible_at >= {since}::timestamptz and visible_at < {to} order by {key}, visible_at desc "
            "on conflict ({key}) do update set {updates}"
        ).format(
            visible=sql.Identifier(schema, name),
            versions=sql.Identifier("simulation", name),
            columns=sql.SQL(", ").join(columns),
            key=sql.Identifier(key),
            since=sql.Literal(since),
            to=sql.Literal(to),
            updates=updates,
        )
    )
    if cursor.rowcount > 1000:
        connection.execute(sql.SQL("analyze {}").format(sql.Identifier(schema, name)))
