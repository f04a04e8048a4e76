"""The environment of a local run: whose connections it holds, and when its schedule ends."""

from __future__ import annotations

import pytest

from crw.local import environment
from crw.local.postgres import Server


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home whose server was made; no source is the user's."""
    monkeypatch.setattr(environment.settings, "HOME", tmp_path)
    Server(tmp_path / "postgres").directory.mkdir()
    (tmp_path / "postgres" / "port").write_text("5432")
    (tmp_path / "postgres" / "password").write_text("secret")
    for name in ("CRW_SOURCES", *environment.sample_connections()):
        monkeypatch.delenv(name, raising=False)


def connections(variables):
    return {name for name in variables if name.startswith("AIRFLOW_CONN_")} - {
        "AIRFLOW_CONN_MARTS",
        "AIRFLOW_CONN_WAREHOUSE",
    }


def test_the_schedule_ends_with_the_samples_where_all_are_in_use(home, monkeypatch):
    assert environment.variables()["CRW_SCHEDULE_END"] == environment.SAMPLE_END
    monkeypatch.setenv("AIRFLOW_CONN_CRM_API", "http://crm.example.com")
    assert "CRW_SCHEDULE_END" not in environment.variables()


def test_only_the_sources_that_take_part_have_samples_and_end_the_schedule(home, monkeypatch):
    monkeypatch.setenv("CRW_SOURCES", "feedback,survey")
    monkeypatch.setenv("AIRFLOW_CONN_CRM_API", "http://crm.example.com")
    variables = environment.variables()
    assert connections(variables) == {"AIRFLOW_CONN_CASE_MANAGEMENT", "AIRFLOW_CONN_SURVEY_DROP"}
    assert environment.samples_in_use() == connections(variables)
    assert list(environment.drop_folders()) == ["survey"]
    assert variables["CRW_SCHEDULE_END"] == environment.SAMPLE_END
    assert variables["CRW_SOURCES"] == "feedback,survey"
    monkeypatch.setenv("CRW_SOURCES", "feedback,membership")
    assert "CRW_SCHEDULE_END" not in environment.variables()
