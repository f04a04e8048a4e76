"""Scratch folders: nothing stays behind of a reader, not even of one that was killed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from crw.sources import scratch

HELD = (
    "from crw.sources import scratch\nwith scratch.folder() as f: (f / 'rows').touch(); print(f, flush=True); input()"
)


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.setenv("CRW_SCRATCH", str(tmp_path / "scratch"))
    return tmp_path / "scratch"


def test_what_a_killed_reader_left_is_swept_and_what_another_reads_is_not(room):
    killed, alive = (
        subprocess.Popen([sys.executable, "-c", HELD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    )
    with killed, alive, scratch.folder() as own:
        left, others = (process.stdout.readline().strip() for process in (killed, alive))
        killed.kill()
        killed.wait()
        (room / "not-ours").mkdir()
        assert {str(path) for path in room.glob("crw-*")} == {left, others, str(own)}
        scratch.sweep()
        assert {str(path) for path in room.iterdir()} == {others, str(own), str(room / "not-ours")}
        alive.communicate("\n")
    assert [path.name for path in room.iterdir()] == ["not-ours"]


def test_it_is_its_owners_alone(room):
    with scratch.folder() as folder:
        assert [path.stat().st_mode & 0o777 for path in (room, folder)] == [0o700, 0o700]
