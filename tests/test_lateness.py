"""What is written down of a run that is past its deadline; that the scheduler asks for it is tests/e2e's business."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.serialization.encoders import encode_deadline_alert

from crw import lateness


@pytest.fixture
def note(database, warehouse_dsn, monkeypatch):
    """Note a run of the given type as late, and return what is then in audit.late_run."""
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", warehouse_dsn)

    def noted(run_type):
        run = {"dag_id": "warehouse", "dag_run_id": "r", "run_type": run_type, "partition_key": "2013-03-31"}
        lateness.note({"dag_run": run, "deadline": {"deadline_time": "2013-04-01T02:00:00+08:00"}})
        rows = database.execute("select dag_id, run_id, business_date::text, due_at::text from audit.late_run")
        return rows.fetchall()

    return noted


def test_a_late_run_is_noted_once(note):
    assert note("scheduled") == note("scheduled") == [("warehouse", "r", "2013-03-31", "2013-04-01 02:00:00+08")]


def test_a_backfilled_run_is_never_late(note):
    assert note("backfill") == []


def test_airflow_can_reckon_the_deadline_of_a_run_that_is_cleared_anew():
    """It makes a timedelta of the stored interval, which must then be a number."""
    stored = encode_deadline_alert(lateness.DEADLINE)
    assert timedelta(seconds=stored["interval"]) == lateness.ALLOWED
