"""The stages of a load and their floors, on generated cases and respondents."""

from __future__ import annotations

import csv
import random
import shlex
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import psycopg
from psycopg import Connection, sql

from crw import contracts, landing, ledger, publish, quality
from crw.local.postgres import Server, binaries
from crw.settings import HONG_KONG
from crw.sources import Batch, Interval, database, files, pseudonym
from crw.warehouse import columns_of, landing_table
from tests.bench.stage import Stage
from tests.bench.transform import transform

CASES = contracts.table("feedback", "cases")
RESPONDENTS = contracts.table("survey", "respondent")
NIGHT = date(2013, 3, 31)
INTERVAL = Interval(ledger.BEGINNING, datetime(2013, 4, 1, tzinfo=HONG_KONG))
SECRET = b"bench"
KEYS = ("crw.inner_key", "crw.outer_key")
QUESTIONS = 10


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
    yield transform(warehouse, server, folder / f"dbt_{rows}", NIGHT)


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
    """Source to landing; the floor pipes the same query, pseudonyms and all, between two psql into a table of the same shape.

    Ours is a whole load: besides the copying the ledger's row, TRUNCATE, ANALYZE and the count check.
    """

    def run() -> None:
        with psycopg.connect(dsn) as source:
            landing.land(warehouse, _new_load(warehouse, CASES), database.read(CASES, source, INTERVAL, SECRET))

    query = database.statement(CASES, INTERVAL).as_string(warehouse)
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
        parts={"the pipe without pseudonyms": pipe_without_pseudonyms, **_checks(warehouse, CASES)},
    )


def _checks(warehouse: Connection, table: contracts.Table) -> dict[str, Callable[[], object]]:
    """What a load does with a landed batch."""
    count = sql.SQL("select count(*) from {}").format(landing_table(table))
    return {
        "ANALYZE": lambda: landing.analyze(warehouse.cursor(), table),
        "count check": lambda: warehouse.execute(count).fetchone(),
    }


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
    """A CSV through its code book into landing; the floor is the server's own COPY of the same bytes into text columns.

    Ours is a whole load, the file's SHA-256 and the reading of its code book included.
    """
    columns = ", ".join(f"{name} text" for name in ["resp", "weight", *(f"q{n}" for n in range(QUESTIONS))])

    def read() -> Batch:
        return files.read(RESPONDENTS, drop, Interval(ledger.BEGINNING, datetime.now(HONG_KONG)), frozenset())

    def run() -> None:
        landing.land(warehouse, _new_load(warehouse, RESPONDENTS), read())

    def read_alone() -> None:
        for section in read().blocks:
            deque(section.blocks, maxlen=0)

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
            f"drop table if exists bench_file; create unlogged table bench_file ({columns})"
        ),
        parts={"the reader without landing": read_alone, **_checks(warehouse, RESPONDENTS)},
    )
