"""The environment of every local process: connections, folders, ports and secrets, made once and kept in CRW_HOME."""

from __future__ import annotations

import json
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from pathlib import Path

from crw import contracts, settings
from crw.local import databases
from crw.local.postgres import Server, free_port

ROLES = ("crw_loader", "crw_transformer", "crw_analyst", "crw_account_manager", "crw_dashboard")
"""The roles of warehouse.sql; `state()` holds a password of each, and of those of `databases`."""

OTHERS = 0o077
"""What of a file's mode is not its owner's: nothing, of all that is in the state folder."""

SAMPLE_END = "2013-04-30"
"""The sample sources' last business date: their world ends there, so Airflow schedules no night after it."""

_MADE = {
    "pseudonym_key": lambda: secrets.token_hex(32),
    "jwt_secret": lambda: secrets.token_hex(32),
    "fernet_key": lambda: urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "crm_token": lambda: secrets.token_hex(16),
    **{f"{role.removeprefix('crw_')}_password": lambda: secrets.token_hex(16) for role in (*ROLES, *databases.ROLES)},
    "crm_port": lambda: str(free_port()),
    "execution_port": lambda: str(free_port()),
    "airflow_port": lambda: str(free_port()),
    "site_port": lambda: str(free_port()),
    "superset_port": lambda: str(free_port()),
    "superset_password": lambda: secrets.token_hex(16),
    "superset_secret_key": lambda: secrets.token_hex(32),
}


def server() -> Server:
    """The embedded PostgreSQL of this checkout; it holds the databases of `databases.DATABASES`."""
    return Server(settings.HOME / "postgres")


def no_warehouse() -> str:
    """What a command says that finds none in its home."""
    return (
        f"there is no warehouse in {settings.HOME}: run `make nightly` first, or set CRW_HOME to the home that has one"
    )


def state() -> dict[str, str]:
    """Secrets and ports of this checkout, made when they are first asked for and kept in `<home>/state.json`."""
    path = settings.HOME / "state.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    missing = {name: make for name, make in _MADE.items() if name not in known}
    if missing:
        known |= {name: make() for name, make in missing.items()}
        _write(known)
    return known


def _write(known: dict[str, str]) -> None:
    settings.HOME.mkdir(parents=True, exist_ok=True)
    # Renamed into place, so that no other process reads half of it.
    path = settings.HOME / "state.json"
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(known, indent=2))
    draft.rename(path)


def keep_pseudonym_key(key: str, *, draft: bool) -> None:
    """Keep a key in `state.json`: as the one to come, or as the one in use, and then the one before it is destroyed."""
    known = state() | {"pseudonym_key_to_come" if draft else "pseudonym_key": key}
    if not draft:
        known.pop("pseudonym_key_to_come", None)
    _write(known)


def keep_private() -> None:
    """Take from others what an older release, or somebody since, let them have of the state folder. PostgreSQL's is its own.

    What is written from now on needs no mending: `crw` starts with a umask.
    """
    home = settings.HOME
    if home.exists() and home.stat().st_mode & OTHERS:
        for folder, folders, files in os.walk(home, topdown=False):
            for path in (Path(folder, name) for name in (*folders, *files)):
                if not path.is_symlink() and not path.is_relative_to(server().data):
                    path.chmod(path.stat().st_mode & ~OTHERS)
        home.chmod(home.stat().st_mode & ~OTHERS)  # last: until then a half is taken up again


def passwords(roles: Iterable[str]) -> dict[str, str]:
    """The passwords that this checkout gave the roles."""
    known = state()
    return {role: known[f"{role.removeprefix('crw_')}_password"] for role in roles}


def role_dsn(role: str, database: str = "warehouse") -> str:
    """A libpq URL of a database as one of its roles, with the password that this checkout gave it."""
    return server().dsn(database, role, passwords([role])[role])


def drop_folders() -> dict[str, str]:
    """The sources of the nights that are drop folders, each with the variable of its Airflow connection."""
    return {
        source: connection_variable(tables[0])
        for source, tables in contracts.taking_part().items()
        if tables[0].reader in ("files", "folder")
    }


def connection_variable(table: contracts.Table) -> str:
    """The environment variable that holds the Airflow connection of the table's source."""
    return f"AIRFLOW_CONN_{table.connection.upper()}"


def connections_needed() -> set[str]:
    """The variables of the Airflow connections to the sources that take part in the nights."""
    return {connection_variable(table) for tables in contracts.taking_part().values() for table in tables}


