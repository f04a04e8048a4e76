"""The stages of a load and their floors, on generated cases and respondents."""

from __future__ import annotations

import csv
import os
import random
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import psycopg
from dbt.cli.main import dbtRunner
from psycopg import Connection, sql

from crw import contracts, landing, ledger, publish, quality
from crw.local import environment
from crw.local.postgres import Server, binaries
from crw.settings import HONG_KONG
from crw.sources import Interval, database, files
from crw.warehouse import columns_of, landing_table

CASES = contracts.table("feedback", "cases")
RESPONDENTS = contracts.table("survey", "respondent")
NIGHT = date(2013, 3, 31)
INTERVAL = Interval(ledger.BEGINNING, datetime(2013, 4, 1, tzinfo=HONG_KONG))
SECRET = b"bench"
QUESTIONS = 10


def nothing() -> None:
    """No preparation."""


@dataclass(frozen=True)
class Stage:
    """Something to time: `run` against `floor`, each after its preparation, which is not timed."""

    name: str
    run: Callable[[], object]
    floor_name: str = ""
    floor: Callable[[], object] | None = None
    target: str = ""
    prepare: Callable[[], object] = nothing
    prepare_floor: Callable[[], object] = nothing
    overhead: Callable[[], object] | None = None
    """What `run` spends before it does anything: timed too, and taken off."""


def stages(warehouse: Connection, server: Server, folder: Path, rows: int) -> Iterator[Stage]:
    """The stages at one size, in the order of a load; each leaves behind what the next needs."""
    name = warehouse.info.dbname
    _make_source(warehouse, rows)
    yield _extract(warehouse, server.dsn(name))
    yield _validate(warehouse)
    yield _publish(warehouse)
    drop = folder / f"drop_{rows}"
    _make_deliveries(drop, rows)
    yield _files(warehouse, drop)
    yield _transform(warehouse, server, folder / f"dbt_{rows}")


def _make_source(warehouse: Connection, rows: int) -> None:
    """A case table with the contract's columns and the withheld ones."""
    withheld = sql.SQL(", ").join(sql.SQL("'x'::text as {}").format(sql.Identifier(n)) for n in sorted(CASES.withheld))
    warehouse.execute("create schema case_management")
    warehouse.execute(
        sql.SQL(
            """
            create table case_management.cases as
            select n as case_id, 'C' || n as case_no, 'CMP-DELAY' as category_code, 'delivery' as service_code,
                'phone' as channel_code, timestamptz '2010-04-01 09:00+08' + n * interval '30 s' as received_at,
                timestamptz '2010-04-11 09:00+08' + n * interval '30 s' as closed_at, 'closed' as status,
                'substantiated' as outcome, '01/04/2010' as incident_date_text, null::text as post_office_code,
                'CW' as district_code, null::text as company_id, 'en' as language, false as is_anonymous,
                timestamptz '2010-04-11 09:00+08' + n * interval '30 s' as updated_at, {}
            from generate_series(1, {}) as n
            """
        ).format(withheld, sql.Literal(rows))
    )
    warehouse.execute("update case_management.cases set complainant_email = case_no || '@example.com'")
    warehouse.execute("vacuum analyze case_management.cases")
    warehouse.execute(
        "insert into landing.feedback__category (category_code, kind, updated_at) values ('CMP-DELAY', 'complaint', now())"
    )


def _new_load(warehouse: Connection, table: contracts.Table) -> ledger.Load:
    return ledger.start_load(warehouse, table, NIGHT, "bench")


def _extract(warehouse: Connection, dsn: str) -> Stage:
    """Source to landing, pseudonyms computed in the source; the floor copies the same query between two psql."""

    def run() -> None:
        with psycopg.connect(dsn) as source:
            landing.land(warehouse, _new_load(warehouse, CASES), database.read(CASES, source, INTERVAL, SECRET))

    query = ", ".join("null::text" if c.pseudonym_of else f"{c.name}::{c.type}" for c in CASES.columns)
    psql = f"{shlex.quote(str(binaries() / 'psql'))} -qX {shlex.quote(dsn)} -c"
    pipe = (
        f"set -o pipefail; {psql} 'copy (select {query} from case_management.cases) to stdout (format binary)' | "
        f"{psql} 'copy bench_floor from stdin (format binary)'"
    )
    create = sql.SQL("drop table if exists bench_floor; create table bench_floor as select {} from {} limit 0")

    return Stage(
        "extract (database)",
        run,
        "psql | psql, binary COPY, no pseudonyms",
        lambda: subprocess.run(["bash", "-c", pipe], check=True),
        "<= 1.3",
        prepare_floor=lambda: warehouse.execute(create.format(columns_of(CASES), landing_table(CASES))),
    )


