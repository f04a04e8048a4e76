"""A night of the local run, as far as it can be told without running one."""

from __future__ import annotations

import fcntl

from crw.local import summary


def test_two_nights_of_one_home_are_kept_apart(make_home):
    home = make_home("busy")
    with (home.folder / "night.lock").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        result = home.nightly("2013-03-31")
    assert result.returncode == 1
    assert "another night runs" in result.stdout
    assert not (home.folder / "postgres").exists()


def test_a_night_whose_pages_failed_is_red_and_published():
    assert (
        summary.verdict(succeeded=False, is_published=True)
        == "[green]published[/], [red]but a task failed: see above[/]"
    )
    assert summary.verdict(succeeded=True, is_published=True) == "[green]published[/]"
    assert summary.verdict(succeeded=False, is_published=False).startswith("[red]NOT published")
