"""One business date from the sample sources to the published marts, by the real scheduler, with its progress shown."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from crw import contracts, settings
from crw.local import environment, samples, scheduler, services, summary

TIMEOUT = 3600  # seconds, for the whole night
POLL = 0.25  # seconds
WAREHOUSE_PATIENCE = 60  # seconds between the last delivery and the start of the warehouse DAG
ENDED = {"success", "failed", "skipped", "upstream_failed", "removed"}


@dataclass(frozen=True)
class Task:
    """A task instance of the night as the scheduler sees it."""

    dag_id: str
    task_id: str
    state: str


def run(business_date: date, console: Console) -> bool:
    """Run the night of `business_date`. Returns whether it ended well: every DAG run of the date succeeded."""
    began = time.monotonic()
    settings.HOME.mkdir(parents=True, exist_ok=True)
    _say(console, began, "starting PostgreSQL")
    services.start_databases()
    os.environ.update(environment.variables())
    _say(console, began, "bringing the sample sources to the business date")
    samples.prepare(business_date)
    _say(console, began, "starting Airflow")
    scheduler.migrate()
    with scheduler.running():
        since = datetime.now().astimezone()
        runs = [scheduler.trigger(f"ingest_{source}", business_date.isoformat()) for source in contracts.sources()]
        succeeded = _follow(business_date, since, runs, console, began)
    summary.show(console, business_date, succeeded, time.monotonic() - began)
    return succeeded


def _follow(business_date: date, since: datetime, runs: list[str], console: Console, began: float) -> bool:
    """Show each task as it ends, until the night's DAG runs are over. Returns whether all succeeded."""
    expected = 3 * len(contracts.tables()) + len(contracts.sources()) + 4
    seen: set[tuple[str, str]] = set()
    waited = 0.0
    with (
        psycopg.connect(environment.server().dsn("airflow"), autocommit=True) as metadata,
        _progress(console) as progress,
    ):
        bar = progress.add_task("night", total=expected)
        while time.monotonic() - began < TIMEOUT:
            for task in _tasks(metadata, business_date, since):
                if task.state in ENDED and (task.dag_id, task.task_id) not in seen:
                    seen.add((task.dag_id, task.task_id))
                    mark = {"success": "[green]done[/]", "skipped": "[yellow]skipped[/]"}.get(
                        task.state, f"[red]{task.state}[/]"
                    )
                    _say(progress.console, began, f"{task.dag_id}.{task.task_id} {mark}")
                    progress.update(bar, completed=len(seen))
            states = dict(_runs(metadata, business_date, since))
            over = [state for state in states.values() if state in ("success", "failed")]
            ingest_failed = "failed" in over
            if len(over) == len(runs) + 1 or (ingest_failed and len(over) == len(states) >= len(runs)):
                return len(over) == len(runs) + 1 and not ingest_failed
            if over == ["success"] * len(runs) == list(states.values()):
                waited += POLL
                if waited > WAREHOUSE_PATIENCE:
                    console.print("[red]every source has delivered, but Airflow did not start the warehouse DAG[/]")
                    return False
            time.sleep(POLL)
    console.print(f"[red]the night was not over after {TIMEOUT} s[/]")
    return False


def _tasks(metadata: psycopg.Connection, business_date: date, since: datetime) -> Iterator[Task]:
    rows = metadata.execute(
        "select t.dag_id, t.task_id, t.state from task_instance as t join dag_run as r using (dag_id, run_id) "
        "where r.partition_key = %s and r.queued_at >= %s and t.state is not null order by t.end_date",
        [business_date.isoformat(), since],
    )
    return (Task(*row) for row in rows)


def _runs(metadata: psycopg.Connection, business_date: date, since: datetime) -> Iterator[tuple[str, str]]:
    return metadata.execute(
        "select dag_id, state from dag_run where partition_key = %s and queued_at >= %s",
        [business_date.isoformat(), since],
    )


def _progress(console: Console) -> Progress:
    """A bar on a terminal; in a log the lines alone."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _say(console: Console, began: float, text: str) -> None:
    console.print(f"[dim]{time.monotonic() - began:6.1f} s[/]  {text}", highlight=False)
