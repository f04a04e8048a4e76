"""What every DAG must have, and what none may do while it is parsed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta

import psycopg
import pytest
from airflow.sdk import RetryAction
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse

from crw import contracts, machines, retries
from crw.privacy import rooms
from crw.settings import PROJECT

PARSE = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag({folder!r})
KINDS = ("execute", "success", "skipped", "retry", "failure")
json.dump({{
    "errors": bag.import_errors,
    "dags": {{dag.dag_id: {{
        "owner": dag.owner, "tags": sorted(dag.tags), "doc": dag.doc_md or "", "max_active_runs": dag.max_active_runs,
        "catchup": dag.catchup, "timetable": type(dag.timetable).__name__, "description": dag.description,
        "is_due": dag.deadline is not None, "waits_for": dag.timetable.asset_condition.name if dag.dag_id == "warehouse" else None,
        "retries": {{t.task_id: t.retries for t in dag.tasks}},
        "called": {{t.task_id: {{kind: [f"{{c.__module__}}.{{c.__name__}}" for c in getattr(t, f"on_{{kind}}_callback")] for kind in KINDS}}
                   for t in dag.tasks}},
        "queues": {{t.task_id: t.queue for t in dag.tasks}},
        "tells": {{t.task_id: [asset.name for asset in t.outlets] for t in dag.tasks if t.outlets}},
        "tasks": {{t.task_id: sorted(t.upstream_task_ids) for t in dag.tasks}}}} for dag in bag.dags.values()}},
    "modules": sorted(sys.modules),
}}, open({answer!r}, "w"))
"""


RETRY = """
import json, sys
from types import SimpleNamespace
sys.path.insert(0, {folder!r})
import ingest
tries = [(1, 2), (2, 2), (3, 2), (2, 3), (3, 3), (4, 5), (5, 5)]
told = [ingest._is_retry(SimpleNamespace(try_number=t, max_tries=m, task=SimpleNamespace(retries=2))) for t, m in tries]
json.dump(told, open({answer!r}, "w"))
"""
"""What Airflow tells of the first three tries; of one and its retry, cleared after one; of one and its retry, cleared after three."""

YEAR = """
import json, sys
from datetime import UTC, date, datetime, time, timedelta
sys.path.insert(0, {folder!r})
import ingest, pendulum
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction
timetable = DagSerialization.from_dict(DagSerialization.to_dict(ingest.ingest_feedback)).timetable
first = pendulum.now(ingest.CLOCK.key).start_of("day")
restriction, run, nights = TimeRestriction(first, first.add(years=1), True), None, []
while run := timetable.next_dagrun_info_v2(last_dagrun_info=run, restriction=restriction):
    end = datetime.combine(date.fromisoformat(run.partition_key) + timedelta(days=1), time(), ingest.CLOCK)
    nights.append((run.partition_key, (run.run_after - end.astimezone(UTC)).total_seconds()))
bounds = (pendulum.parse(f"{{nights[number][0]}}T00:00Z") for number in (0, -1))
json.dump([nights, [run.partition_key for run in timetable.iter_partition_dagrun_infos(earliest=next(bounds), latest=next(bounds))]],
          open({answer!r}, "w"))
"""
"""A year of nights: each one's business date and the seconds from that date's end to its start; the dates of a backfill of the same."""


@pytest.fixture(scope="module")
def parse(tmp_path_factory):
    """A function that parses the DAG folder in a process of its own, which can reach no database and no source."""
    return lambda **settings: _parse(tmp_path_factory, settings)


@pytest.fixture(scope="module")
def parsed(parse):
    """The DAG folder as it is without any setting."""
    return parse()


