"""The drills of the runbook: each fault told once, to a receiver that is really there, over once it is mended, and told so once."""

from __future__ import annotations

import json
import os
import re
import socketserver
import threading
from datetime import date, datetime, timedelta
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowException
from psycopg.types.json import Jsonb

from crw import alerts, contracts, held, ledger, standing, warehouse
from crw.settings import CLOCK, PROJECT

NIGHT = date(2013, 3, 31)
MORNING = datetime(2013, 4, 1, 8, tzinfo=CLOCK)
RUNBOOK = (PROJECT / "docs" / "runbook.md").read_text(encoding="utf-8")
CASES = contracts.table("feedback", "cases")


class Mail(socketserver.StreamRequestHandler):
    """A mail server that takes whatever it is sent."""

    def handle(self):
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                body = b"".join(iter(self.rfile.readline, b".\r\n"))
                mail = message_from_bytes(body)
                text = next(part for part in mail.walk() if part.get_content_maintype() == "text")
                said = text.get_payload(decode=True).decode()
                self.server.received.append({"to": mail["To"], "subject": mail["Subject"], "text": said})
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")


class Hook(BaseHTTPRequestHandler):
    """A webhook that answers with the server's status."""

    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 200:
            self.server.received.append(said)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receive():
    """A function that starts a receiver."""
    started = []

    def receive(kind, handler):
        server = kind(("127.0.0.1", 0), handler)
        server.received, server.status = [], 200
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)
        return server

    yield receive
    for server in started:
        server.shutdown()
        server.server_close()


@pytest.fixture
def hook(receive, monkeypatch):
    """The receiver of a machine that has room."""
    monkeypatch.setattr(standing.shutil, "disk_usage", lambda _: SimpleNamespace(free=50, total=100))
    server = receive(HTTPServer, Hook)
    address = {"conn_type": "http", "host": f"http://127.0.0.1:{server.server_port}/hooks/crw"}
    monkeypatch.setenv("AIRFLOW_CONN_ALERTS", json.dumps(address))
    return server


@pytest.fixture(scope="module")
def drilled(server):
    """A warehouse that every drill leaves as it found it."""
    name = "test_drills"
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(f"create database {name}")
        with psycopg.connect(server.dsn(name), autocommit=True) as connection:
            warehouse.install(connection)
            for tables in contracts.taking_part().values():
                for table in tables:
                    publish(connection, table)
            yield connection
        admin.execute(f"drop database {name} with (force)")


@pytest.fixture
def night(drilled, hook, monkeypatch):
    """A warehouse after a good night, at eight in the morning after it."""
    monkeypatch.delenv("CRW_SCHEDULE_END", raising=False)
    at(monkeypatch, MORNING)
    with drilled.transaction(force_rollback=True):
        assert alerts.tell(drilled) == ([], [])
        assert hook.received == []
        yield drilled


def at(monkeypatch, instant):
    known = standing.faults
    monkeypatch.setattr(standing, "faults", lambda warehouse, now=None: known(warehouse, now or instant))


def publish(database, table, night=NIGHT, **figures):
    load = ledger.start_load(database, table, night, "r")
    counts = {"rows_read": 0, "rows_published": 0, "rows_unchanged": 0, "rows_quarantined": 0}
    ledger.record(database, load, "published", **(counts | figures))
    return load


def validate(database, suite, success, rule, severity, rows, load=None):
    found = {"rule": rule, "severity": severity, "success": success, "unexpected": rows}
    database.execute(
        "insert into audit.validation (load_id, suite, business_date, success, rules, rules_failed, result) "
        "values (%s, %s, %s, %s, 1, 1, %s)",
        [load and load.load_id, suite, NIGHT, success or severity != "critical", Jsonb({"rules": [found]})],
    )


def refuse_a_load(database, monkeypatch, tmp_path):
    load = ledger.start_load(database, CASES, NIGHT, "r")
    validate(database, "landing/feedback/cases", False, "key_unique", "critical", 17, load)
    ledger.fail(database, load, ledger.LoadError("refused, as of 'somebody'"))
    return "feedback.cases", "2013-03-31: key_unique: 17 rows", lambda: publish(database, CASES)


