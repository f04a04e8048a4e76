"""Lineage events: what a receiver that is really there gets of a night's tasks, and that it can neither stop nor delay one."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from uuid import uuid4

import pytest

from crw import contracts, lineage, openlineage

SECRETS = ("of-a-loader", "of-a-source", "of-a-token", "of-a-receiver")
HOME = "postgres://db.example.com:5432"


class Receiver(BaseHTTPRequestHandler):
    """Takes each event, and answers with the server's status."""

    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.append((self.path, self.headers["Authorization"], event))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver(monkeypatch, tmp_path):
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.received, server.status = [], 201
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    connections = {
        "OPENLINEAGE": {"conn_type": "http", "host": f"http://127.0.0.1:{server.server_port}", "password": SECRETS[3]},
        "WAREHOUSE": f"postgresql://crw_loader:{SECRETS[0]}@db.example.com:5432/warehouse",
        "CASE_MANAGEMENT": f"postgresql://reader:{SECRETS[1]}@cases.example.com/cases",
        "CRM_API": {"conn_type": "http", "schema": "https", "host": "crm.example.com", "password": SECRETS[2]},
        **{f"{name}_DROP": {"conn_type": "fs", "extra": {"path": f"/data/{name}"}} for name in ("SURVEY", "LIAISON")},
    }
    for name, value in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", value if isinstance(value, str) else json.dumps(value))
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    yield server
    server.shutdown()
    server.server_close()


def task(name):
    """What Airflow hands a callback of a task, `<dag>.<task>`; each call is an attempt of its own."""
    dag_id, _, task_id = name.partition(".")
    run = SimpleNamespace(
        dag_id=dag_id, run_id="r", partition_key="2013-03-31", run_after=datetime(2013, 3, 31, 16, tzinfo=UTC)
    )
    return {"ti": SimpleNamespace(id=uuid4(), dag_id=dag_id, task_id=task_id), "dag_run": run}


def manifest(folder):
    """A dbt manifest of one source table, one list, a fact, and the mart of a KPI."""

    def node(kind, schema, name, columns=()):
        return {
            "resource_type": kind,
            "schema": schema,
            "name": name,
            "identifier": name,
            "columns": dict.fromkeys(columns),
        }

    nodes = [
        node("seed", "core", "code_list"), node("model", "staging", "stg"), node("model", "core", "fct"),
        node("model", "candidate", "kpi_engagement_hotline", ["answered", "period"]),
        node("model", "candidate", "customer_360", ["company_id"]),
    ]  # fmt: skip
    found = {"nodes": {n["name"]: n for n in nodes}, "sources": {"s": node("source", "raw", "feedback__cases")}}
    (folder / "manifest.json").write_text(json.dumps(found), encoding="utf-8")


def told(receiver, name, tell=openlineage.completed):
    """The event of a task, and its inputs and outputs by name."""
    tell(task(name))
    _, _, event = receiver.received.pop()
    inputs, outputs = ([(d["namespace"], d["name"]) for d in event[side]] for side in ("inputs", "outputs"))
    return event, inputs, outputs


def test_a_receiver_gets_start_and_end_of_a_task_as_one_run_of_the_night(receiver):
    context = task("ingest_feedback.publish")
    openlineage.started(context)  # waits for nobody
    while not receiver.received:
        time.sleep(0.01)
    openlineage.completed(context)
    (path, key, start), (_, _, end) = receiver.received
    assert (path, key) == ("/api/v1/lineage", "Bearer of-a-receiver")
    assert [start["eventType"], end["eventType"]] == ["START", "COMPLETE"]
    assert start["run"] == end["run"]
    assert start["run"]["runId"] == str(context["ti"].id)
    facets = start["run"]["facets"]
    assert facets["nominalTime"]["nominalStartTime"] == "2013-03-31T00:00:00+08:00"
    assert facets["nominalTime"]["nominalEndTime"] == "2013-04-01T00:00:00+08:00"
    assert facets["parent"]["job"] == {"facets": {}, "namespace": "crw", "name": "ingest_feedback"}
    assert start["job"]["name"] == "ingest_feedback.publish"
    openlineage.completed(task("ingest_feedback.deliver"))
    assert receiver.received[2][2]["run"]["facets"]["parent"]["run"] == facets["parent"]["run"]  # of one DAG run


def test_a_table_has_one_name_from_its_source_to_raw(receiver):
    _, sources, landed = told(receiver, "ingest_feedback.extract")
    _, validated, refused = told(receiver, "ingest_feedback.validate")
    _, published, raw = told(receiver, "ingest_feedback.publish")
    names = [table.identifier for table in contracts.sources()["feedback"]]
    assert ("postgres://cases.example.com:5432", "cases.case_management.cases") in sources
    assert landed == validated == published == [(HOME, f"warehouse.landing.{name}") for name in names]
    assert raw == [(HOME, f"warehouse.raw.{name}") for name in names]
    assert refused == [(HOME, "warehouse.quarantine.record")]
    assert ("https://crm.example.com", "v1/memberships") in told(receiver, "ingest_membership.extract")[1]
    assert ("file", "/data/SURVEY/*") in told(receiver, "ingest_survey.extract")[1]
    assert told(receiver, "ingest_liaison.extract")[1] == [("file", "/data/LIAISON/**/*.xlsx")]


