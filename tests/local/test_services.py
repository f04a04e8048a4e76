"""The processes of `make up`, as far as it can be told without running Airflow."""

from __future__ import annotations

import time

import httpx
import pytest

from crw.local import services


def test_an_airflow_process_that_ends_is_named_with_its_log(tmp_path, monkeypatch):
    monkeypatch.setattr(services.settings, "HOME", tmp_path)
    monkeypatch.setattr(services, "AIRFLOW_PROCESSES", {"airflow-scheduler": ["scheduler", "--no-such-option"]})
    log = tmp_path / "logs" / "airflow-scheduler.log"
    with pytest.raises(RuntimeError, match=f"airflow-scheduler has ended: see {log}"):
        services.start_airflow({"AIRFLOW_HOME": str(tmp_path / "airflow")})
    assert "--no-such-option" in log.read_text()


def test_the_newest_pages_are_served_on_this_machine_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(services.settings, "HOME", tmp_path)
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(name)
    (tmp_path / "site").symlink_to("old")
    address = services.start_site()
    try:
        assert address.startswith("http://127.0.0.1:")
        assert _answer(address) == "old"
        (tmp_path / "next").symlink_to("new")
        (tmp_path / "next").replace(tmp_path / "site")
        assert _answer(address) == "new"
        assert services.start_site() == address
    finally:
        services.stop("site")
    assert not services.is_running("site")


def _answer(address: str) -> str:
    for _ in range(100):
        try:
            return httpx.get(address, trust_env=False).text
        except httpx.ConnectError:  # it has not begun to listen
            time.sleep(0.1)
    raise AssertionError("nothing listens")