def refuse_a_mart(database, monkeypatch, tmp_path):
    judge = ("marts/kpi_feedback", False, "not_halved", "critical", 3)
    validate(database, *judge)
    return judge[0], "2013-03-31: not_halved: 3 rows", lambda: validate(database, judge[0], True, *judge[2:])


def fail_a_task(database, monkeypatch, tmp_path):
    database.execute("insert into audit.failed_task values ('warehouse', 'build', '2013-03-31', 'r')")
    return "warehouse.build", "2013-03-31: failed, run r", lambda: database.execute("delete from audit.failed_task")


def hold_a_load(database, monkeypatch, tmp_path):
    load = ledger.start_load(database, CASES, NIGHT, "r")
    validate(database, "landing/feedback/cases", False, "volume_extreme", "critical", 1, load)
    database.execute("update audit.validation set held = '{volume_extreme}' where load_id = %s", [load.load_id])
    ledger.hold(database, load, ledger.LoadError("many times the usual rows"))
    database.execute("insert into audit.failed_task values ('ingest_feedback', 'validate', '2013-03-31', 'r')")

    def approve():
        held.approve(database, "feedback.cases", NIGHT, "volume_extreme", "a mailing", "Officer 7")
        database.execute("delete from audit.failed_task")

    return "feedback.cases", "2013-03-31: volume_extreme", approve


def hold_keys(database, monkeypatch, tmp_path):
    load = publish(database, CASES, rows_vanished=40, rows_in_raw=100, vanished_are_held=True)
    database.execute("insert into audit.vanished values (%s, '{}')", [load.load_id])
    return (
        "feedback.cases",
        "2013-03-31: 40 of 100 keys are gone from the source",
        lambda: held.approve(database, "feedback.cases", NIGHT, "vanished", "archived", "Officer 7"),
    )


def be_late(database, monkeypatch, tmp_path):
    database.execute(
        "insert into audit.late_run (dag_id, run_id, business_date, due_at) values ('warehouse', 'r', %s, '2013-04-01 02:00+08')",
        [NIGHT],
    )
    mend = "insert into audit.publication (business_date, run_id, mart, row_count) values (%s, 'r', 'kpi_feedback', 1)"
    return "warehouse", "2013-03-31: had not ended well at", lambda: database.execute(mend, [NIGHT])


def begin_no_night(database, monkeypatch, tmp_path):
    others = [table for tables in contracts.taking_part().values() for table in tables if table.source != "survey"]
    for table in others:
        publish(database, table, NIGHT + timedelta(days=1))
    at(monkeypatch, MORNING + timedelta(days=1))

    def mend():
        for table in contracts.sources()["survey"]:
            publish(database, table, NIGHT + timedelta(days=1))

    return "survey", "the last date published whole is 2013-03-31", mend


def run_out_of_holidays(database, monkeypatch, tmp_path):
    judge = ("marts/kpi_feedback_timeliness", False, "holidays_known_for_180_days", "warning", 1)
    validate(database, *judge)
    return judge[0], "public_holiday ends within 180 days", lambda: validate(database, judge[0], True, *judge[2:])


def lack_partitions(database, monkeypatch, tmp_path):
    for tables in contracts.taking_part().values():
        for table in tables:
            publish(database, table, date(2013, 4, 20))
            if table is not CASES:
                warehouse.ensure_partition(database, table, date(2013, 5, 1))
    at(monkeypatch, datetime(2013, 4, 21, 8, tzinfo=CLOCK))
    return (
        "raw",
        "missing: feedback__cases__2013_05",
        lambda: warehouse.ensure_partition(database, CASES, date(2013, 5, 1)),
    )


def fill_the_disk(database, monkeypatch, tmp_path):
    disk = SimpleNamespace(free=9 * 2**30, total=100 * 2**30)
    monkeypatch.setattr(standing.shutil, "disk_usage", lambda _: disk)
    return str(standing.settings.HOME), "9.0 GiB free of 100.0", lambda: setattr(disk, "free", 10 * 2**30)


def back_up_no_more(database, monkeypatch, tmp_path):
    monkeypatch.setenv("CRW_BACKUPS", str(tmp_path))
    for name, age in {"warehouse.dump": timedelta(hours=49), ".warehouse.dump.7": timedelta(0)}.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, ((MORNING - age).timestamp(),) * 2)

    def mend():
        (tmp_path / "warehouse-2.dump").touch()

    return str(tmp_path), "the newest is of 2013-03-30 07:00", mend


