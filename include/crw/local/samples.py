"""The sample source systems: built once, brought to a business date, the CRM's API running.

The only module that knows the made-up operator (`sample_operator`); a night on one's own sources does without it.
"""

from __future__ import annotations

import os
import shutil
import sys
from datetime import date, datetime, time, timedelta
from importlib import import_module
from pathlib import Path
from time import monotonic, sleep

import httpx

from crw import settings
from crw.local import environment, services
from crw.local.postgres import StartError
from sample_operator import clock, crm, feedback

PATIENCE = 30  # seconds until the sample CRM answers


def prepare(business_date: date) -> None:
    """Make each sample source in use stand at the end of the business date. A source of the user's own is left alone."""
    in_use = environment.samples_in_use()
    end = datetime.combine(business_date + timedelta(days=1), time(), settings.CLOCK)
    if "AIRFLOW_CONN_CASE_MANAGEMENT" in in_use:
        prepare_database(feedback, environment.role_dsn("sample_operator", "case_management"), end)
    for source, variable in environment.drop_folders().items():
        if variable in in_use:
            prepare_folder(source, settings.HOME / "sources" / source)
    if "AIRFLOW_CONN_CRM_API" in in_use:
        prepare_database(crm, environment.role_dsn("sample_operator", "crm"), end)
        _start_crm(environment.variables())


def prepare_deployment() -> None:
    """Build those that take part in the nights as they stand when their world ends.

    The databases are made in CASE_MANAGEMENT_DSN and CRM_DSN.
    """
    end = clock.hong_kong(clock.END)
    needed = environment.connections_needed()
    if "AIRFLOW_CONN_CASE_MANAGEMENT" in needed:
        prepare_database(feedback, os.environ["CASE_MANAGEMENT_DSN"], end)
    if "AIRFLOW_CONN_CRM_API" in needed:
        prepare_database(crm, os.environ["CRM_DSN"], end)
    for source in environment.drop_folders():
        prepare_folder(source, settings.HOME / "sources" / source)


def start_built(wanted: set[str]) -> dict[str, str]:
    """Start those sample sources that a night has built, and give their connections; nothing is built or moved on.

    Args:
        wanted: variables of Airflow connections.
    """
    server = environment.server()
    if not server.is_made:
        return {}
    server.start()
    built = {
        variable
        for source, variable in environment.drop_folders().items()
        if (settings.HOME / "sources" / source).exists()
    }
    if clock.is_built(server.dsn("case_management")):
        built.add("AIRFLOW_CONN_CASE_MANAGEMENT")
    if "AIRFLOW_CONN_CRM_API" in wanted and clock.is_built(server.dsn("crm")):
        _start_crm(environment.variables())
        built.add("AIRFLOW_CONN_CRM_API")
    return {name: value for name, value in environment.sample_connections().items() if name in built & wanted}


def prepare_database(sample, dsn: str, end: datetime) -> None:
    """Build a sample database (`feedback` or `crm`) the first time, and move its clock on to `end`."""
    if clock.is_built(dsn):
        clock.advance(dsn, end)
    else:
        sample.build(dsn, until=end)


def prepare_folder(source: str, folder: Path) -> None:
    """Write the deliveries of `sample_operator.<source>` the first time; a file's modification time is its arrival."""
    if not folder.exists() or not any(folder.iterdir()):
        unfinished = folder.with_name(folder.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        import_module(f"sample_operator.{source}").build(unfinished)
        unfinished.rename(folder)


def _start_crm(variables: dict[str, str]) -> None:
    """Start the sample CRM and wait until it answers. Raises StartError with its log if it does not."""
    known = environment.state()
    address = f"http://127.0.0.1:{known['crm_port']}"
    command = [sys.executable, "-m", "sample_operator.crm.api", "--port", known["crm_port"]]
    dsn = environment.role_dsn("sample_operator", "crm")
    services.start("crm-api", command, {**variables, "CRM_DSN": dsn, "CRM_TOKEN": known["crm_token"]})
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        try:
            if httpx.get(f"{address}/health", timeout=2).is_success:
                return
        except httpx.TransportError:
            sleep(0.1)
    raise StartError(f"the sample CRM does not answer at {address}: see {settings.HOME / 'logs' / 'crm-api.log'}")
