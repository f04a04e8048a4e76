"""The files that a night did not read: once a file and date, each night anew, whichever tables of the source leave it."""

from __future__ import annotations

import json
import os
from datetime import date, datetime

import pytest

from crw import contracts, ingest, unread
from crw.contracts import ContractError
from crw.settings import CLOCK
from crw.sources import scratch
from tests.drop_folder import deliver

FIRST, SECOND = date(2013, 3, 31), date(2013, 4, 1)
TABLES = [contracts.table("engagement", name) for name in ("email_event", "website_day")]
EVENT = {"email": "p@example.com", "timestamp": 1364700000, "event": "open", "category": "c", "sg_event_id": "e1"}


@pytest.fixture
def drop(tmp_path, monkeypatch):
    monkeypatch.setenv(
        "AIRFLOW_CONN_ENGAGEMENT_DROP", json.dumps({"conn_type": "fs", "extra": {"path": str(tmp_path)}})
    )
    monkeypatch.setenv("CRW_PSEUDONYM_KEY", "of-a-test")
    return tmp_path


def night(database, business_date, tables=TABLES):
    for table in tables:
        ingest.extract(database, table, business_date, "test")
    return unread.of(database, business_date)


def test_a_file_is_named_each_night_until_it_is_gone(database, drop):
    stray = deliver(drop, "newsletter/e.json", json.dumps(EVENT))
    cut = deliver(drop, "newsletter/n.jsonl", "[" + json.dumps(EVENT))
    patterns = ", ".join(table.layout.files for table in contracts.sources()["engagement"])
    told = [
        ("engagement", "newsletter/e.json", f"no pattern of engagement's tables matches: {patterns}"),
        ("engagement", "newsletter/n.jsonl", "it ends within an array: the file is cut"),
    ]
    assert night(database, FIRST) == told
    assert night(database, SECOND) == told
    assert database.execute("select rows_read, deliveries from audit.load").fetchall() == [(0, {})] * 4
    stray.unlink()
    cut.write_text(json.dumps([EVENT]))
    os.utime(cut, (datetime(2013, 3, 31, 9, tzinfo=CLOCK).timestamp(),) * 2)
    assert night(database, SECOND) == []
    assert len(unread.of(database, FIRST)) == 2
    assert database.execute("select max(rows_read) from audit.load").fetchone() == (1,)


def test_what_is_not_read_is_named_though_the_load_fails(database, drop):
    deliver(drop, "newsletter/e.json", json.dumps(EVENT))
    deliver(drop, "newsletter/n.jsonl", json.dumps(EVENT | {"unheard_of": 1}))
    with pytest.raises(ContractError):
        night(database, FIRST)
    assert [name for _, name, _ in unread.of(database, FIRST)] == ["newsletter/e.json"]


def test_a_load_sweeps_what_a_killed_one_left(database, drop):
    (scratch.room() / f"{scratch.PREFIX}left").mkdir()
    night(database, FIRST, TABLES[:1])
    assert list(scratch.room().iterdir()) == []
