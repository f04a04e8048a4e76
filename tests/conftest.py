"""Real parts shared by the tests: one embedded PostgreSQL a session, one empty warehouse a test."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from crw import readers, warehouse
from crw.local.postgres import Server
from crw.settings import PROJECT
from tests import case_database
from tests.cluster import Cluster
from tests.homes import Home

PASSWORD = "of-a-test"
NODES = os.environ.get("CRW_TEST_CLUSTER", "").split()
"""Connection strings of a distributed PostgreSQL, the coordinator's first, where the tests are to run on that."""

MEMORY = Path("/dev/shm")
ROOM = 2 * 2**30  # bytes; a server of the tests takes a tenth of it
REAL = Path(os.environ.get("CRW_REAL_DATA", PROJECT.parent / "shared" / "real"))


@pytest.fixture(scope="session")
def server_folder(tmp_path_factory):
    """In memory, where that has room: each test's database is 700 files, which cost a disk most of a test's time."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        with tempfile.TemporaryDirectory(prefix="crw-tests-", dir=MEMORY) as folder:
            yield Path(folder)
    else:
        yield tmp_path_factory.mktemp("postgres")


@pytest.fixture(scope="session")
def server(server_folder):
    if NODES:
        yield Cluster(NODES)
        return
    server = Server(server_folder)
    server.start()
    with psycopg.connect(server.dsn(), autocommit=True) as admin:  # nobody looks at it after a crash
        admin.execute("alter system set fsync = off")
        admin.execute("alter system set scram_iterations = 1")  # a test opens many connections, and has nothing to hide
        admin.execute("select pg_reload_conf()")
        admin.execute("set scram_iterations = 1")
        admin.execute(f"alter role postgres password '{server.password}'")
    yield server
    server.stop()


@pytest.fixture(scope="session", autouse=True)
def scratch_room(tmp_path_factory):
    """Where readers that run in the tests' own process keep their copies."""
    room = tmp_path_factory.mktemp("scratch")
    os.environ["CRW_SCRATCH"] = str(room)
    return room


@contextmanager
def new_database(server, template=None, name=None):
    """DSN of a new database, a copy of another or empty, which is dropped at the end."""
    name = name or f"test_{uuid.uuid4().hex[:12]}"
    if isinstance(server, Cluster):
        server.create(name)
        if template:  # a database of several nodes cannot be copied
            with psycopg.connect(server.dsn(name), autocommit=True) as connection:
                warehouse.install(connection)
        yield server.dsn(name)
        server.drop(name)
        return
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"create database {name}{f' template {template}' if template else ''}")
        if template:  # who may enter it is the one thing that a copy does not get
            admin.execute(
                "update pg_database set datacl = (select datacl from pg_database where datname = %s) where datname = %s",
                [template, name],
            )
        yield server.dsn(name)
        admin.execute(f"drop database {name} with (force)")


@pytest.fixture
def empty_database(server):
    """DSN of a new, empty database."""
    with new_database(server) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def installed(server):
    """Name of an empty warehouse to copy: copying takes a tenth of the time of making one."""
    with new_database(server) as dsn:
        with psycopg.connect(dsn, autocommit=True) as connection:
            warehouse.install(connection)
            name = connection.info.dbname
        yield name


@pytest.fixture
def warehouse_dsn(server, installed):
    """DSN of the empty warehouse that `database` is connected to."""
    with new_database(server, installed) as dsn:
        yield dsn


@pytest.fixture
def database(warehouse_dsn):
    """An autocommit connection to an empty warehouse."""
    with psycopg.connect(warehouse_dsn, autocommit=True) as connection:
        readers.hold_limits(connection)  # of the server's, which the test before may have lifted
        yield connection


@pytest.fixture
def cases(server, warehouse_dsn, monkeypatch, tmp_path):
    """A connection to an empty case database, which the nights of `database` read."""
    with new_database(server) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
        monkeypatch.setenv("AIRFLOW_CONN_CASE_MANAGEMENT", dsn)
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_dsn)
        monkeypatch.setenv("CRW_PSEUDONYM_KEY", "of-a-test")
        case_database.create(connection)
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


FIRST = ("tests/e2e/", "tests/real/", "tests/dbt/", "tests/local/test_check.py", "tests/test_suites.py")
"""What takes longest: begun last, it would leave the other workers idle at the end."""


def pytest_collection_modifyitems(items):
    """Begin with `FIRST`, in its order; the order within a file stays."""
    items.sort(key=lambda item: next((n for n, path in enumerate(FIRST) if item.nodeid.startswith(path)), len(FIRST)))
