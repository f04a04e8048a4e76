"""A backup becomes the warehouse of a new home, whole and under the same key, or changes nothing."""

from __future__ import annotations

import json
from datetime import date

import psycopg
import pytest

from crw import contracts, settings, warehouse
from crw.local import backup, environment, services
from crw.privacy import pseudonym_key

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
