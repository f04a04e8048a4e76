"""`make dashboards`: Superset with the dashboards, served on this machine, of its own warehouse or of a deployment's.

Its environment is its own (`.venv-superset`), as is its state (`$CRW_HOME/superset`); here they are started, from the outside.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
from bi.superset import assets
from sqlalchemy import URL, make_url

from crw import settings
from crw.local import environment, services

ENVIRONMENT = settings.PROJECT / ".venv-superset"
ROOM = settings.PROJECT / "bi" / "superset"
ACCOUNT = "crw"
DEPLOYMENT = "AIRFLOW_CONN_MARTS"
"""The variable of a deployment's connection to its marts, postgresql://crw_dashboard:<password>@<host>:<port>/warehouse."""
PATIENCE = 120
"""Seconds for Superset to answer after its start."""


def main() -> None:
    """Provision what has changed, serve, and say where."""
    if not os.environ.get(DEPLOYMENT):
        if not environment.server().is_made:
            sys.exit(f"{environment.no_warehouse()}, or {DEPLOYMENT} for a deployment's")
        services.start_databases()
    print(provision(), flush=True)
    address = serve()
    print(f"dashboards  {address}/dashboard/list/")
    print(f"log in as   {ACCOUNT}; the password is superset_password in {settings.HOME / 'state.json'}")


def provision(files: assets.Bundle | None = None) -> str:
    """Bring Superset's metadata to the assets, unless it is there already. Returns what was done.

    Args:
        files: the assets; without them those that are declared.

    Raises:
        SystemExit: Superset refuses them; the reason is on standard error.
    """
    known = environment.state()
    home().mkdir(mode=0o700, parents=True, exist_ok=True)
    files = files or assets.bundle(warehouse_address())
    wanted = {
        "account": {"user": ACCOUNT, "password": known["superset_password"]},
        "passwords": {assets.DATABASE: marts().password},
        "files": files,
    }
    programs = [path.read_text(encoding="utf-8") for path in (*sorted(ROOM.glob("*.py")), ROOM / "requirements.txt")]
    digest = hashlib.sha256(json.dumps([wanted, programs], sort_keys=True).encode()).hexdigest()
    record = home() / "provisioned.json"
    if record.exists() and json.loads(record.read_text())["digest"] == digest:
        return "assets are unchanged"
    services.stop("superset")  # it would hold the metadata of before
    log = home() / "provision.log"
    with log.open("w") as errors:
        done = subprocess.run(
            [ENVIRONMENT / "bin" / "python", ROOM / "provision.py"],
            input=json.dumps({**wanted, "digest": digest}),
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **variables()},
            text=True,
        )
    if done.returncode:
        sys.exit(f"{log.read_text()[-3000:]}\nthe assets were not provisioned: see {log}")
    return done.stdout.strip().splitlines()[-1]


def serve() -> str:
    """Start Superset unless it runs, and wait until it answers. Returns its address; `crw down` stops it.

    Raises:
        SystemExit: it has ended, or does not answer in time; the log is named.
    """
    address = f"http://127.0.0.1:{environment.state()['superset_port']}"
    command = [str(ENVIRONMENT / "bin" / "gunicorn"), "--bind", address.removeprefix("http://"), "--workers", "1"]
    command += ["--worker-class", "gthread", "--threads", "8", "--timeout", "90", "superset.app:create_app()"]
    services.start("superset", command, variables())
    deadline = time.monotonic() + PATIENCE
    while not _answers(address):
        if not services.is_running("superset") or time.monotonic() > deadline:
            sys.exit(f"Superset does not answer: see {settings.HOME / 'logs' / 'superset.log'}")
        time.sleep(0.2)
    return address


def marts() -> URL:
    """Where the marts are read, as crw_dashboard: of the deployment that is named, else of this machine."""
    return make_url(os.environ.get(DEPLOYMENT) or environment.role_dsn("crw_dashboard"))


def warehouse_address() -> str:
    """The same as Superset's assets hold it, without the password."""
    address = marts().set(drivername="postgresql+psycopg2", password=assets.MASK)
    return address.render_as_string(hide_password=False)


def home() -> Path:
    """The folder of Superset's state, which only its owner may enter."""
    return settings.HOME / "superset"


def variables() -> dict[str, str]:
    """What Superset's processes read."""
    return {
        "SUPERSET_CONFIG_PATH": str(ROOM / "superset_config.py"),
        "SUPERSET_HOME": str(home()),
        "CRW_SUPERSET_HOME": str(home()),
        "CRW_SUPERSET_SECRET_KEY": environment.state()["superset_secret_key"],
        "SCARF_ANALYTICS": "false",
        "DO_NOT_TRACK": "1",
        "FLASK_APP": "superset.app:create_app()",
        "PYTHONPATH": "",
    }


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    main()
