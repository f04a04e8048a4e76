"""The stages of a night and their floors."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import Connection, sql

from crw import contracts, landing, ledger, publish, quality
from crw.local.postgres import Server, binaries
from crw.settings import CLOCK
from crw.sources import Interval, column_types, database, pseudonym
from crw.warehouse import columns_of, landing_table
from tests.bench import deliveries
from tests.bench.stage import Stage, checks
from tests.bench.transform import transform

CASES = contracts.table("feedback", "cases")
INTERVAL = Interval(ledger.BEGINNING, datetime(2013, 4, 1, tzinfo=CLOCK))
SECRET = b"bench"
KEYS = ("crw.inner_key", "crw.outer_key")


def stages(warehouse: Connection, server: Server, folder: Path, rows: int) -> Iterator[Stage]:
    """The stages at one size, in the order of a load; each leaves behind what the next needs."""
    name = warehouse.info.dbname
    make_source(warehouse, rows)
    yield _extract(warehouse, server.dsn(name))
    yield _validate(warehouse)
    yield _publish(warehouse)
    for shape in (deliveries.WIDE, deliveries.NARROW):
        yield deliveries.extract(warehouse, folder, shape, rows)
    yield transform(warehouse, server, folder / f"dbt_{rows}", deliveries.NIGHT)


def make_source(warehouse: Connection, rows: int) -> None:
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


def empty_raw(warehouse: Connection) -> None:
    """Leave the raw table without partitions, as it is before its first load."""
    partitions = warehouse.execute(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'raw.feedback__cases'::regclass"
    )
    for (name,) in partitions.fetchall():
        warehouse.execute(sql.SQL("drop table {}").format(sql.SQL(name)))


def _new_load(warehouse: Connection, table: contracts.Table) -> ledger.Load:
    return ledger.start_load(warehouse, table, deliveries.NIGHT, "bench")


def _extract(warehouse: Connection, dsn: str) -> Stage:
    """Source to landing; the floor pipes the same query, pseudonyms and all, between two psql into a table of the same shape.

    Ours is a whole load: besides the copying the ledger's row, TRUNCATE, ANALYZE and the count check.
    """

    def run() -> None:
        with psycopg.connect(dsn) as source:
            landing.land(warehouse, _new_load(warehouse, CASES), database.read(CASES, source, INTERVAL, SECRET))

    types = column_types.found(CASES, warehouse)
    query = database.statement(CASES, types, database.within(CASES, INTERVAL, types)).as_string(warehouse)
    without_pseudonyms = query
    for column in CASES.columns:
        if column.pseudonym_of:
            hashed = pseudonym.expression(column.pseudonym_of).as_string(warehouse)
            without_pseudonyms = without_pseudonyms.replace(hashed, "null::text")
    with warehouse.transaction():
        pseudonym.prepare(warehouse, SECRET)
        keys = [f"-c {name}={warehouse.execute('select current_setting(%s)', [name]).fetchone()[0]}" for name in KEYS]
    psql = f"PGOPTIONS={shlex.quote(' '.join(keys))} {shlex.quote(str(binaries() / 'psql'))} -qX {shlex.quote(dsn)} -c"
    copy_in = f"copy bench_floor ({columns_of(CASES).as_string(warehouse)}) from stdin (format binary)"

    def pipe(copy_out: str) -> None:
        command = f"set -o pipefail; {psql} {shlex.quote(copy_out)} | {psql} {shlex.quote(copy_in)}"
        subprocess.run(["bash", "-c", command], check=True)

    def pipe_without_pseudonyms() -> None:
        warehouse.execute("truncate bench_floor")
        pipe(without_pseudonyms)

    like = (
        "drop table if exists bench_floor; "
        "create unlogged table bench_floor (like landing.feedback__cases including identity)"
    )
    return Stage(
        "extract (database)",
        run,
        "psql | psql, binary COPY, same query",
        lambda: pipe(query),
        "<= 1.3",
        prepare_floor=lambda: warehouse.execute(like),
        parts={"the pipe without pseudonyms": pipe_without_pseudonyms, **checks(warehouse, CASES)},
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
        quality.validate_landing(warehouse, CASES, newest, deliveries.NIGHT)

    return Stage("validate", run, "one aggregate query", lambda: warehouse.execute(aggregate).fetchone(), "reported")


def _publish(warehouse: Connection) -> Stage:
    """Landing to a raw table without rows; the floor is the bare insert into a table with the same index."""

    def prepare() -> None:
        empty_raw(warehouse)
        warehouse.execute(
            "update audit.load set state = 'validated' where load_id = (select max(load_id) from audit.load)"
        )

    def run() -> None:
        (newest,) = warehouse.execute("select max(load_id) from audit.load").fetchone()
        publish.publish_load(warehouse, ledger.find_load(warehouse, CASES, newest))

    names = sql.SQL(", ").join(map(sql.Identifier, CASES.column_names))
    create = (
        "drop table if exists bench_raw; create table bench_raw (like raw.feedback__cases including defaults); "
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