DRILLS = {
    "failed": refuse_a_load,
    "mart": refuse_a_mart,
    "task": fail_a_task,
    "held": hold_a_load,
    "vanished": hold_keys,
    "late": be_late,
    "stale": begin_no_night,
    "holidays": run_out_of_holidays,
    "partitions": lack_partitions,
    "disk": fill_the_disk,
    "backup": back_up_no_more,
}


def section(kind):
    """What the runbook says of a kind of fault, up to its next section."""
    (found,) = re.findall(rf"^\*\*{re.escape(standing.SECTIONS[kind])}\*\*.*?(?=^\*\*|\Z)", RUNBOOK, re.S | re.M)
    return found


def test_each_fault_has_a_section_and_a_drill():
    assert set(DRILLS) == set(standing.SECTIONS)
    assert all(map(section, standing.SECTIONS))


@pytest.mark.parametrize("kind", DRILLS)
def test_drill(kind, night, hook, monkeypatch, tmp_path):
    place, message, mend = DRILLS[kind](night, monkeypatch, tmp_path)
    new, over = alerts.tell(night)
    assert [(fault.kind, fault.place) for fault in new] == [(kind, place)]
    assert over == []
    assert message in new[0].message
    assert alerts.tell(night) == ([], [])
    (told,) = hook.received
    assert told["new"] == [
        {"kind": kind, "place": place, "message": new[0].message, "runbook": standing.SECTIONS[kind]}
    ]
    assert standing.SECTIONS[kind] in told["text"]
    assert "somebody" not in told["text"]
    for queries in re.findall(r"```sql\n(.*?)```", section(kind), re.S):
        found = [night.execute(query).fetchall() for query in queries.split(";") if query.strip()]
        assert any(found), queries
    mend()
    new, over = alerts.tell(night)
    assert (new, [(fault.kind, fault.place) for fault in over]) == ([], [(kind, place)])
    assert alerts.tell(night) == ([], [])
    assert len(hook.received) == 2
    assert night.execute("select count(*), count(closed_at) from audit.alert").fetchone() == (1, 1)


@pytest.fixture
def machines(night, monkeypatch):
    """A function that lets a machine look, with so much of its disk free and that folder of backups: what is new, what is over."""
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")

    def look(name, free=50, backups=""):
        monkeypatch.setattr(standing.socket, "gethostname", lambda: name)
        monkeypatch.setattr(standing.shutil, "disk_usage", lambda _: SimpleNamespace(free=free, total=100))
        monkeypatch.setenv("CRW_BACKUPS", str(backups))
        return tuple([(fault.kind, fault.place) for fault in faults] for faults in alerts.tell(night))

    return look


def pass_days(database, days):
    database.execute("update audit.alert set opened_at = opened_at - %s where closed_at is null", [timedelta(days)])


def test_of_several_machines_the_one_whose_disk_is_full_alone_tells_that_it_is_over(machines):
    full = [("disk", f"worker-1:{standing.settings.HOME}")]
    assert machines("worker-1", free=9) == (full, [])
    assert machines("worker-2") == ([], [])
    assert machines("worker-1", free=9) == ([], [])
    assert machines("worker-2", free=9) == ([("disk", f"worker-2:{standing.settings.HOME}")], [])
    assert machines("worker-1") == ([], full)


def test_the_fault_of_a_machine_that_is_no_more_is_over_when_it_was_not_told_again(night, machines):
    full = [("disk", f"worker-1:{standing.settings.HOME}")]
    machines("worker-1", free=9)
    pass_days(night, 2)
    assert machines("worker-2") == ([], [])
    assert machines("worker-1", free=9) == (full, [])
    assert machines("worker-1", free=9) == ([], [])
    pass_days(night, 2)
    assert machines("worker-2") == ([], [])
    pass_days(night, 2)
    assert machines("worker-2") == ([], full)


