"""What the tests of the samples share: databases to build one in, and a way to compare two of them byte by byte."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta

import psycopg
import pytest

from crw.settings import HONG_KONG
from sample_operator import clock, crm

SMALL = 0.05


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
def crm_opening(create):
    """A connection to the whole sample CRM as it stands when FY2012/13 ends; not to be written to."""
    dsn = create()
    crm.build(dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


def days():
    return [clock.OPENING.date() + timedelta(days=n) for n in range(30)]


def midnight_after(day):
    return datetime(day.year, day.month, day.day, tzinfo=HONG_KONG) + timedelta(days=1)


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
