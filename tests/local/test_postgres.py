"""The embedded server: one command at a time starts it, and none kills a server that lives."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crw.local import postgres
from crw.local.postgres import Server


@pytest.fixture
def own_server(tmp_path):
    server = Server(tmp_path / "postgres")
    yield server
    server.stop()


def postmaster(server):
    return int((server.data / "postmaster.pid").read_text().split()[0])


def test_a_server_below_a_linked_folder_is_known_to_run(own_server, tmp_path):
    own_server.directory.mkdir()
    (tmp_path / "link").symlink_to(own_server.directory)
    linked = Server(tmp_path / "link")
    linked.start()
    before = postmaster(own_server)
    assert linked.is_running()
    own_server.start()
    assert postmaster(own_server) == before


def test_a_server_that_does_not_answer_is_left_alone_by_whatever_path_it_is_reached(own_server, tmp_path, monkeypatch):
    monkeypatch.setattr(postgres, "PATIENCE", 1)
    (tmp_path / "link").symlink_to(own_server.directory)
    own_server.start()
    before = postmaster(own_server)
    os.kill(before, signal.SIGSTOP)
    for server in (own_server, Server(tmp_path / "link")):
        with pytest.raises(RuntimeError, match="has not answered"):
            server.start()
    os.kill(before, signal.SIGCONT)
    assert own_server.is_running()
    assert postmaster(own_server) == before


def test_a_server_whose_folder_was_removed_makes_way(own_server, monkeypatch):
    monkeypatch.setattr(postgres, "PATIENCE", 1)
    own_server.start()
    shutil.rmtree(own_server.directory)
    own_server.start()
    assert own_server.is_running()


def test_two_commands_at_once_start_one_server(own_server):
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: own_server.start(), range(2)))
    assert own_server.is_running()
    assert (own_server.data / "server.log").read_text().count("starting PostgreSQL") == 1


def test_a_server_that_does_not_answer_yet_is_waited_for(own_server):
    own_server.start()
    before = postmaster(own_server)
    os.kill(before, signal.SIGSTOP)
    threading.Timer(4, os.kill, (before, signal.SIGCONT)).start()  # longer than a connection is tried for
    own_server.start()
    assert postmaster(own_server) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another user")
def test_root_without_the_right_to_read_everything_starts_it_too():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        run = f"from pathlib import Path; from crw.local.postgres import Server; s = Server(Path({folder!r}) / 'pg'); s.start(); s.stop()"
        command = [
            "setpriv",
            "--bounding-set=-dac_read_search",
            "--inh-caps=-dac_read_search",
            sys.executable,
            "-c",
            run,
        ]
        result = subprocess.run(command, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