def test_all_machines_that_have_the_folder_of_backups_see_the_same_and_one_without_it_says_so(machines, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    old = [("backup", str(folder))]
    missing = [("backup", f"worker-2:{folder}")]
    assert machines("worker-1", backups=folder) == (old, [])
    assert machines("worker-3", backups=folder) == ([], [])
    folder.rename(tmp_path / "elsewhere")
    assert machines("worker-2", backups=folder) == (missing, [])
    (tmp_path / "elsewhere").rename(folder)
    (folder / "warehouse.dump").touch()
    os.utime(folder / "warehouse.dump", (MORNING.timestamp(),) * 2)
    assert machines("worker-3", backups=folder) == ([], old)
    assert machines("worker-2", backups=folder) == ([], missing)


def test_an_old_backup_is_not_over_for_a_machine_that_has_not_got_its_folder(night, machines, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    old = [("backup", str(folder))]
    assert machines("worker-1", backups=folder) == (old, [])
    for _ in range(2):
        pass_days(night, 2)
        assert machines("worker-1", backups=folder) == (old, [])  # told again, as what one machine alone sees
        folder.rename(tmp_path / "elsewhere")
        assert machines("worker-2") == ([], [])
        (tmp_path / "elsewhere").rename(folder)
    folder.rename(tmp_path / "elsewhere")
    pass_days(night, 4)
    assert machines("worker-2") == ([], old)  # no machine has it any more


def test_a_fault_that_comes_again_is_told_again_and_one_being_tried_again_still_stands(
    night, hook, monkeypatch, tmp_path
):
    refuse_a_load(night, monkeypatch, tmp_path)
    alerts.tell(night)
    ledger.start_load(night, CASES, NIGHT, "r")
    assert alerts.tell(night) == ([], [])
    publish(night, CASES)
    alerts.tell(night)
    refuse_a_load(night, monkeypatch, tmp_path)
    alerts.tell(night)
    assert [(len(told["new"]), len(told["over"])) for told in hook.received] == [(1, 0), (0, 1), (1, 0)]


def test_what_a_receiver_did_not_take_is_told_the_next_time(night, hook, monkeypatch, tmp_path):
    hook.status = 503
    fill_the_disk(night, monkeypatch, tmp_path)
    with pytest.raises(AirflowException, match="503"):
        alerts.tell(night)
    hook.status = 200
    alerts.tell(night)
    assert [fault["kind"] for told in hook.received for fault in told["new"]] == ["disk"]


def test_a_mail_names_the_fault_and_the_section(night, receive, monkeypatch, tmp_path):
    server = receive(socketserver.ThreadingTCPServer, Mail)
    extra = {"from_email": "crw@example.com", "to": "duty@example.com", "disable_ssl": True, "disable_tls": True}
    address = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.server_address[1], "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_ALERTS", json.dumps(address))
    refuse_a_load(night, monkeypatch, tmp_path)
    alerts.tell(night)
    alerts.tell(night)
    (mail,) = server.received
    assert (mail["to"], mail["subject"]) == ("duty@example.com", "Warehouse: 1 new, 0 over")
    assert "failed feedback.cases: 2013-03-31: key_unique: 17 rows" in mail["text"]
    assert "The night is red." in mail["text"]


def test_without_a_connection_the_table_says_it(night, monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW_CONN_ALERTS", "")
    fill_the_disk(night, monkeypatch, tmp_path)
    alerts.tell(night)
    assert night.execute("select kind from audit.alert where closed_at is null").fetchall() == [("disk",)]


def test_a_task_that_failed_tells_and_the_end_of_its_dag_tells_that_it_is_over(
    database, hook, warehouse_dsn, monkeypatch
):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_dsn)
    run = SimpleNamespace(dag_id="warehouse", run_id="r", partition_key="2013-03-31")
    for _ in range(2):
        alerts.task_failed({"dag_run": run, "ti": SimpleNamespace(task_id="build")})
    alerts.task_ended_well({"dag_run": run})
    assert [[fault["place"] for fault in told["new"] + told["over"]] for told in hook.received] == [
        ["warehouse.build"]
    ] * 2


def test_where_the_sources_have_an_end_nothing_is_due_by_the_calendar(night, monkeypatch):
    monkeypatch.setenv("CRW_SCHEDULE_END", "2013-04-30")
    assert standing.faults(night, MORNING + timedelta(days=90)) == []
