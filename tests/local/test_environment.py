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
    return tmp_path


def connections(variables):
    return {name for name in variables if name.startswith("AIRFLOW_CONN_")} - {
        "AIRFLOW_CONN_AIRFLOW_METADATA",
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


def test_no_process_of_a_night_is_told_the_superusers_password(home):
    assert not [name for name, value in environment.variables().items() if "secret" in value]


def test_a_state_folder_that_others_may_enter_is_closed_whole(home):
    (home / "postgres" / "data").mkdir(mode=0o755)
    (home / "logs").mkdir(mode=0o755)
    (home / "logs" / "site.log").touch(mode=0o644)
    (home / "logs" / "run").touch(mode=0o755)
    (home / "outside").symlink_to("/etc")
    outside = (home / "outside").stat().st_mode
    home.chmod(0o755)
    environment.keep_private()
    assert {path.name: oct(path.lstat().st_mode & 0o777) for path in (home, *home.rglob("*")) if not path.is_symlink()} == {
        home.name: "0o700", "logs": "0o700", "site.log": "0o600", "run": "0o700",
        "postgres": "0o700", "port": "0o600", "password": "0o600", "data": "0o755", "state.json": "0o600",
    }  # fmt: skip
    assert (home / "outside").stat().st_mode == outside