def sample_connections() -> dict[str, str]:
    """Airflow connections of the sample source systems that take part in the nights, as environment variables."""
    known = state()
    folders = {
        variable: json.dumps({"conn_type": "fs", "extra": {"path": str(settings.HOME / "sources" / source)}})
        for source, variable in drop_folders().items()
    }
    crm = {"conn_type": "http", "schema": "http", "host": "127.0.0.1", "port": int(known["crm_port"])}
    databases = {
        "AIRFLOW_CONN_CASE_MANAGEMENT": role_dsn("case_reader", "case_management"),
        "AIRFLOW_CONN_CRM_API": json.dumps({**crm, "password": known["crm_token"]}),
    }
    return {name: value for name, value in (databases | folders).items() if name in connections_needed()}


def samples_in_use() -> set[str]:
    """Those sample connections that the user has not replaced by setting the variable of that name."""
    return {name for name, value in sample_connections().items() if os.environ.get(name, value) == value}


def variables() -> dict[str, str]:
    """All settings that the pipeline's processes read, as environment variables. The server must have been created.

    A source connection that the user has set wins over the sample's. The sample world has an end, so the schedule has one
    where all of it that takes part is in use.
    """
    known, database, home = state(), server(), settings.HOME
    samples = sample_connections()
    sources = {name: os.environ.get(name, value) for name, value in samples.items()}
    return {
        **sources,
        **({"CRW_SCHEDULE_END": SAMPLE_END} if sources == samples else {}),
        "CRW_SOURCES": os.environ.get("CRW_SOURCES", ""),
        "CRW_HOME": str(home),
        "CRW_PROJECT": str(settings.PROJECT),
        "CRW_PSEUDONYM_KEY": os.environ.get("CRW_PSEUDONYM_KEY", known["pseudonym_key"]),
        "CRW_SEEDS": os.environ.get("CRW_SEEDS", ""),
        "CRW_SCRATCH": os.environ.get("CRW_SCRATCH", ""),
        "CRW_BACKUPS": os.environ.get("CRW_BACKUPS", ""),
        **dbt_variables(database, home),
        "CRW_PGUSER": "crw_transformer",
        "CRW_PGPASSWORD": known["transformer_password"],
        **_airflow_variables(known, home),
        "AIRFLOW_CONN_WAREHOUSE": role_dsn("crw_loader"),
        "AIRFLOW_CONN_MARTS": role_dsn("crw_dashboard"),
        "AIRFLOW_CONN_AIRFLOW_METADATA": role_dsn("crw_airflow", "airflow"),
        "GX_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "CRW_CLOCK": settings.CLOCK.key,
        "TZ": settings.CLOCK.key,
    }


def dbt_variables(database: Server, home: Path, name: str = "warehouse") -> dict[str, str]:
    """What dbt's profile reads, as the superuser, and where dbt writes."""
    return {
        "CRW_PGHOST": "127.0.0.1",
        "CRW_PGPORT": str(database.port),
        "CRW_PGUSER": "postgres",
        "CRW_PGPASSWORD": database.password,
        "CRW_PGDATABASE": name,
        "DBT_PROFILES_DIR": str(settings.DBT_PROJECT),
        "DBT_PROJECT_DIR": str(settings.DBT_PROJECT),
        "DBT_TARGET_PATH": str(home / "dbt" / "target"),
        "DBT_LOG_PATH": str(home / "dbt" / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def _airflow_variables(known: dict[str, str], home: Path) -> dict[str, str]:
    metadata = role_dsn("crw_airflow", "airflow").replace("postgresql://", "postgresql+psycopg2://")
    options = {
        "CORE__DAGS_FOLDER": str(settings.PROJECT / "dags"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        # A worker often waits a heartbeat after its task has ended (the supervisor misses the exit), so there are many
        # workers, and the pool says how many tasks run at a time.
        "CORE__PARALLELISM": str(4 * (os.cpu_count() or 2)),
        "CORE__DEFAULT_POOL_TASK_SLOT_COUNT": str(2 * (os.cpu_count() or 2)),
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "CORE__FERNET_KEY": known["fernet_key"],
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{known['execution_port']}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "DATABASE__SQL_ALCHEMY_CONN": metadata,
        "API_AUTH__JWT_SECRET": known["jwt_secret"],
        "API__HOST": "127.0.0.1",
        "API__PORT": known["airflow_port"],
        "API__BASE_URL": f"http://127.0.0.1:{known['airflow_port']}",
        "API__SECRET_KEY": known["jwt_secret"],
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs" / "airflow"),
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs" / "airflow" / "dag_processor"),
        "LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
        "LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
        "LOGGING__LOGGING_LEVEL": "WARNING",
        "LOGGING__NAMESPACE_LEVELS": "task=INFO",  # what a task prints, which is a line a table
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
        "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        # A worker tells each second that it lives. One that was killed is given up before the night takes itself to be stuck.
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "45",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return {"AIRFLOW_HOME": str(home / "airflow"), **{f"AIRFLOW__{name}": value for name, value in options.items()}}
