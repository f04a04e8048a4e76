"""A night of the local run, as far as it can be told without running one."""

from __future__ import annotations

import fcntl
from datetime import date

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


def test_a_table_that_is_not_compared_with_its_source_is_not_in_the_comparison(database):
    database.execute(
        "insert into audit.load (source, table_name, business_date, interval_start, interval_end, run_id, state, rows_at_source) values "
        "('survey', 'delivery', '2013-03-31', '2013-03-30', '2013-03-31', 'test', 'published', null), "
        "('feedback', 'cases', '2013-03-31', '2013-03-30', '2013-03-31', 'test', 'published', 7)"
    )
    assert list(summary._compared(database, date(2013, 3, 31)).columns[0].cells) == ["feedback.cases"]


def test_a_night_tells_when_its_figures_were_out_and_when_it_ended(database):
    assert summary._told_time(database, 37) == "took 37 s"
    database.execute(
        "insert into audit.publication (business_date, run_id, mart, row_count, published_at) "
        "values ('2013-03-31', 'test', 'kpi_feedback', 1, clock_timestamp() - interval '5 s')"
    )
    assert summary._told_time(database, 37) == "was out after 32 s and ended after 37 s"
    assert summary._told_time(database, 3) == "took 3 s"  # the marts are of an earlier night
