"""What a command says when something outside it ended it."""

from __future__ import annotations

import os
import signal
import socket
import time
from datetime import date
from pathlib import Path

import psycopg
import pytest
import sqlalchemy.exc
from rich.console import Console

from crw import settings
from crw.local import environment, faults, night, samples, scheduler
from crw.local.postgres import Server, StartError


def caught(kind, act):
    with pytest.raises(kind) as found:
        act()
    return found.value


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "HOME", tmp_path)
    line = faults.told(caught(OSError, lambda: Path("/dev/full").write_text("a night")))
    assert f"the disk of {tmp_path} is full" in line
    assert "start the same command again" in line


def test_a_server_without_connections_is_told(server, database):
    database.execute("create role of_no_connection login password 'x' connection limit 0")
    try:
        error = caught(
            psycopg.OperationalError, lambda: psycopg.connect(server.dsn("postgres", "of_no_connection", "x"))
        )
    finally:
        database.execute("drop role of_no_connection")
    assert "no connection left" in faults.told(error)


def test_a_sample_crm_that_hangs_is_told(tmp_path, monkeypatch, server):
    monkeypatch.setattr(settings, "HOME", tmp_path)
    monkeypatch.setattr(samples, "PATIENCE", 1)
    monkeypatch.setattr(environment, "server", lambda: server)
    with socket.create_server(("127.0.0.1", int(environment.state()["crm_port"]))) as silent:
        line = faults.told(caught(StartError, lambda: samples._start_crm(dict(os.environ))))
        address = "http://{}:{}".format(*silent.getsockname())
    assert line.startswith(f"the sample CRM does not answer at {address}: see {tmp_path / 'logs' / 'crm-api.log'}")
    assert "start the same command again" in line


def test_a_broken_connection_and_a_server_that_has_ended_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "HOME", tmp_path)
    server = Server(tmp_path / "postgres")
    server.start()
    try:
        with psycopg.connect(server.dsn(), autocommit=True) as admin, psycopg.connect(server.dsn()) as ours:
            admin.execute("select pg_terminate_backend(%s)", [ours.info.backend_pid])
            error = caught(psycopg.OperationalError, lambda: ours.execute("select 1"))
        assert faults.told(error).startswith("PostgreSQL broke off the connection (terminating connection due to")
        os.kill(int((server.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        error = caught(psycopg.OperationalError, lambda: psycopg.connect(server.dsn()))
        assert faults.told(error).startswith(f"PostgreSQL of {tmp_path} has ended: {server.data / 'server.log'}")
        queued = sqlalchemy.exc.OperationalError("insert into dag_run", {}, error)
        assert "has ended" in faults.told(queued)
    finally:
        server.stop()


def test_a_time_limit_of_a_statement_and_a_bug_are_not_taken_for_a_fault_from_outside(database):
    database.execute("set statement_timeout = 1")
    assert faults.told(caught(psycopg.OperationalError, lambda: database.execute("select pg_sleep(60)"))) is None
    assert faults.told(ValueError("a bug")) is None


def test_a_scheduler_that_was_killed_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "HOME", tmp_path)
    process = scheduler._start("scheduler", lambda: time.sleep(600))
    scheduler._look_at(process)
    process.kill()
    process.join()
    error = caught(scheduler.EndedError, lambda: scheduler._look_at(process))
    assert "scheduler was killed by SIGKILL" in faults.told(error)


def test_a_task_that_stands_as_running_and_tells_nothing_any_more_does_not_keep_a_night_waiting(database):
    """Its worker is gone, and the clock was set back since: Airflow gives it up when that hour has come again."""
    database.execute("create table task_instance (id int, state text, last_heartbeat_at timestamptz)")
    database.execute(
        "insert into task_instance values (1, 'running', now() + interval '1 hour'), (2, 'running', now())"
    )
    watch = night._Watch(Console(), 0, date(2013, 3, 31), date(2013, 3, 31), database)
    assert watch._lives(database)
    assert not watch._lives(database)
    database.execute("update task_instance set last_heartbeat_at = clock_timestamp() where id = 2")
    assert watch._lives(database)
    database.execute("update task_instance set state = 'success' where id = 2")
    assert watch._lives(database)
    assert not watch._lives(database)