def test_a_column_of_a_kpi_is_made_of_what_the_page_says(receiver, tmp_path):
    manifest(tmp_path)
    event, inputs, outputs = told(receiver, "warehouse.build")
    assert inputs == [(HOME, "warehouse.raw.feedback__cases"), (HOME, "warehouse.core.code_list")]
    assert {name for _, name in outputs} == {
        f"warehouse.{name}" for name in ("core.fct", "candidate.kpi_engagement_hotline", "candidate.customer_360")
    }
    hotline = next(d for d in event["outputs"] if d["name"].endswith("hotline"))
    made_of = hotline["facets"]["columnLineage"]["fields"]["average_wait_seconds"]["inputFields"]
    (line,) = [
        line
        for line in lineage.PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `kpi_engagement_hotline.average_wait_seconds`")
    ]
    assert line.split("|")[3].strip(" `").split("`, `") == [
        f"{field['name'].removeprefix('warehouse.raw.')}.{field['field']}" for field in made_of
    ]
    event, _, outputs = told(receiver, "warehouse.publish_marts")
    assert [name for _, name in outputs] == [
        "warehouse.marts.kpi_engagement_hotline", "warehouse.accounts.customer_360",
    ]  # fmt: skip
    (answered,) = event["outputs"][0]["facets"]["columnLineage"]["fields"]["answered"]["inputFields"]
    assert (answered["name"], answered["field"]) == ("warehouse.candidate.kpi_engagement_hotline", "answered")
    assert told(receiver, "warehouse.report")[1] == outputs


def test_a_failure_says_what_it_was_of_and_nothing_of_the_error_and_a_skip_reads_nothing(receiver):
    context = task("ingest_feedback.publish") | {"exception": ValueError("Chan Tai Man")}
    openlineage.failed(context)
    event = receiver.received.pop()[2]
    assert (event["eventType"], len(event["outputs"])) == ("FAIL", len(contracts.sources()["feedback"]))
    assert "Chan" not in json.dumps(event)
    assert told(receiver, "warehouse.build", openlineage.failed)[1:] == ([], [])  # dbt has written no manifest yet
    event, inputs, outputs = told(receiver, "warehouse.build", openlineage.skipped)
    assert (event["eventType"], inputs, outputs) == ("COMPLETE", [], [])


def test_no_event_holds_a_secret(receiver, tmp_path):
    manifest(tmp_path)
    for dag, tasks in {
        "warehouse": ("build", "validate_marts", "publish_marts", "report"),
        **dict.fromkeys(["ingest_feedback", "ingest_membership"], ("extract", "validate", "publish", "deliver")),
    }.items():
        for name in tasks:
            openlineage.completed(task(f"{dag}.{name}"))
    said = json.dumps([event for _, _, event in receiver.received])
    assert len(receiver.received) == 12
    assert [secret for secret in SECRETS if secret in said] == []


@pytest.mark.parametrize("status", [401, 500])
def test_a_receiver_that_refuses_is_told_in_the_log_once_an_event_and_fails_nothing(receiver, status, caplog):
    receiver.status = status
    openlineage.completed(task("ingest_feedback.publish"))
    (said,) = caplog.messages
    assert said.startswith("COMPLETE is not told: ")
    assert str(status) in said
    assert len(receiver.received) == 1


def test_a_receiver_that_never_ends_its_answer_costs_a_task_its_patience_once(receiver, monkeypatch, caplog):
    monkeypatch.setattr(openlineage, "PATIENCE", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as endless:
        threading.Thread(target=answer_byte_by_byte, args=[endless], daemon=True).start()
        host = f"http://127.0.0.1:{endless.getsockname()[1]}"
        monkeypatch.setenv("AIRFLOW_CONN_OPENLINEAGE", json.dumps({"conn_type": "http", "host": host}))
        took = []
        for tell in (openlineage.started, openlineage.completed):
            began = time.monotonic()
            tell(task("ingest_feedback.publish"))
            took.append(time.monotonic() - began)
        assert took[0] < 0.4 <= took[1] < 2
    assert "COMPLETE is not told: no answer within 0.4 s" in caplog.messages


def answer_byte_by_byte(server):
    """Answer every connection, each byte in time and the answer never."""
    answering = [server.accept()[0] for _ in range(2)]
    with suppress(OSError):  # nobody listens any more
        for byte in b"HTTP/1.1 200 OK " + b"x" * 100:
            time.sleep(0.05)
            for connection in answering:
                connection.send(bytes([byte]))


def test_a_receiver_that_is_set_wrongly_fails_nothing(receiver, monkeypatch, caplog):
    monkeypatch.setenv("AIRFLOW_CONN_OPENLINEAGE", json.dumps({"conn_type": "http"}))
    openlineage.completed(task("ingest_feedback.publish"))
    (said,) = caplog.messages
    assert said.startswith("COMPLETE is not told: ")


def test_without_a_receiver_a_task_has_its_own_callbacks_alone(receiver, monkeypatch):
    own = {"on_failure_callback": print}
    assert openlineage.callbacks(**own)["on_failure_callback"] == [print, openlineage.failed]
    monkeypatch.setenv("AIRFLOW_CONN_OPENLINEAGE", "")  # as a deployment has it that sets none
    assert openlineage.callbacks(**own) == own