def _validate(warehouse: Connection) -> Stage:
    """The suite on the batch in landing; the floor asks as much in one aggregate query."""
    aggregate = """
        select count(*), count(*) filter (where case_no is null), count(distinct case_no),
            count(*) filter (where received_at is null), count(*) filter (where is_anonymous is null),
            count(*) filter (where updated_at is null), min(updated_at), max(updated_at),
            count(*) filter (where service_code not in ('counter', 'delivery', 'hotline', 'mail_processing', 'online',
                'philately', 'agency', 'other')),
            count(*) filter (where channel_code not in ('phone', 'form', 'referral', 'email', 'letter', 'in_person', 'web')),
            count(*) filter (where status not in ('received', 'acknowledged', 'assigned', 'interim_reply', 'replied',
                'closed', 'reopened', 'withdrawn', 'merged')),
            count(*) filter (where outcome not in ('substantiated', 'partly', 'unsubstantiated', 'withdrawn', 'pending')),
            count(*) filter (where language not in ('en', 'tc', 'sc')),
            count(*) filter (where closed_at < received_at), count(*) filter (where received_at > '2013-04-01 00:00+08'),
            count(*) filter (where length(person_key) <> 64),
            count(*) filter (where not exists (select from landing.feedback__category as c where c.category_code = l.category_code))
        from landing.feedback__cases as l
    """

    def run() -> None:
        (newest,) = warehouse.execute("select max(load_id) from audit.load where landed_at is not null").fetchone()
        quality.validate_landing(warehouse, CASES, newest, NIGHT)

    return Stage("validate", run, "one aggregate query", lambda: warehouse.execute(aggregate).fetchone(), "reported")


def _publish(warehouse: Connection) -> Stage:
    """Landing to an empty raw table; the floor is the bare insert into a table with the same index."""

    def prepare() -> None:
        warehouse.execute("truncate raw.feedback__cases")
        warehouse.execute(
            "update audit.load set state = 'validated' where load_id = (select max(load_id) from audit.load)"
        )

    def run() -> None:
        (newest,) = warehouse.execute("select max(load_id) from audit.load").fetchone()
        publish.publish_load(warehouse, ledger.find_load(warehouse, CASES, newest))

    names = sql.SQL(", ").join(map(sql.Identifier, CASES.column_names))
    create = (
        "drop table if exists bench_raw; create table bench_raw (like raw.feedback__cases); "
        "create index on bench_raw (case_no, _business_date desc, _load_id desc)"
    )
    insert = sql.SQL("insert into bench_raw ({0}, _load_id, _business_date) select {0}, 1, '2013-03-31' from {1}")
    return Stage(
        "publish (first load)",
        run,
        "bare INSERT ... SELECT",
        lambda: warehouse.execute(insert.format(names, landing_table(CASES))),
        "reported",
        prepare=prepare,
        prepare_floor=lambda: warehouse.execute(create),
    )


def _make_deliveries(drop: Path, rows: int) -> None:
    """One wide CSV with a code book."""
    drop.mkdir()
    values = random.Random(2013)
    with (drop / "wave.csv").open("w", newline="", encoding="utf-8") as output:
        writer = csv.writer(output)
        writer.writerow(["RESP", "WEIGHT", *(f"Q{n}" for n in range(QUESTIONS))])
        for number in range(rows):
            writer.writerow([number, f"{values.uniform(0.5, 1.5):.4f}", *values.choices("12345", k=QUESTIONS)])
    questions = "".join(
        f"  - {{code: q{n}, column: Q{n}, text: Question {n}, scale: rating, valid: [1, 2, 3, 4, 5], top: [4, 5]}}\n"
        for n in range(QUESTIONS)
    )
    (drop / "wave.csv.codebook.yml").write_text(CODE_BOOK + questions)


CODE_BOOK = """
wave: "2012-13"
format: csv
period: {basis: fiscal_year, start: 2012-04-01, end: 2013-03-31}
respondent: {id: RESP, weight: WEIGHT}
questions:
"""


def _files(warehouse: Connection, drop: Path) -> Stage:
    """A CSV through its code book into landing; the floor is the server's own COPY of the same bytes, typed."""
    columns = ", ".join(["resp text", "weight numeric", *(f"q{n} text" for n in range(QUESTIONS))])

    def run() -> None:
        batch = files.read(RESPONDENTS, drop, Interval(ledger.BEGINNING, datetime.now(HONG_KONG)), frozenset())
        landing.land(warehouse, _new_load(warehouse, RESPONDENTS), batch)

    def floor() -> None:
        warehouse.execute(
            sql.SQL("copy bench_file from {} (format csv, header)").format(sql.Literal(str(drop / "wave.csv")))
        )

    return Stage(
        "extract (CSV)",
        run,
        "server-side COPY FROM, same bytes",
        floor,
        "<= 2",
        prepare_floor=lambda: warehouse.execute(
            f"drop table if exists bench_file; create table bench_file ({columns})"
        ),
    )


def _transform(warehouse: Connection, server: Server, target: Path) -> Stage:
    """A first `dbt run` of everything from raw, less the seconds dbt needs to start; the floor is one SQL script.

    The script holds the same models' SQL, as a person would write it into one file.
    """
    os.environ.update(environment.dbt_variables(server, target, warehouse.info.dbname))
    os.environ["CRW_BUSINESS_DATE"] = NIGHT.isoformat()
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
