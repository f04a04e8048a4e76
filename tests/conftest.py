"""Real parts shared by the tests: one embedded PostgreSQL a session, one empty warehouse a test."""

from __future__ import annotations

import os
import uuid
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from crw import warehouse
from crw.local.postgres import Server
from crw.settings import PROJECT
from tests.homes import Home

PASSWORD = "of-a-test"
REAL = Path(os.environ.get("CRW_REAL_DATA", PROJECT.parent / "shared" / "real"))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session", autouse=True)
def scratch_room(tmp_path_factory):
    """Where readers that run in the tests' own process keep their copies."""
    room = tmp_path_factory.mktemp("scratch")
    os.environ["CRW_SCRATCH"] = str(room)
    return room


@pytest.fixture
def empty_database(server):
    """DSN of a new, empty database."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"create database {name}")
    yield server.dsn(name)
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"drop database {name} with (force)")


@pytest.fixture
def database(empty_database):
    """An autocommit connection to an empty warehouse."""
    with psycopg.connect(empty_database, autocommit=True) as connection:
        warehouse.install(connection)
        yield connection


@pytest.fixture(scope="module")
def login():
    """A function that opens an autocommit connection to the warehouse of another one, as one of its roles."""
    with ExitStack() as opened:

        def login(admin: psycopg.Connection, role: str) -> psycopg.Connection:
            warehouse.set_passwords(admin, {role: PASSWORD})
            address = make_conninfo(admin.info.dsn, user=role, password=PASSWORD)
            connection = psycopg.connect(address, autocommit=True)
            opened.callback(connection.close)
            return connection

        yield login


@pytest.fixture(scope="session")
def real_data():
    """Folder of real third-party data; the tests that need it skip where it is absent."""
    if not REAL.exists():
        pytest.skip(f"no real data at {REAL} (set CRW_REAL_DATA)")
    return REAL


@pytest.fixture(scope="module")
def make_home(tmp_path_factory):
    """A function that makes a new home; whatever was started in it is stopped at the end."""
    homes: list[Home] = []

    def make(name: str) -> Home:
        homes.append(Home(tmp_path_factory.mktemp(name)))
        return homes[-1]

    yield make
    for home in homes:
        home.crw("down")