def _parse(tmp_path_factory, settings, code=PARSE):
    home = tmp_path_factory.mktemp("airflow")
    answer = home / "answer.json"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CRW"))}
    environment |= {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", **settings}
    script = code.format(folder=str(PROJECT / "dags"), answer=str(answer))
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    return json.loads(answer.read_text())


def test_every_file_parses(parsed):
    assert parsed["errors"] == {}


def test_every_dag_has_owner_tags_description_and_triage_steps(parsed):
    for dag_id, dag in parsed["dags"].items():
        assert dag["owner"] != "airflow", dag_id
        assert dag["tags"], dag_id
        assert dag["description"], dag_id
        assert "**Triage**" in dag["doc"], dag_id


def test_no_dag_catches_up_or_runs_beside_itself(parsed):
    for dag_id, dag in parsed["dags"].items():
        assert not dag["catchup"], dag_id
        assert dag["max_active_runs"] == 1, dag_id


def test_each_declared_source_has_its_dag_which_publishes_nothing_before_all_of_it_is_validated(parsed):
    for source in contracts.sources():
        assert parsed["dags"][f"ingest_{source}"]["tasks"] == {
            "extract": [],
            "validate": ["extract"],
            "publish": ["extract", "validate"],
            "deliver": ["publish"],
        }


def test_a_night_has_less_than_thirty_tasks(parsed):
    nightly = [dag["tasks"] for dag_id, dag in parsed["dags"].items() if dag_id.startswith(("ingest_", "warehouse"))]
    assert sum(map(len, nightly)) < 30


def test_what_reads_drop_folders_waits_for_a_machine_that_has_them_and_nothing_else_does(parsed):
    waiting = {(dag_id, task) for dag_id, dag in parsed["dags"].items()
               for task, queue in dag["queues"].items() if queue == machines.WITH_DROP_FOLDERS}  # fmt: skip
    from_folders = {f"ingest_{source}" for source in ("survey", "engagement", "liaison")}
    assert waiting == {*((dag_id, "extract") for dag_id in from_folders), ("approved", "publish")}
    assert {queue for dag in parsed["dags"].values() for queue in dag["queues"].values()} == {
        "default", machines.WITH_DROP_FOLDERS
    }  # fmt: skip


def test_warehouse_waits_for_what_each_source_tells_after_it_has_published(parsed):
    assert parsed["dags"]["warehouse"]["waits_for"] == "raw"
    for source in contracts.sources():
        assert parsed["dags"][f"ingest_{source}"]["tells"] == {"deliver": ["raw"]}


@pytest.fixture(scope="module")
def of_two(parse):
    """The DAG folder where two sources take part and lineage is asked for."""
    return parse(CRW_SOURCES="feedback,membership", AIRFLOW_CONN_OPENLINEAGE="http://127.0.0.1:9")["dags"]


def test_only_the_sources_named_have_nights(of_two):
    assert {name for name in of_two if name.startswith("ingest_")} == {"ingest_feedback", "ingest_membership"}


def test_lineage_is_told_of_each_attempt_of_a_nightly_task_where_it_is_asked_for_beside_what_the_task_calls_else(
    parsed, of_two
):
    told = dict(execute="started", success="completed", skipped="skipped", retry="failed", failure="failed")
    for dag_id in ("ingest_feedback", "ingest_membership", "warehouse"):
        for task, called in of_two[dag_id]["called"].items():
            own = parsed["dags"][dag_id]["called"][task]
            assert own["failure"] == ["crw.alerts.task_failed"], task
            assert called == {kind: [*own[kind], f"crw.openlineage.{name}"] for kind, name in told.items()}, task
    assert not {module for module in parsed["modules"] if module.startswith("openlineage")}


def test_a_source_named_wrongly_stops_every_ingest_and_is_named(parse):
    found = parse(CRW_SOURCES="fedback")
    assert not any(dag_id.startswith("ingest_") for dag_id in found["dags"])
    assert all("CRW_SOURCES: fedback: the declared sources are" in said for said in found["errors"].values())


def test_every_nightly_dag_has_a_deadline(parsed):
    nightly = {f"ingest_{source}" for source in contracts.sources()} | {"warehouse"}
    assert {dag_id for dag_id, dag in parsed["dags"].items() if dag["is_due"]} == nightly


def test_what_is_scheduled_survives_a_worker_that_was_killed_but_the_judge_of_the_marts(parsed):
    scheduled = {f"ingest_{source}" for source in contracts.sources()} | {
        "warehouse",
        "partitions",
        "retention",
        "watch",
    }
    of_their_own = {"validate_marts": 0, "purge": 12}  # a person looks between; a night is waited for
    for dag_id in scheduled:
        retried = parsed["dags"][dag_id]["retries"]
        assert retried == {task: of_their_own.get(task, 2) for task in retried}, dag_id


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (psycopg.errors.ConnectionFailure(), RetryAction.RETRY),
        (
            AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"message": "timed out"})),
            RetryAction.RETRY,
        ),
        (rooms.NightAtWork(), RetryAction.RETRY),
        (machines.ElsewhereError(), RetryAction.RETRY),
        (ValueError("a column that nobody declared"), RetryAction.FAIL),
    ],
)
def test_only_what_may_pass_is_tried_again(error, action):
    assert retries.RETRIES["retry_policy"].evaluate(error, 1, 2).action == action


def test_a_retry_is_told_from_a_task_that_was_cleared(tmp_path_factory):
    assert _parse(tmp_path_factory, {}, RETRY) == [False, True, True, False, True, False, True]


@pytest.mark.parametrize(
    "clock", ["Asia/Hong_Kong", "Europe/London", "America/Santiago", "Africa/Cairo", "Asia/Beirut"]
)
def test_each_date_has_its_night_once_it_has_ended_on_a_clock_that_skips_a_midnight_too(tmp_path_factory, clock):
    nights, backfilled = _parse(tmp_path_factory, {"CRW_CLOCK": clock}, YEAR)
    dates = [date.fromisoformat(day) for day, _ in nights]
    assert dates == [dates[0] + timedelta(days=number) for number in range(len(dates))] and len(dates) > 360
    assert {later for _, later in nights} <= ({0, 3600} if clock not in ("Asia/Hong_Kong", "Europe/London") else {0})
    assert backfilled == [day for day, _ in nights]


def test_marts_are_published_only_after_validation(parsed):
    tasks = parsed["dags"]["warehouse"]["tasks"]
    assert tasks == {
        "build": [],
        "validate_marts": ["build"],
        "publish_marts": ["validate_marts"],
        "report": ["publish_marts"],
    }


def test_parsing_imports_nothing_heavy(parsed):
    heavy = {"great_expectations", "dbt", "pandas", "duckdb", "crw.quality", "crw.transform", "crw.ingest"}
    assert not heavy & set(parsed["modules"])


def test_no_dag_file_has_a_name_that_dbt_would_import():
    assert not list((PROJECT / "dags").glob("dbt_*.py"))
