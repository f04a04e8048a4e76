"""What runs beside the pipeline on one machine: the databases, and for `make up` Airflow itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psycopg

from crw import settings, warehouse
from crw.local import databases, environment
from crw.local.postgres import Server

AIRFLOW_PROCESSES = {
    "airflow-api-server": ["api-server"],
    "airflow-scheduler": ["scheduler"],
    "airflow-dag-processor": ["dag-processor"],
    "airflow-triggerer": ["triggerer"],
}


def start_databases() -> Server:
    """Start PostgreSQL, create its databases the first time, bring the warehouse's tables and all roles up to date."""
    environment.keep_private()
    server = environment.server()
    server.start()
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        databases.prepare(admin, environment.passwords(databases.ROLES))
    with psycopg.connect(server.dsn("warehouse"), autocommit=True) as connection:
        warehouse.install(connection)
        warehouse.set_passwords(connection, environment.passwords(environment.ROLES))
    return server


def start(name: str, command: list[str], variables: dict[str, str]) -> None:
    """Start a process of this checkout in the background, unless it runs; its output goes to logs/<name>.log."""
    if is_running(name):
        return
    log = settings.HOME / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    record = _record(name)
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(f"{process.pid} {_started_at(process.pid)}")


def is_running(name: str) -> bool:
    """Whether the recorded process still runs, and is not another one that was given its number."""
    return _pid(name) is not None


def stop(name: str) -> None:
    """Stop a recorded process and its children: politely, then after 15 seconds by force."""
    pid = _pid(name)
    if pid is not None:
        for wanted in (signal.SIGTERM, signal.SIGKILL):
            _signal_group(pid, wanted)
            deadline = time.monotonic() + 15
            while _group_lives(pid) and time.monotonic() < deadline:
                time.sleep(0.1)
    _record(name).unlink(missing_ok=True)


def start_airflow(variables: dict[str, str]) -> None:
    """Start Airflow's own processes by its official commands, and wait until each runs and is healthy.

    Raises RuntimeError with the log of one that ended, or that is not healthy after a minute.
    """
    address = f"http://127.0.0.1:{environment.state()['airflow_port']}"
    execution = {"AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/"}
    for name, arguments in AIRFLOW_PROCESSES.items():
        start(name, [sys.executable, "-m", "airflow", *arguments], {**variables, **execution})
    deadline = time.monotonic() + 60
    while True:
        unhealthy = _unhealthy(address)
        ended = [name for name in AIRFLOW_PROCESSES if not is_running(name)]
        if not (unhealthy or ended):
            return
        if ended or time.monotonic() > deadline:
            name, what = (ended[0], "has ended") if ended else (unhealthy[0], "is not healthy after a minute")
            raise RuntimeError(f"{name} {what}: see {settings.HOME / 'logs' / f'{name}.log'}")
        time.sleep(0.2)


def start_site() -> str:
    """Serve the site on this machine and return its address. The folder is a link to the newest one, followed at each request."""
    port = environment.state()["site_port"]
    command = [
        sys.executable,
        "-m",
        "http.server",
        port,
        "--bind",
        "127.0.0.1",
        "--directory",
        str(settings.HOME / "site"),
    ]
    start("site", command, {})
    return f"http://127.0.0.1:{port}/"


def _unhealthy(address: str) -> list[str]:
    """The Airflow processes that are not healthy: the API server when it does not answer, else those it names."""
    try:
        health = httpx.get(f"{address}/api/v2/monitor/health", timeout=10).raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return ["airflow-api-server"]
    states = {f"airflow-{part.replace('_', '-')}": found["status"] for part, found in health.items()}
    return [name for name in AIRFLOW_PROCESSES if states.get(name, "healthy") != "healthy"]


def stop_all() -> list[str]:
    """Stop everything that this checkout started, PostgreSQL last. Returns the names of what was running."""
    running = [record.stem for record in sorted((settings.HOME / "run").glob("*.pid")) if is_running(record.stem)]
    for record in (settings.HOME / "run").glob("*.pid"):
        stop(record.stem)
    server = environment.server()
    if server.is_made:
        running += ["postgres"] if server.is_running() else []
        server.stop()
    return running


def _record(name: str) -> Path:
    return settings.HOME / "run" / f"{name}.pid"


def _pid(name: str) -> int | None:
    try:
        pid, started_at = _record(name).read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    return int(pid) if _started_at(int(pid)) == started_at else None


def _started_at(pid: int) -> str | None:
    """Start time of a living process in clock ticks since boot, which with the number names it for good."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return None
    return None if fields[0] == "Z" else fields[19]


def _signal_group(pid: int, wanted: signal.Signals) -> None:
    try:
        os.killpg(pid, wanted)
    except ProcessLookupError:
        return


def _group_lives(group: int) -> bool:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            return True
    return False
