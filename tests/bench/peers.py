"""One table, checked and loaded, by us and by what a team would else build: `make bench PEERS=1`.

All copy the same rows out of the same PostgreSQL into it and ask the same ten rules of them, in turn, A B C A B C. Ours is a whole load:
landing, all rules of the contract with the bad rows moved to quarantine, and publishing to raw. The peers are installed into a scratch
environment from `peers.txt`, never into the project's:

- dlt + dbt: dlt copies (with connectorx, its fastest way), dbt's generic tests are the rules; dlt's time alone stands beside it;
- the tutorial: pandas reads, ten rules on the frame, `to_sql` writes.
"""

from __future__ import annotations

import json
import logging
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psycopg
from psycopg import Connection
from rich.console import Console

from crw import ingest, landing, ledger, publish, warehouse
from crw.sources import database
from tests.bench import deliveries, stages
from tests.bench.stage import scratch_server

SIZES = (100_000, 1_000_000)
ROUNDS = 3
PEERS = ("dlt", "dlt_dbt", "tutorial")
FOLDER = Path(__file__).parent


def main() -> int:
    """Print seconds and multiples of our time. The exit status is 0: a measurement is no test."""
    logging.disable(logging.INFO)  # Great Expectations tells of each folder it makes
    console = Console()
    with scratch_server() as (server, folder):
        python = _environment(folder / "peers")
        for size in SIZES:
            dsn = _source(server, size)
            with psycopg.connect(dsn, autocommit=True) as connection:
                rounds = [_round(connection, dsn, python, folder) for _ in range(ROUNDS)]
            for name in rounds[0]:
                seconds = statistics.median(taken[name] for taken in rounds)
                ratio = statistics.median(taken[name] / taken["ours"] for taken in rounds)
                console.print(f"{size:>9,} rows  {name:<10} {seconds:6.2f} s  {ratio:5.2f} times ours", highlight=False)
    return 0


def _environment(folder: Path) -> Path:
    """The peers, installed by their hashes; the path of their Python."""
    uv = [str(Path(sys.executable).with_name("uv"))]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    python = folder / "bin" / "python"
    install = [
        "pip",
        "install",
        "--quiet",
        "--python",
        str(python),
        "--require-hashes",
        "-r",
        str(FOLDER / "peers.txt"),
    ]
    subprocess.run([*uv, *install], check=True)
    return python


def _source(server, size: int) -> str:
    name = f"peers_{size}"
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"create database {name}")
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        warehouse.install(connection)
        stages.make_source(connection, size)
    return server.dsn(name)


def _round(connection: Connection, dsn: str, python: Path, folder: Path) -> dict[str, float]:
    return {"ours": _ours(connection, dsn)} | {peer: _peer(python, peer, dsn, folder) for peer in PEERS}


def _ours(connection: Connection, dsn: str) -> float:
    stages.empty_raw(connection)
    load = ledger.start_load(connection, stages.CASES, deliveries.NIGHT, "bench")
    began = time.perf_counter()
    with psycopg.connect(dsn) as source:
        landing.land(connection, load, database.read(stages.CASES, source, stages.INTERVAL, stages.SECRET))
    ingest.validate(connection, stages.CASES, load.load_id, is_retry=False)
    publish.publish_load(connection, ledger.find_load(connection, stages.CASES, load.load_id))
    return time.perf_counter() - began


def _peer(python: Path, peer: str, dsn: str, folder: Path) -> float:
    """The seconds that a peer's process says its work took: none counts the start of an interpreter and its imports."""
    process = subprocess.run(
        [str(python), str(FOLDER / "peer_loads.py"), peer, str(folder / "peer")],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "DSN": dsn,
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "DO_NOT_TRACK": "1",
        },
    )
    return json.loads(process.stdout.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(main())
