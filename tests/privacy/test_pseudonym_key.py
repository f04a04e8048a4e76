"""The key that a warehouse is first used with is its own, whoever of the first night's sources says so first."""

from __future__ import annotations

import threading

import psycopg

from crw.privacy import pseudonym_key

WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


def test_two_sources_of_the_first_night_may_come_at_once(database, warehouse_dsn, monkeypatch):
    monkeypatch.setenv("CRW_PSEUDONYM_KEY", "the key of a test")
    with psycopg.connect(warehouse_dsn) as first, psycopg.connect(warehouse_dsn) as second:
        pseudonym_key.current(first)
        found = []
        other = threading.Thread(target=lambda: found.append(pseudonym_key.current(second)))
        other.start()
        while database.execute(WAITING).fetchone() == (0,) and other.is_alive():
            pass
        first.commit()
        other.join()
    assert found == [b"the key of a test"]
