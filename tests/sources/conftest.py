"""A case database of whatever encoding and settings, reached as a night reaches it."""

import json
import uuid
from contextlib import ExitStack

import psycopg
import pytest
from tests import case_database


@pytest.fixture
def make_case_database(server, monkeypatch):
    """A function that makes a case database, points the connection at it and returns a connection that speaks UTF-8."""
    with ExitStack() as opened:

        def make(encoding="UTF8", types=None, before=(), **settings):
            name = f"cases_{uuid.uuid4().hex[:12]}"
            with psycopg.connect(server.dsn(), autocommit=True) as admin:
                admin.execute(f"create database {name} encoding '{encoding}' template template0 locale 'C'")
                for setting, value in settings.items():
                    admin.execute(f"alter database {name} set {setting} = '{value}'")
                opened.callback(_drop, server, name)
            connection = opened.enter_context(
                psycopg.connect(server.dsn(name), autocommit=True, client_encoding="UTF8")
            )
            for statement in before:
                connection.execute(statement)
            case_database.create(connection, types)
            address = {"host": "127.0.0.1", "port": server.port, "login": "postgres", "schema": name}
            address |= {"conn_type": "postgres", "password": server.password}
            monkeypatch.setenv("AIRFLOW_CONN_CASE_MANAGEMENT", json.dumps(address))
            monkeypatch.setenv("CRW_PSEUDONYM_KEY", "secret")
            return connection

        yield make


def _drop(server, name):
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"drop database {name} with (force)")
