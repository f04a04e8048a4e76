"""Airflow's scheduler for one night, in one process family.

One interpreter imports Airflow, Great Expectations and dbt once and forks the scheduler and an API server that serves
only the tasks. Started apart, each task would import them anew: 10 s of processor time a task instead of 0.2.
This is the one place that uses Airflow's internal functions; `make up` and the compose file use its official commands.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from crw import settings
from crw.local import services

PR_SET_PDEATHSIG = 1  # linux/prctl.h

PRELOADED = (
    "airflow.api.common.trigger_dag",
    "airflow.jobs.scheduler_job_runner",
    "crw.data_docs",
    "crw.in_turn",
    "crw.ingest",
    "crw.transform",
    "dbt.adapters.postgres",
    "dbt.cli.main",
    "great_expectations.render.renderer",
)
"""What scheduler and tasks import, the heavy ones on first use: in a forked worker that is done already, else it costs 2 s a task."""


class EndedError(RuntimeError):
    """A process of the night's family ended that should not have."""


_fork = multiprocessing.get_context("fork")


# Importing makes a million objects that stay: at Python's own thresholds a quarter of the time to start went into looking for garbage
# among them, and each task's copy of the interpreter looks through them anew.
gc.set_threshold(20_000, 10, 10)


def migrate() -> None:
    """Create or upgrade Airflow's metadata, unless this version of Airflow has done it."""
    import airflow

    marker = settings.HOME / "airflow" / "migrated"
    if marker.exists() and marker.read_text() == airflow.__version__:
        return
    marker.parent.mkdir(parents=True, exist_ok=True)
    _check(_start("migrate", lambda: _airflow("db", "migrate")))
    marker.write_text(airflow.__version__)


@contextmanager
def running() -> Iterator[Callable[[], None]]:
    """Serialize the DAGs and run scheduler and execution API until the block ends.

    Yields a look at the two, which raises EndedError once one has ended: nobody would run the tasks that are still to come.
    """
    api = _start("execution-api", _serve_execution_api)
    asking = _start("first-answer", _ask_for_first_answer)
    scheduler = None
    try:
        metadata = _start("metadata", _prepare_metadata)
        _preload()
        _check(metadata)
        scheduler = _start("scheduler", _schedule)
        _wait_until_healthy(api, asking)
        yield lambda: _look_at(scheduler, api)
    finally:
        # The runs are over and their states are in the metadata: nothing is lost by not waiting for idle workers.
        for process in filter(None, (scheduler, api, asking)):
            process.kill()
            process.join()


def _look_at(*family: multiprocessing.Process) -> None:
    for process in family:
        if not process.is_alive():
            log = settings.HOME / "logs" / f"{process.name}.log"
            raise EndedError(f"Airflow's {process.name} {_how_ended(process)}, and the night with it: see {log}")


def _how_ended(process: multiprocessing.Process) -> str:
    code = process.exitcode
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"


def trigger(dag_id: str, business_date: str, run_id: str) -> None:
    """Queue a run of a DAG for one partition. The runs of one attempt share their id: by it they find each other."""
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.utils.types import DagRunTriggeredByType

    trigger_dag(dag_id, run_id=run_id, partition_key=business_date, triggered_by=DagRunTriggeredByType.CLI)


def backfill(dag_id: str, first: str, last: str) -> None:
    """Queue a run for each date from `first` to `last`, both included, as `airflow backfill create` does.

    One date at a time: a backfill does not keep to the DAG's own max_active_runs, and a source has one landing table.
    """
    command = ["backfill", "create", "--dag-id", dag_id, "--from-date", first, "--to-date", last]
    command += ["--max-active-runs", "1", "--reprocess-behavior", "completed"]
    _check(_start(f"backfill-{dag_id}", lambda: _airflow(*command)))


def _prepare_metadata() -> None:
    from airflow.models import DagModel
    from airflow.utils.session import create_session
    from sqlalchemy import update

    _airflow("dags", "reserialize")
    with create_session() as session:
        nightly = DagModel.dag_id.startswith("ingest_") | (DagModel.dag_id == "warehouse")
        session.execute(update(DagModel).where(nightly).values(is_paused=False))
        if not services.is_running("airflow-scheduler"):
            _end_abandoned_runs(session)


