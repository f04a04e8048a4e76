"""Business dates from the sources to the published marts, by the real scheduler, with the progress shown."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from crw import contracts, data_docs, settings, transform
from crw.local import environment, samples, scheduler, services, summary

POLL = 0.25  # seconds
PATIENCE = 180  # seconds without any task beginning, living or ending: longer than a killed worker and its retry take
ENDED = {"success": "[green]done[/]", "skipped": "[yellow]skipped[/]", "removed": "removed"}
ENDED |= {state: f"[red]{state}[/]" for state in ("failed", "upstream_failed")}


def run(first: date, last: date, console: Console) -> bool:
    """Run the nights from `first` to `last`, both included, unless others run in this home.

    Returns whether every DAG run of theirs succeeded, and the published marts hold all that raw does up to `last`.
    """
    settings.HOME.mkdir(parents=True, exist_ok=True)
    with (settings.HOME / "night.lock").open("w") as lock:
        try:
            # Not flock: a child left over by a killed night would keep it.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            console.print(f"[red]another night runs in {settings.HOME}: wait for its end[/]")
            return False
        return _run(first, last, console)


def _run(first: date, last: date, console: Console) -> bool:
    began = time.monotonic()
    _say(console, began, "starting PostgreSQL")
    services.start_databases()
    # The DAGs are unpaused here for these dates alone: Airflow would start the latest night of today's calendar at once.
    os.environ.update(environment.variables() | {"CRW_SCHEDULE_END": last.isoformat()})
    _say(console, began, "bringing the sample sources in use to the business date")
    samples.prepare(last)
    _say(console, began, "starting Airflow")
    scheduler.migrate()
    with (
        scheduler.running() as look,
        psycopg.connect(environment.server().dsn("warehouse"), autocommit=True) as warehouse,
    ):
        watch = _Watch(console, began, first, last, warehouse)
        run_id = f"nightly__{first}__{watch.since:%Y%m%dT%H%M%S}"
        for source in contracts.taking_part():
            if first == last:
                scheduler.trigger(f"ingest_{source}", first.isoformat(), run_id)
            else:
                scheduler.backfill(f"ingest_{source}", first.isoformat(), last.isoformat())
        succeeded = watch.follow(look)
    with psycopg.connect(environment.server().dsn("warehouse")) as warehouse:
        is_published = transform.is_up_to_date(warehouse, last)
        if succeeded and not is_published:
            console.print(f"[red]raw holds rows up to {last} that the published marts were not built from[/]")
            succeeded = False
        if not succeeded:  # the task `report` comes after publishing only
            data_docs.build(warehouse, settings.HOME / "data_docs")
    summary.show(console, last, time.monotonic() - began, succeeded, is_published)
    return succeeded


@dataclass
class _Watch:
    """Follows the DAG runs that are queued for the dates from now on."""

    console: Console
    began: float
    first: date
    last: date
    warehouse: psycopg.Connection
    since: datetime = field(default_factory=lambda: datetime.now().astimezone())
    seen: set[tuple[str, ...]] = field(default_factory=set)
    steps: set[tuple[int, str]] = field(default_factory=set)
    """Loads and how far they have come, as shown."""
    earlier: int = 0
    """The last load of the nights before."""
    told: list[str] | None = None
    """The running tasks, each with when it last told that it lives, at the last look."""

    def __post_init__(self) -> None:
        (self.earlier,) = self.warehouse.execute("select coalesce(max(load_id), 0) from audit.load").fetchone()

    @property
    def dates(self) -> int:
        return (self.last - self.first) // timedelta(days=1) + 1

    def follow(self, look: Callable[[], None]) -> bool:
        """Show each table as it gets on and each task as it ends, until the runs are over. Returns whether all succeeded.

        Args:
            look: raises when what runs the tasks has ended.
        """
        tasks = self.dates * (4 * len(contracts.taking_part()) + 4)
        metadata = psycopg.connect(environment.server().dsn("airflow"), autocommit=True)
        with metadata, _progress(self.console) as progress:
            bar = progress.add_task("night", total=tasks)
            moved = time.monotonic()
            while time.monotonic() - moved < PATIENCE:
                look()
                self._show_steps(progress.console)
                if self._show_ended(metadata, progress.console):
                    progress.update(bar, completed=len(self.seen))
                    moved = time.monotonic()
                succeeded = self._verdict(metadata)
                if succeeded is not None:
                    return succeeded
                moved = time.monotonic() if self._lives(metadata) else moved
                time.sleep(POLL)
        self.console.print(
            f"[red]nothing has moved for {PATIENCE} s: see {settings.HOME / 'logs' / 'scheduler.log'}[/]"
        )
        return False

    def _show_steps(self, console: Console) -> None:
        """Print the tables that have landed or been validated since the last look: a task takes all of a source."""
        rows = self.warehouse.execute(
            "select load_id, step, format('%%s.%%s', source, table_name), business_date, rows_read from audit.load "
            "cross join lateral (values ('landed', landed_at), ('validated', validated_at)) as reached (step, reached_at) "
            "where load_id > %s and reached_at is not null order by reached_at",
            [self.earlier],
        )
        for load_id, step, name, business_date, rows_read in rows:
            if (load_id, step) not in self.steps:
                self.steps.add((load_id, step))
                told = f"landed, {rows_read:,} rows" if step == "landed" else step
                _say(console, self.began, f"{self._prefix(business_date)}{name} {told}")

    def _prefix(self, business_date: date | str) -> str:
        return f"{business_date} " if self.dates > 1 else ""

    def _show_ended(self, metadata: psycopg.Connection, console: Console) -> bool:
        """Print the tasks that ended since the last look. Returns whether there were any."""
        before = len(self.seen)
        rows = metadata.execute(
            "select r.partition_key, t.dag_id, t.run_id, t.task_id, t.state from task_instance as t "
            "join dag_run as r using (dag_id, run_id) where r.queued_at >= %s and r.partition_key between %s and %s "
            "and t.state = any (%s) order by t.end_date",
            [self.since, self.first.isoformat(), self.last.isoformat(), list(ENDED)],
        )
        for business_date, dag_id, run_id, task_id, state in rows:
            if (run_id, dag_id, task_id) not in self.seen:
                self.seen.add((run_id, dag_id, task_id))
                _say(console, self.began, f"{self._prefix(business_date)}{dag_id}.{task_id} {ENDED[state]}")
                if state == "failed":
                    console.print(
                        _reason(dag_id, run_id, task_id), style="red", markup=False, highlight=False, soft_wrap=True
                    )
        return len(self.seen) > before

    def _verdict(self, metadata: psycopg.Connection) -> bool | None:
        """Whether all runs succeeded; None while some are still to come or to end."""
        rows = metadata.execute(
            "select dag_id <> 'warehouse', state, count(*) from dag_run "
            "where queued_at >= %s and partition_key between %s and %s group by 1, 2",
            [self.since, self.first.isoformat(), self.last.isoformat()],
        ).fetchall()
        count = {(bool(is_ingest), state): number for is_ingest, state, number in rows}
        if any(state not in ("success", "failed") for _, state in count):
            return None
        ingested = count.get((True, "success"), 0) + count.get((True, "failed"), 0)
        if ingested < self.dates * len(contracts.taking_part()):
            return None
        if (True, "failed") in count:  # a date that a source did not deliver has no marts to wait for
            return False
        if self._built(metadata) < self.dates:
            return None
        return (False, "failed") not in count

    def _built(self, metadata: psycopg.Connection) -> int:
        """How many dates `warehouse` ran for after the last source had published: one before that is not the last."""
        (dates,) = metadata.execute(
            "select count(distinct w.partition_key) from dag_run as w where w.dag_id = 'warehouse' "
            "and w.state in ('success', 'failed') and w.queued_at >= (select max(t.end_date) from task_instance as t "
            "join dag_run as r using (dag_id, run_id) where t.task_id = 'publish' and r.queued_at >= %s "
            "and r.partition_key = w.partition_key) and w.partition_key between %s and %s",
            [self.since, self.first.isoformat(), self.last.isoformat()],
        ).fetchone()
        return dates

    def _lives(self, metadata: psycopg.Connection) -> bool:
        """Whether a task has begun, ended or told that it lives, as each does every second, since the last look.

        That one stands as running says nothing: whose worker is gone is given up by the clock alone, which may have been set back.
        """
        (told,) = metadata.execute(
            "select array_agg((id, last_heartbeat_at)::text order by id) from task_instance where state = 'running'"
        ).fetchone()
        self.told, before = told, self.told
        return told != before


def _reason(dag_id: str, run_id: str, task_id: str) -> str:
    """What the task's newest log says it failed of, or where to look."""
    folder = settings.HOME / "logs" / "airflow" / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"
    for log in sorted(folder.glob("*.log"), reverse=True):
        for line in reversed(log.read_text(encoding="utf-8").splitlines()):
            entry = json.loads(line) if line.startswith("{") else {}
            if entry.get("error_detail"):
                return f"{entry['error_detail'][0]['exc_type']}: {entry['error_detail'][0]['exc_value']}"
    return f"no reason was logged: look into {folder}"


def _progress(console: Console) -> Progress:
    """A bar on a terminal; in a log the lines alone."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _say(console: Console, began: float, text: str) -> None:
    console.print(f"[dim]{time.monotonic() - began:6.1f} s[/]  {text}", highlight=False)
