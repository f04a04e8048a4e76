"""The databases of a server of ours: each is its owner's, and nobody else logs into it."""

from __future__ import annotations

import psycopg
import pytest

from crw import warehouse
from crw.local import databases, environment
from tests.conftest import PASSWORD

OLDER_RELEASE = """
    create type state as enum ('queued', 'failed');
    create table dag_run (id serial primary key, number integer generated always as identity, state state);
    create schema simulation;
    create view simulation.failed as select * from dag_run where state = 'failed';
"""


@pytest.fixture
def prepared(server):
    """The server with all databases, the one of Airflow made by an older release as the superuser."""
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("create database airflow")
        with psycopg.connect(server.dsn("airflow")) as metadata:
            metadata.execute(OLDER_RELEASE)
        for _ in range(2):
            databases.prepare(admin, dict.fromkeys(databases.ROLES, PASSWORD))
        with psycopg.connect(server.dsn("warehouse"), autocommit=True) as connection:
            warehouse.install(connection)
            warehouse.set_passwords(connection, dict.fromkeys(environment.ROLES, PASSWORD))
        yield server
        for name in databases.DATABASES:
            admin.execute(f"drop database {name} with (force)")


def may_enter(server, role):
    names = (*databases.DATABASES, "postgres", "template1")
    found = set()
    for name in names:
        try:
            psycopg.connect(server.dsn(name, role, PASSWORD)).close()
        except psycopg.OperationalError:
            continue
        found.add(name)
    return found


def test_each_role_enters_its_own_databases_and_works_in_them(prepared):
    assert {role: may_enter(prepared, role) for role in (*environment.ROLES, *databases.ROLES)} == {
        **{role: {"warehouse"} for role in environment.ROLES},
        "crw_airflow": {"airflow"},
        "sample_operator": {"case_management", "crm"},
        "case_reader": {"case_management"},
    }
    with psycopg.connect(prepared.dsn("airflow", "crw_airflow", PASSWORD)) as airflow:
        airflow.execute("alter type state add value 'success'")
        airflow.execute("alter table dag_run add column note text")
        airflow.execute("insert into dag_run (state) values ('failed')")
        airflow.execute(
            "create table log (id serial); create or replace view simulation.failed as select * from dag_run"
        )
    with psycopg.connect(prepared.dsn("case_management", "sample_operator", PASSWORD)) as operator:
        operator.execute("create schema case_management; create table case_management.cases ()")
    with psycopg.connect(prepared.dsn("case_management", "case_reader", PASSWORD)) as reader:
        assert reader.execute("select * from case_management.cases").fetchall() == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("drop table case_management.cases")
