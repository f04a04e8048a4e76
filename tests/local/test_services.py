"""The processes of `make up`, as far as it can be told without running Airflow."""

from __future__ import annotations

import pytest

from crw.local import services


def test_an_airflow_process_that_ends_is_named_with_its_log(tmp_path, monkeypatch):
    monkeypatch.setattr(services.settings, "HOME", tmp_path)
    monkeypatch.setattr(services, "AIRFLOW_PROCESSES", {"airflow-scheduler": ["scheduler", "--no-such-option"]})
    log = tmp_path / "logs" / "airflow-scheduler.log"
    with pytest.raises(RuntimeError, match=f"airflow-scheduler has ended: see {log}"):
        services.start_airflow({"AIRFLOW_HOME": str(tmp_path / "airflow")})
    assert "--no-such-option" in log.read_text()
