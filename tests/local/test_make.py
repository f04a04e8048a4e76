"""What the Makefile hands on, by a stand-in for `crw`."""

from __future__ import annotations

import subprocess

import pytest

from crw.settings import PROJECT


@pytest.fixture
def environment(tmp_path):
    """An environment whose `crw` prints its last argument."""
    (tmp_path / "bin").mkdir()
    crw = tmp_path / "bin" / "crw"
    crw.write_text("""#!/bin/sh\nfor last; do :; done; printf %s "$last"\n""")
    crw.chmod(0o755)
    (tmp_path / "ready").touch()
    return tmp_path


@pytest.mark.parametrize(
    "query",
    [
        """select count(*) as "n" from marts.kpi_feedback where unit ~ '^CLG$'""",
        r"select '`id`', '\d', $$x$$, '$HOME', '#'",
        "select '$(error a part of the query)'",
    ],
)
def test_sql_hands_on_the_query_as_it_was_given(environment, query):
    command = ["make", "-s", "sql", f"VENV={environment}", f"Q={query}"]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == (query, "")


def test_clean_removes_its_own_home_only(environment):
    for name in ("my home", "my", "home"):
        (environment / name).mkdir()
    command = ["make", "-s", "-f", str(PROJECT / "Makefile"), "clean", "VENV=venv", "CRW_HOME=my home"]
    subprocess.run(command, cwd=environment, check=True)
    assert {path.name for path in environment.iterdir()} == {"bin", "ready", "my", "home"}
