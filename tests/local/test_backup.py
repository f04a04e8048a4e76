"""A backup becomes the warehouse of a new home, whole and under the same key, or changes nothing."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import time
from datetime import date
from pathlib import Path

import psycopg
import pytest

from crw import contracts, settings, warehouse
from crw.local import backup, environment, services
from crw.local.postgres import Server, binaries
from crw.privacy import pseudonym_key
from crw.settings import PROJECT

KEY = "the key of the home that is written"
TABLES = ("raw.feedback__category", "audit.load", "audit.pseudonym_key", "marts.kpi_feedback")


@pytest.fixture
def make_warehouse(tmp_path, monkeypatch):
    """A function that makes a home's databases and returns the warehouse; the homes before it stay as they are."""
    servers = []

    def make(name):
        monkeypatch.setattr(settings, "HOME", tmp_path / name)
        servers.append(services.start_databases())
        return servers[-1].dsn("warehouse")

    yield make
    for server in servers:
        server.stop()


def content(address):
    with psycopg.connect(address) as connection:
        return {name: connection.execute(f"select t::text from {name} as t").fetchall() for name in TABLES}


def test_a_new_home_goes_on_from_a_backup_under_its_key_alone(make_warehouse, tmp_path, monkeypatch):
    written, file = make_warehouse("written"), tmp_path / "warehouse.dump"
    monkeypatch.setenv("CRW_PSEUDONYM_KEY", KEY)
    with psycopg.connect(written, autocommit=True) as connection:
        pseudonym_key.current(connection)
        table = contracts.table("feedback", "category")
        load = (
            "insert into audit.load (source, table_name, business_date, run_id, interval_start, interval_end) values "
        )
        connection.execute(load + "('feedback', 'category', '2013-03-31', 'x', '2013-01-01', '2013-04-01')")
        warehouse.ensure_partition(connection, table, date(2013, 3, 31))
        row = "('A', 'complaint', null, 'a', 'a', now(), 1, %s)"
        connection.execute(f"insert into raw.feedback__category values {row}", [date(2013, 3, 31)])
        connection.execute("create table marts.kpi_feedback (cases int); insert into marts.kpi_feedback values (7)")
        connection.execute("grant select on marts.kpi_feedback to crw_dashboard")
    backup.write(file)
    with pytest.raises(backup.BackupError, match="a warehouse of its own"):
        backup.restore(file, KEY)

    restored = make_warehouse("restored")
    with pytest.raises(backup.BackupError, match="have another key"):
        backup.restore(file, None)
    with pytest.raises(backup.BackupError, match="pg_restore failed"):
        backup.restore(tmp_path / "restored" / "state.json", KEY)
    with psycopg.connect(restored) as connection:
        assert connection.execute("select count(*) from audit.load").fetchone() == (0,)
    backup.restore(file, KEY)
    assert content(restored) == content(written)
    assert json.loads((tmp_path / "restored" / "state.json").read_text())["pseudonym_key"] == KEY
    with psycopg.connect(environment.role_dsn("crw_dashboard")) as reader:
        assert reader.execute("select cases from marts.kpi_feedback").fetchall() == [(7,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("select from raw.feedback__category")


def test_a_server_that_archives_goes_back_to_a_moment(tmp_path, request):
    runbook = (PROJECT / "docs" / "runbook.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^\*\*Restore to a point in time\..*?(?=^\*\*)", runbook, re.S | re.M)
    archived, base = tmp_path / "archive", tmp_path / "base"
    for folder in (tmp_path, *tmp_path.parents):  # PostgreSQL's own account enters, where root starts it
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o001)
    first, second = Server(tmp_path / "first"), Server(tmp_path / "second")
    for server in (first, second):
        request.addfinalizer(server.stop)
    first.start()
    archived.mkdir()
    shutil.chown(archived, first.data.stat().st_uid)

    def of_here(text):
        return text.replace("/archive", str(archived)).replace("/backups/base", str(base))

    lines = [of_here(line) for code in re.findall(r"```\n(.*?)```", section, re.S) for line in code.splitlines()]
    with psycopg.connect(first.dsn(), autocommit=True) as connection:
        for line in lines[:2]:
            connection.execute(line.partition("#")[0])
    first.stop()
    first.start()
    program, *arguments = shlex.split(lines[2])
    subprocess.run([binaries() / program, *arguments, "--dbname", first.dsn()], check=True)
    with psycopg.connect(first.dsn(), autocommit=True) as connection:
        connection.execute("create table night (date text); insert into night values ('good')")
        (moment,) = connection.execute("select clock_timestamp()::text").fetchone()
        connection.execute("delete from night")
        connection.execute("select pg_switch_wal()")
        last = "select last_archived_time > %s::timestamptz from pg_stat_archiver"
        while connection.execute(last, [moment]).fetchone() != (True,):
            time.sleep(0.1)
    first.stop()

    second.directory.mkdir()
    base.rename(second.directory / "data")
    for name in ("port", "password"):
        shutil.copy(first.directory / name, second.directory / name)
    with (second.data / "postgresql.auto.conf").open("a") as settings_file:
        settings_file.write("\n".join(lines[3:]).replace("2013-04-01 08:00:00+08", moment) + "\narchive_mode = off\n")
    (second.data / "recovery.signal").touch()
    second.start()
    with psycopg.connect(second.dsn()) as connection:
        while connection.execute("select pg_is_in_recovery()").fetchone() == (True,):
            time.sleep(0.1)
        assert connection.execute("select date from night").fetchall() == [("good",)]
