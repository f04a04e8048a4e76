"""The sample source systems of one machine: built once, brought to a business date, the CRM's API running."""

from __future__ import annotations

import shutil
from datetime import date, datetime, time, timedelta
from importlib import import_module
from pathlib import Path

from crw import settings
from crw.local import environment, services
from crw.local.sample import clock, crm, feedback


def prepare(business_date: date) -> None:
    """Make each sample source in use stand at the end of the business date. A source of the user's own is left alone."""
    in_use = environment.samples_in_use()
    end = datetime.combine(business_date + timedelta(days=1), time(), settings.HONG_KONG)
    server = environment.server()
    if "AIRFLOW_CONN_CASE_MANAGEMENT" in in_use:
        prepare_database(feedback, server.dsn("case_management"), end)
    for source, variable in environment.drop_folders().items():
        if variable in in_use:
            prepare_folder(source, settings.HOME / "sources" / source)
    if "AIRFLOW_CONN_CRM_API" in in_use:
        prepare_database(crm, server.dsn("crm"), end)
        services.start_crm(environment.variables())


def prepare_database(sample, dsn: str, end: datetime) -> None:
    """Build a sample database (`feedback` or `crm`) the first time, and move its clock on to `end`."""
    if clock.is_built(dsn):
        clock.advance(dsn, end)
    else:
        sample.build(dsn, until=end)


def prepare_folder(source: str, folder: Path) -> None:
    """Write the deliveries of `crw.local.sample.<source>` the first time; a file's modification time is its arrival."""
    if not folder.exists() or not any(folder.iterdir()):
        unfinished = folder.with_name(folder.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        import_module(f"crw.local.sample.{source}").build(unfinished)
        unfinished.rename(folder)
