"""What the tests of the samples share: sample databases, a way to compare two of them byte by byte, and what a night refuses."""

from __future__ import annotations

import hashlib
import uuid
from contextlib import ExitStack
from datetime import date, datetime, timedelta

import psycopg
import pytest

from crw import landing, ledger, quality
from crw.settings import CLOCK
from sample_operator import clock, crm

SMALL = 0.05
OPENING = date(2013, 3, 31)
"""The night that reads everything up to the end of FY2012/13."""


@pytest.fixture(scope="session")
def create(server):
    """A function that creates an empty database and returns its DSN."""
    names = []

    def create() -> str:
        names.append(f"sample_{uuid.uuid4().hex[:8]}")
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute(f"create database {names[-1]}")
        return server.dsn(names[-1])

    yield create
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        for name in names:
            admin.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def build(create):
    """A function that builds `feedback` or `crm` with the arguments given and returns an autocommit connection to it."""
    with ExitStack() as opened:

        def build(sample, **arguments) -> psycopg.Connection:
            dsn = create()
            sample.build(dsn, **arguments)
            return opened.enter_context(psycopg.connect(dsn, autocommit=True))

        yield build


@pytest.fixture(scope="session")
def crm_opening(build):
    """The whole sample CRM as it stands when FY2012/13 ends; not to be written to."""
    return build(crm)


def days():
    return [clock.OPENING.date() + timedelta(days=n) for n in range(30)]


def midnight_after(day):
    return datetime(day.year, day.month, day.day, tzinfo=CLOCK) + timedelta(days=1)


def validate_night(warehouse, tables, read, business_date=OPENING):
    """Land what `read` gives for the load of each table, then validate them all. Returns the loads."""
    loads = [ledger.start_load(warehouse, table, business_date, "test") for table in tables]
    for load in loads:
        landing.land(warehouse, load, read(load))
    for load in loads:
        quality.validate_landing(warehouse, load.table, load.load_id, business_date)
        ledger.record(warehouse, load, "validated")
    return loads


def refused(warehouse):
    """(table, rule) to the number of rows in quarantine for it."""
    rows = warehouse.execute(
        "select table_name, reason ->> 'rule', count(*) "
        "from quarantine.record, jsonb_array_elements(reasons) as reason group by 1, 2"
    )
    return {(table, rule): count for table, rule, count in rows}


def fingerprint(dsn, schemas):
    """Every byte of the tables of some schemas, and their names."""
    found = hashlib.sha256()
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "select format('%%I.%%I', table_schema, table_name) from information_schema.tables "
            "where table_schema = any(%s) order by 1",
            [list(schemas)],
        ).fetchall()
        for (table,) in tables:
            found.update(table.encode())
            with connection.cursor().copy(f"copy (select * from {table} as t order by t::text) to stdout") as copy:
                for block in copy:
                    found.update(block)
    return found.hexdigest()