def _end_abandoned_runs(session) -> None:
    """Fail what a killed night left running: nobody executes it any more, and it would hold up tonight's runs.

    What it had told `warehouse` without a run yet is dropped: tonight's sources tell it anew.
    """
    from airflow.models import DagRun, TaskInstance
    from airflow.models.asset import AssetPartitionDagRun, PartitionedAssetKeyLog
    from airflow.models.backfill import Backfill
    from sqlalchemy import delete, func, select, update

    unfinished = ["running", "queued", "scheduled", "up_for_retry", "up_for_reschedule", "restarting", "deferred"]
    unfinished += ["awaiting_input"]
    is_unfinished = TaskInstance.state.in_(unfinished) | TaskInstance.state.is_(None)
    abandoned = {"state": "failed", "end_date": func.now()}
    session.execute(update(TaskInstance).where(is_unfinished).values(abandoned))
    session.execute(update(DagRun).where(DagRun.state.in_(("running", "queued"))).values(abandoned))
    # Queued while the clock was ahead: the night, which looks at what is queued from its start on, would take them for its own.
    session.execute(update(DagRun).where(DagRun.queued_at > func.now()).values(queued_at=func.now()))
    session.execute(update(Backfill).where(Backfill.completed_at.is_(None)).values(completed_at=func.now()))
    told = select(AssetPartitionDagRun.id).where(AssetPartitionDagRun.created_dag_run_id.is_(None))
    of_told = PartitionedAssetKeyLog.asset_partition_dag_run_id.in_(told)
    session.execute(delete(PartitionedAssetKeyLog).where(of_told))
    session.execute(delete(AssetPartitionDagRun).where(AssetPartitionDagRun.created_dag_run_id.is_(None)))


def _serve_execution_api() -> None:
    port = str(httpx.URL(os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]).port)
    _airflow("api-server", "--apps", "execution", "--port", port)


def _schedule() -> None:
    _airflow("scheduler", "--skip-serve-logs")


def _airflow(*command: str) -> None:
    from airflow.cli import cli_parser

    arguments = cli_parser.get_parser().parse_args(command)
    arguments.func(arguments)


def _start(name: str, target) -> multiprocessing.Process:
    process = _fork.Process(target=_with_log, args=(name, target), name=name)
    process.start()
    return process


def _check(process: multiprocessing.Process) -> None:
    """Wait for a process to end. Raises EndedError with its log if it failed."""
    process.join()
    if process.exitcode:
        raise EndedError(f"Airflow's {process.name} {_how_ended(process)}; {_log_tail(process.name)}")


def _with_log(name: str, target) -> None:
    os.setsid()  # no Ctrl-C of the terminal's: we end it
    _die_with_parent()
    # Airflow gives each task a group of its own: without this a dbt build would outlive its night, into the next.
    os.register_at_fork(after_in_child=_die_with_parent)
    log = settings.HOME / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    target()


def _die_with_parent() -> None:
    """End this process when the one that forked it ends, however that ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _log_tail(name: str) -> str:
    log = settings.HOME / "logs" / f"{name}.log"
    return f"the end of {log}:\n{log.read_text()[-2000:]}"


@retry(retry=retry_if_exception_type(httpx.TransportError), wait=wait_fixed(0.1), stop=stop_after_delay(120))
def _ask_for_first_answer() -> None:
    """The API's first answer takes it seconds, in which it makes its routes: better while all else starts than in the first tasks."""
    httpx.get(os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] + "health", timeout=30).raise_for_status()


def _wait_until_healthy(api: multiprocessing.Process, asking: multiprocessing.Process) -> None:
    while asking.is_alive() and api.is_alive():
        time.sleep(0.05)
    if asking.exitcode != 0:
        raise EndedError(f"Airflow's execution API did not start; {_log_tail(api.name)}")


def _preload() -> None:
    """Import what the tasks need, so that the forked workers have it."""
    for module in PRELOADED:
        import_module(module)
