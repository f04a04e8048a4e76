"""What a command does where there is no warehouse: in a new home, or in a container that is told of none."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from crw.local import cli, environment
from crw.local.arguments import parser

BY = ("--by", "Officer 7")


@pytest.fixture(autouse=True)
def process(monkeypatch):
    """A command closes what it writes to all others and keeps libraries quiet, and so would this process from then on."""
    monkeypatch.setenv("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")
    before = os.umask(environment.OTHERS)
    os.umask(before)
    yield
    os.umask(before)


def test_what_is_no_date_is_told_how_one_is_written(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["nightly", "--date", "31-03-2013"])
    assert "31-03-2013 is no date as 2013-03-31" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ("erase", "--reason", "request 12", *BY),
        ("subject", "request-12"),
        ("readmit", "--reason", "request 13", *BY),
        ("rotate-key", *BY),
        ("held",),
        ("approve", "feedback.cases", "2013-04-01", "volume_extreme", "--reason", "a drive", *BY),
        ("reject", "feedback.cases", "2013-04-01", "volume_extreme", "--reason", "a drive", *BY),
        ("quarantine", "list"),
        ("site",),
        ("export", "marts"),
        ("sql", "select 1"),
        ("mf", "list", "metrics"),
        ("backup", "warehouse.dump"),
    ],
    ids=lambda command: command[0],
)
def test_a_command_that_asks_the_warehouse_makes_no_empty_one_to_ask(tmp_path, monkeypatch, command):
    monkeypatch.setattr(environment.settings, "HOME", tmp_path)
    monkeypatch.delenv("CRW_PGHOST", raising=False)
    monkeypatch.setattr("sys.argv", ["crw", *command])
    with pytest.raises(
        SystemExit, match=rf"^there is no warehouse in {tmp_path}: run `make nightly` first, or set CRW_HOME "
    ):
        cli.main()
    assert list(tmp_path.iterdir()) == []


def test_a_command_whose_reader_went_first_ends_quietly(warehouse_dsn):
    """As `crw quarantine list | head`."""
    reading, writing = os.pipe()
    os.close(reading)
    command = subprocess.run(
        [sys.executable, "-m", "crw.local.cli", "quarantine", "list"],
        env={**os.environ, "AIRFLOW_CONN_WAREHOUSE": warehouse_dsn, "CRW_PGHOST": "told by its connection"},
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    assert (command.returncode, command.stderr) == (141, b"")
