"""Where the systems are: Airflow connections, so that a user points each source at their own system without code.

Outside Airflow's own processes the same `AIRFLOW_CONN_<ID>` variables are read.
"""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import Connection

from crw import machines, session

WAREHOUSE = "warehouse"
MARTS = "marts"
AIRFLOW_METADATA = "airflow_metadata"
API_TIMEOUT = 30.0  # seconds, for one page


def warehouse() -> psycopg.Connection:
    """An autocommit connection to the warehouse, so that each step's transaction is the one it opens."""
    connection = database(WAREHOUSE)
    connection.autocommit = True
    return connection


def marts() -> psycopg.Connection:
    """An autocommit connection to the warehouse as a reader of schema `marts`, who sees what every reader sees and no more."""
    connection = database(MARTS)
    connection.autocommit = True
    return connection


def transformer() -> psycopg.Connection:
    """An autocommit connection to the warehouse as dbt logs in (CRW_PG variables)."""
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DATABASE"}
    connection = psycopg.connect(**{key: os.environ[f"CRW_PG{name}"] for key, name in names.items()}, autocommit=True)
    session.fix(connection)
    return connection


def airflow_metadata() -> str:
    """Address of Airflow's own database, as SQLAlchemy has it: a task is not told where that is otherwise."""
    return Connection.get(AIRFLOW_METADATA).get_uri().replace("postgres://", "postgresql+psycopg2://", 1)


def database(connection_id: str) -> psycopg.Connection:
    """A psycopg 3 connection to a PostgreSQL database, with our settings of a session."""
    connection = PostgresHook(postgres_conn_id=connection_id).get_conn()
    session.fix(connection)
    return connection


def folder(connection_id: str) -> Path:
    """The drop folder of a files source: `extra.path` of the connection.

    Raises FileNotFoundError when it does not exist, for a folder that is not mounted must not look like an empty one; ElsewhereError
    where another machine may have it.
    """
    path = Path(Connection.get(connection_id).extra_dejson["path"])
    if not path.is_dir():
        raise machines.not_here(f"connection {connection_id}: {path} is no folder")
    return path


def api(connection_id: str) -> httpx.Client:
    """A client with the base URL (schema, host, port) and the bearer token (password) of an HTTP connection."""
    connection = Connection.get(connection_id)
    return httpx.Client(
        base_url=_url(connection),
        headers={"Authorization": f"Bearer {connection.password}"},
        timeout=API_TIMEOUT,
    )


def address(connection_id: str) -> tuple[str, str]:
    """Where a system is, as OpenLineage names it: a namespace, and the database or the folder there. No user and no password is in it."""
    connection = Connection.get(connection_id)
    match connection.conn_type:
        case "fs":
            return "file", connection.extra_dejson["path"]
        case "http":
            return _url(connection), ""
    return f"postgres://{connection.host}:{connection.port or 5432}", connection.schema


def _url(connection: Connection) -> str:
    port = f":{connection.port}" if connection.port else ""
    return f"{connection.schema or 'https'}://{connection.host}{port}"
