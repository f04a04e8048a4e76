"""However a month of nights came about, its marts are the same: by the real scheduler, in a home for each history."""

from __future__ import annotations

import json

import pytest

from crw.settings import PROJECT

pytestmark = pytest.mark.long

FIRST, LAST = "2013-03-31", "2013-04-30"


@pytest.fixture(scope="module")
def straight(make_home):
    """The marts of one run for the last night, which reads everything at once."""
    home = make_home("straight")
    assert home.nightly(LAST).returncode == 0
    return home.marts()


def assert_same(marts, expected):
    assert marts.keys() == expected.keys()
    for name in expected:
        assert marts[name] == expected[name], name


def test_a_night_run_twice_and_a_backfill_of_thirty_dates(straight, make_home):
    home = make_home("backfilled")
    for _ in range(2):
        assert home.nightly(FIRST).returncode == 0
    result = home.crw("backfill", "2013-04-01", LAST)
    assert result.returncode == 0, result.stdout
    dates = (
        "select count(distinct business_date) from audit.load where state = 'published' and business_date > date '{}'"
    )
    assert home.query(dates.format(FIRST)) == [(30,)]
    assert_same(home.marts(), straight)


def test_three_nights_after_a_missed_one(straight, make_home):
    home = make_home("missed")
    for date in (FIRST, "2013-04-02", "2013-04-03", "2013-04-04", LAST):
        assert home.nightly(date).returncode == 0
    assert_same(home.marts(), straight)
    # Made up for long after: marts do not go back to that date, and say the same.
    assert home.nightly("2013-04-01").returncode == 0
    assert_same(home.marts(), straight)


def test_a_night_in_a_new_home_made_of_a_backup_and_in_one_of_an_older_release(straight, make_home, tmp_path):
    """Each goes on where the other home, or release, left off."""
    older, restored, file = make_home("older"), make_home("restored"), tmp_path / "warehouse.dump"
    assert older.nightly(FIRST).returncode == 0
    assert older.crw("backup", str(file)).returncode == 0
    restored.environment["CRW_PSEUDONYM_KEY"] = json.loads((older.folder / "state.json").read_text())["pseudonym_key"]
    result = restored.crw("restore", str(file))
    assert result.returncode == 0, result.stdout
    del restored.environment["CRW_PSEUDONYM_KEY"]
    older.query((PROJECT / "tests" / "earlier_shape.sql").read_text())
    older.query("update core.build set project_version = 'of an older release'")
    assert older.crw("upgrade").returncode == 0
    for home in (restored, older):
        assert home.nightly(LAST).returncode == 0
        assert_same(home.marts(), straight)
