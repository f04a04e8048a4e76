"""The KPIs as they were known at the end of a past business date, in a schema of that date.

Raw keeps every version with the business date that brought it, and staging reads no later one, so the same dbt project built
for that date gives what readers saw then: by today's definitions, and with what a later re-run of that night mended.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psycopg
from psycopg import Connection, sql

from crw import settings
from crw.transform import BuildError


class AsOfError(ValueError):
    """There is nothing to show as of that date. The message says which dates there are."""


def schema_of(business_date: date) -> str:
    """Name of the schema of a past date: `as_of_20130331`."""
    return f"as_of_{business_date:%Y%m%d}"


def build(business_date: date) -> str:
    """Build core and marts as known at the end of `business_date`, and return the name of their schema.

    Logs in as dbt does (CRW_PG* variables). Building a date again brings its schema up to date; core, candidate and marts
    are not touched. crw_analyst may read the tables; the staging views beside them stay closed.

    Raises:
        AsOfError: the date lies outside those that marts were published for.
        BuildError: a model failed; the message names it.
    """
    schema = sql.Identifier(schema_of(business_date))
    with _as_dbt() as connection:
        _check(connection, business_date)
        # One at a time: two would share dbt's target folder. The lock goes with the connection.
        connection.execute("select pg_advisory_lock(hashtext('crw.as_of'))")
        connection.execute(sql.SQL("create schema if not exists {}").format(schema))
        comment = sql.Literal(
            f"core and marts as known at the end of {business_date}; built by crw.as_of, may be dropped."
        )
        connection.execute(sql.SQL("comment on schema {} is {}").format(schema, comment))
        _run_dbt(business_date)
        with connection.transaction():
            connection.execute(sql.SQL("grant usage on schema {} to crw_analyst").format(schema))
            for table in _tables(connection, business_date):
                connection.execute(
                    sql.SQL("grant select on {}.{} to crw_analyst").format(schema, sql.Identifier(table))
                )
    return schema_of(business_date)


def drop(business_date: date) -> None:
    """Drop the schema of a past date with all that is in it, if there is one."""
    with _as_dbt() as connection:
        name = sql.Identifier(schema_of(business_date))
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(name))


def _as_dbt() -> Connection:
    """An autocommit connection as the user that dbt logs in as, who owns what dbt makes."""
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DATABASE"}
    return psycopg.connect(autocommit=True, **{key: os.environ[f"CRW_PG{name}"] for key, name in names.items()})


def _check(connection: Connection, business_date: date) -> None:
    first, last = connection.execute("select min(business_date), max(business_date) from audit.publication").fetchone()
    if first is None:
        raise AsOfError("no marts were ever published")
    if not first <= business_date <= last:
        raise AsOfError(f"marts were published for {first} to {last}; nothing is known as of {business_date}")


def _tables(connection: Connection, business_date: date) -> list[str]:
    rows = connection.execute("select tablename from pg_tables where schemaname = %s", [schema_of(business_date)])
    return [name for (name,) in rows]


def _run_dbt(business_date: date) -> None:
    from dbt.cli.main import dbtRunner

    # A parse of its own: what dbt keeps from the night's parse names the night's schemas, and the other way round.
    target = Path(os.environ.get("DBT_TARGET_PATH") or settings.HOME / "dbt" / "target").with_name("as_of")
    arguments = ["--quiet", "build", "--resource-type", "model", "--resource-type", "seed", "--full-refresh"]
    with _environment(CRW_BUSINESS_DATE=business_date.isoformat(), CRW_AS_OF_SCHEMA=schema_of(business_date)):
        result = dbtRunner().invoke([*arguments, "--no-partial-parse", "--target-path", str(target)])
    if result.exception:
        raise BuildError(f"dbt: {result.exception}") from result.exception
    failed = [node for node in result.result if node.status in ("error", "fail", "skipped")]
    if failed:
        raise BuildError("; ".join(f"{node.node.unique_id}: {node.status}: {node.message}" for node in failed))


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
