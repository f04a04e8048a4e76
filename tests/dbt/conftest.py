"""dbt on a real database: a warehouse to fill by hand, and a way to build it."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import cache
from pathlib import Path

import psycopg
import pytest
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from psycopg import sql
from psycopg.types.json import Jsonb

from crw import contracts, warehouse
from crw.local import environment
from tests.conftest import new_database
from tests.dbt import world

PASSWORD = "of-a-test"


@cache
def _parsed(seeds: str | None) -> Manifest:
    """The project as dbt parses it with the seeds of this folder."""
    outcome = dbtRunner().invoke(["--quiet", "parse"])
    assert outcome.success, outcome.exception
    return outcome.result


def built_manifest() -> dict:
    """dbt's manifest as the last build of a `Warehouse` left it."""
    return json.loads((Path(os.environ["DBT_TARGET_PATH"]) / "manifest.json").read_text(encoding="utf-8"))


class Warehouse:
    """An empty warehouse, its raw tables filled by hand, and dbt on it."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def put(self, source: str, name: str, business_date: str, load_id: int, *rows: dict) -> None:
        """Write rows into raw as one load of one date; columns not given are null."""
        table, day = contracts.table(source, name), date.fromisoformat(business_date)
        warehouse.ensure_partition(self.connection, table, day)
        warehouse.note_load(self.connection, table, day, load_id)
        for row in rows:
            assert row.keys() <= set(table.column_names)
            values = {**row, "_load_id": load_id, "_business_date": day}
            statement = sql.SQL("insert into {} ({}) values ({})").format(
                warehouse.raw_table(table),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join([sql.Placeholder()] * len(values)),
            )
            self.connection.execute(statement, [Jsonb(v) if isinstance(v, dict | list) else v for v in values.values()])

    def end_date(self, source: str, name: str, business_date: str, load_id: int, key: str) -> None:
        """Write into raw that a record, by the first column of its key, vanished from its source."""
        table, day = contracts.table(source, name), date.fromisoformat(business_date)
        warehouse.ensure_partition(self.connection, table, day)
        warehouse.note_load(self.connection, table, day, load_id)
        statement = sql.SQL(
            "insert into {0} ({1}, _load_id, _business_date, _is_vanished) select {1}, %s, %s, true from {0} "
            "where {2}::text = %s order by _business_date desc, _load_id desc limit 1"
        ).format(warehouse.raw_table(table), warehouse.columns_of(table), sql.Identifier(table.key[0]))
        assert self.connection.execute(statement, [load_id, day, key]).rowcount == 1

    def take_back(self, relation: str, key: str, which: str) -> None:
        """Delete rows of a table of raw, as publishing does: the first column of their key is noted. Args: which: condition."""
        self.connection.execute(
            f"with deleted as (delete from raw.{relation} where {which} returning _business_date, {key}::text as key) "
            f"insert into audit.raw_change (relation, business_date, key) select distinct '{relation}', * from deleted"
        )

    def build(self, business_date: str, *options: str) -> None:
        """Run `dbt build` of a night, without unit tests unless options are given; a failure shows its messages."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CRW_BUSINESS_DATE", business_date)
            arguments = options or ("--exclude-resource-type", "unit_test")
            # Parsing is a fifth of a build's time, and nothing that a test changes is read then but where the seeds are.
            parsed = _parsed(os.environ.get("CRW_SEED_PATH"))
            outcome = dbtRunner(manifest=parsed).invoke(["--quiet", "build", *arguments])
        if outcome.exception:
            raise outcome.exception
        failed = [
            f"{r.node.unique_id}: {r.message}" for r in outcome.result if r.status in ("error", "fail", "skipped")
        ]
        assert not failed, "\n".join(failed)

    def rows(self, query: str) -> list[tuple]:
        """What a query returns."""
        return self.connection.execute(query).fetchall()

    def contents(self, *schemas: str) -> dict[str, list[tuple]]:
        """Every row of every table of the schemas, sorted, without load ids and what is only told of the night itself."""
        tables = self.rows(
            "select table_schema, table_name, string_agg(quote_ident(column_name), ', ' order by ordinal_position) "
            "from information_schema.columns where column_name <> '_load_id' "
            "and table_name <> 'build' and table_name not like 'changed\\_%' "
            f"and table_schema in ({', '.join(repr(schema) for schema in schemas)}) group by 1, 2"
        )
        return {
            f"{schema}.{table}": self.rows(
                f"select t::text from (select {columns} from {schema}.{table}) as t order by 1"
            )
            for schema, table, columns in tables
        }


@pytest.fixture(scope="session")
def march_30(server, installed, tmp_path_factory):
    """Name of a warehouse to copy: the small world's first nights, built with all data tests."""
    with _built(server, installed, tmp_path_factory, "march_30", world.first_nights, "2013-03-30") as name:
        yield name


@pytest.fixture(scope="session")
def march_31(server, march_30, tmp_path_factory):
    """Name of a warehouse to copy: the night after `march_30`, built from there with all data tests."""
    with _built(server, march_30, tmp_path_factory, "march_31", world.last_night, "2013-03-31") as name:
        yield name


@contextmanager
def _built(server, template, tmp_path_factory, name, brings, business_date):
    with ExitStack() as kept:
        with copy_of(server, template, tmp_path_factory) as warehouse:
            brings(warehouse)
            warehouse.build(business_date)
            warehouse.connection.close()  # a database that is copied has no session
            kept.enter_context(new_database(server, "dbt", name))
        yield name


@pytest.fixture(scope="module")
def module_warehouse(server, installed, tmp_path_factory):
    """An empty warehouse."""
    with copy_of(server, installed, tmp_path_factory) as warehouse:
        yield warehouse


@pytest.fixture
def empty_warehouse(server, installed, tmp_path_factory):
    with copy_of(server, installed, tmp_path_factory) as warehouse:
        yield warehouse


@pytest.fixture(scope="module")
def small_world(server, march_31, tmp_path_factory):
    """The small world after its last night, built: to look at, and to go on from."""
    with copy_of(server, march_31, tmp_path_factory) as warehouse:
        yield warehouse


@pytest.fixture
def first_nights(server, march_30, tmp_path_factory):
    """The small world before its last night, built: to look at, and to go on from."""
    with copy_of(server, march_30, tmp_path_factory) as warehouse:
        yield warehouse


@contextmanager
def copy_of(server, template, tmp_path_factory):
    """A copy of a database as a `Warehouse`, which is dropped at the end."""
    home = tmp_path_factory.getbasetemp()
    # One name and one folder for all of them: what dbt parsed holds for the next too.
    with new_database(server, template, "dbt") as dsn, pytest.MonkeyPatch.context() as patch:
        login = {"CRW_PGUSER": "crw_transformer", "CRW_PGPASSWORD": PASSWORD}
        for variable, value in (environment.dbt_variables(server, home, "dbt") | login).items():
            patch.setenv(variable, value)
        with psycopg.connect(dsn, autocommit=True) as connection:
            warehouse.set_passwords(connection, {"crw_transformer": PASSWORD})
            yield Warehouse(connection)
