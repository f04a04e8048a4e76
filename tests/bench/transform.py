"""The stage of dbt."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from dbt.cli.main import dbtRunner
from psycopg import Connection, sql

from crw.local import environment
from crw.local.postgres import Server
from tests.bench.stage import Stage


def transform(warehouse: Connection, server: Server, target: Path, night: date) -> Stage:
    """A first `dbt run` of everything from raw, less the seconds dbt needs to start; the floor is one SQL script.

    The script holds the same models' SQL, as a person would write it into one file.
    """
    os.environ.update(environment.dbt_variables(server, target, warehouse.info.dbname))
    os.environ["CRW_BUSINESS_DATE"] = night.isoformat()
    _dbt("seed")
    models: list[tuple[str, str, str]] = []

    def prepare() -> None:
        warehouse.execute("drop schema if exists bench_models cascade")
        for schema in ("core", "candidate"):
            for (name,) in warehouse.execute(
                "select tablename from pg_tables where schemaname = %s", [schema]
            ).fetchall():
                if (schema, name) in {(schema, model) for schema, model, _ in models}:
                    warehouse.execute(sql.SQL("drop table {} cascade").format(sql.Identifier(schema, name)))

    def run() -> None:
        result = _dbt("run")
        models[:] = [
            (node.node.schema, node.node.name, node.node.compiled_code)
            for node in result
            if node.node.config.materialized in ("table", "incremental")
        ]

    def floor() -> None:
        warehouse.execute("create schema bench_models")
        for schema, name, query in models:
            warehouse.execute(f"create table bench_models.{schema}__{name} as {query}".encode())
            warehouse.execute(f"analyze bench_models.{schema}__{name}".encode())

    return Stage(
        "dbt run (first build)",
        run,
        "the same SQL as one script",
        floor,
        "<= 1.5",
        prepare=prepare,
        overhead=lambda: _dbt("run", "--select", "stg_night"),
    )


def _dbt(*command: str) -> list:
    result = dbtRunner().invoke(["--quiet", *command])
    if not result.success:
        raise RuntimeError(f"dbt {command[0]}: {result.exception or [node.message for node in result.result]}")
    return list(result.result)
